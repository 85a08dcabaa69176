// SPDX-License-Identifier: Apache-2.0
//! What one connection has to do with the limits.

use super::{Entered, Exceeded, current};

/// Nothing where there are no limits.
#[derive(Default)]
pub struct Toll {
    entered: Option<Entered>,
    /// What the client wants to resume.
    ticket: Vec<u8>,
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

    /// The handshake is over. Idempotent.
    pub fn leave(&mut self) {
        self.entered = None;
    }
}
