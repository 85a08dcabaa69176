// SPDX-License-Identifier: Apache-2.0
//! What one connection has to do with the limits.

use super::{Entered, Exceeded, current};

/// Nothing where there are no limits.
#[derive(Default)]
pub struct Toll {
    entered: Option<Entered>,
    /// What the client wants to resume.
    ticket: Vec<u8>,
    /// What it exceeds, where it was let in for a session and did not resume it.
    exceeded: Option<Exceeded>,
}

impl Toll {
    /// The handshake of `address` begins. `children` is how many processes serve.
    ///
    /// # Errors
    /// The limit that it exceeds.
    pub fn enter(&mut self, address: &[u8], children: u64) -> Result<(), Exceeded> {
        self.entered = match current() {
            Some(limits) => Some(Entered::begin(limits, address, children)?),
            None => None,
        };
        Ok(())
    }

    /// The hello asks for this session.
    pub fn note(&mut self, ticket: &[u8]) {
        if self.entered.is_some() {
            self.ticket = ticket.to_vec();
        }
    }

    /// Takes the place of a full handshake, before it is known whether it is one; false where there is none.
    pub fn pay(&mut self) -> bool {
        self.entered
            .as_mut()
            .is_none_or(|entered| entered.pay().is_ok())
    }

    /// Whether the handshake may go on as a resumption alone.
    pub fn must_resume(&self) -> bool {
        self.entered.as_ref().is_some_and(Entered::must_resume)
    }

    /// Asks for a full handshake; `opens` is asked whether the ticket is one of ours.
    ///
    /// # Errors
    /// The limit that it exceeds.
    pub fn admit(&mut self, opens: impl FnOnce(&[u8]) -> bool) -> Result<(), Exceeded> {
        let ticket = std::mem::take(&mut self.ticket);
        match &mut self.entered {
            Some(entered) => entered.admit(|| opens(&ticket)),
            None => Ok(()),
        }
    }

    /// rustls has decided.
    pub fn settle(&mut self, resumed: bool) {
        if let Some(entered) = &mut self.entered {
            entered.settle(resumed);
        }
    }

    /// The handshake had to end, since it was let in for a session that it did not resume.
    pub fn refuse(&mut self) {
        if let Some(entered) = &mut self.entered {
            self.exceeded = self.exceeded.or(entered.refuse());
        }
    }

    /// The limit that such a handshake exceeds.
    pub fn exceeded(&self) -> Option<Exceeded> {
        self.exceeded
    }

    /// Of an address that has had all that there is.
    #[cfg(test)]
    pub(crate) fn exhausted() -> Self {
        let rate = super::Scopes {
            address: 1,
            ..super::Scopes::default()
        };
        let limits = std::sync::Arc::new(super::Limits::new(rate, super::Scopes::default()));
        let begin = || Entered::begin(limits.clone(), &[192, 0, 2, 1], 1).unwrap();
        begin().pay().unwrap();
        Self {
            entered: Some(begin()),
            ..Self::default()
        }
    }

    /// The handshake is over. Idempotent.
    pub fn leave(&mut self) {
        self.entered = None;
    }
}
