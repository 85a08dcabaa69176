// SPDX-License-Identifier: Apache-2.0
//! Encrypted ClientHello on one connection: whose hello it is, and that what is said about it is said.

use rustls::AlertDescription;

use super::{MAX_FRAGMENT, Session};
use crate::ech::seam::Seam;
use crate::ech::{Offer, Outcome, Source};
use crate::tls::context;
use crate::tls::engine::RustlsConnection;
use crate::tls::hello::Fault;
use crate::tls::policy::Policy;

/// Nothing that a peer can cause: rustls would have to have changed.
const UNSAID: Fault = Fault {
    text: "internal error: the answer to an Encrypted ClientHello found no place in the handshake; please report it",
    alert: AlertDescription::InternalError,
};

impl Session {
    /// Takes offers of Encrypted ClientHello, with the keys of `source`. To be called before the first byte.
    pub fn take_offers(&mut self, source: &'static dyn Source) {
        self.incoming.offer = Offer::new(source);
    }

    /// How the client's offer was answered.
    pub fn ech_outcome(&self) -> Outcome {
        self.incoming.offer.outcome()
    }

    /// The name that everybody on the way could read, where the client made an offer.
    pub fn outer_name(&self) -> Option<&str> {
        self.incoming.offer.outer_name()
    }

    /// What the handshake under `policy` has to say about the offer.
    pub(super) fn seam(&self, policy: &Policy) -> Option<Box<Seam>> {
        let mut seam = self.incoming.offer.seam()?;
        seam.limit = self.record_limit.unwrap_or(MAX_FRAGMENT).min(MAX_FRAGMENT);
        seam.authorities = policy.authorities();
        Some(seam)
    }

    /// Whether rustls' last step has left something in the way that is to be changed. Within a call into rustls.
    pub(super) fn has_unsaid() -> bool {
        context::with(|context| context.ech.as_ref().is_some_and(|seam| seam.is_waiting()))
            .unwrap_or(false)
    }

    /// Changes what rustls has written from `mark` on.
    pub(super) fn mend(&mut self, mark: usize) {
        context::with(|context| {
            if let Some(seam) = &mut context.ech {
                seam.mend(&mut self.outgoing, mark);
            }
        });
    }

    /// Forgets what the handshake alone needed, so that a connection that idles takes no more than any other.
    pub(super) fn settle_offer(&mut self, tls: &RustlsConnection) {
        if self.incoming.offer.is_tried() && !tls.common().is_handshaking() {
            context::with(|context| context.ech = None);
            self.incoming.offer.settle();
        }
    }

    /// Sends nothing of what was written from `mark` on where it does not say what it should.
    pub(super) fn check_said(&mut self, mark: usize) {
        if self.failure.is_some() || self.outgoing.len() == mark {
            return;
        }
        let broken = context::with(|context| context.ech.as_ref().is_some_and(|s| s.is_broken()));
        if broken == Some(true) {
            self.outgoing.truncate(mark);
            self.refuse(UNSAID);
        }
    }
}
