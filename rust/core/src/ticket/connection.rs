// SPDX-License-Identifier: Apache-2.0
//! What resumption knows of one connection. The session owns it; the ticketer and the store find it in the context.

use super::session_state::ClientVerdict;
use super::ticket_protector::Provenance;

/// Tickets and cache entries that one handshake may have looked at. A client may offer hundreds, and each look at a remote
/// cache is a round trip.
const MAX_LOOKS: u8 = 4;

/// The resumption of one connection.
#[derive(Debug, Default)]
pub struct Resumption {
    /// Seconds that a session of this connection lives: by its version, and by whether client certificates are asked for.
    pub lifetime: u32,
    /// The generation of authorities and revocation lists in force.
    pub generation: u64,
    /// The client speaks tickets and the server has them: no entry in the session cache is needed for TLS 1.2.
    pub uses_tickets: bool,
    /// What the verifier decided in this connection's full handshake, or what the resumed session brings along.
    pub client: Option<ClientVerdict>,
    /// The session id in the client's hello.
    pub offered_id: Vec<u8>,
    /// The id that the session is cached under, where it is.
    pub(super) cached_id: Vec<u8>,
    accepted: Option<Provenance>,
    accepted_now: bool,
    origin: Option<u64>,
    looks: u8,
    issued: bool,
}

impl Resumption {
    /// A connection whose sessions live `lifetime` seconds; `uses_tickets` where client and server both speak tickets.
    pub fn new(lifetime: u32, uses_tickets: bool) -> Self {
        Self {
            lifetime,
            uses_tickets,
            ..Self::default()
        }
    }

    /// To be called before each call into rustls.
    pub fn begin_call(&mut self) {
        self.accepted_now = false;
    }

    /// To be called when rustls has said which kind of handshake it makes. What an accepted ticket said holds only then: rustls
    /// may still refuse it, for another cipher suite, say.
    pub fn settle(&mut self, resumed: bool) {
        if let Some(provenance) = self.accepted.take()
            && resumed
        {
            self.client = provenance.client;
            self.origin = Some(provenance.origin);
        }
    }

    /// The id of a TLS 1.2 session: the client's own in a resumption, else what it can be resumed by; empty where that is a
    /// ticket.
    pub fn session_id(&self, resumed: bool) -> &[u8] {
        if resumed {
            &self.offered_id
        } else {
            &self.cached_id
        }
    }

    /// What goes into a ticket or entry issued at `now`.
    pub(super) fn provenance(&self, now: u64) -> Provenance {
        Provenance {
            origin: self.origin.unwrap_or(now),
            client: self.client,
        }
    }

    /// Whether one more ticket or entry may be looked at; forgets what an earlier one said.
    pub(super) fn look(&mut self) -> bool {
        self.accepted = None;
        self.accepted_now = false;
        self.looks = self.looks.saturating_add(1);
        self.looks <= MAX_LOOKS
    }

    pub(super) fn accept(&mut self, provenance: Provenance) {
        self.accepted = Some(provenance);
        self.accepted_now = true;
    }

    /// A ticket was made.
    pub(super) fn issue(&mut self) {
        self.issued = true;
    }

    /// Whether this is a resumed session that has a new ticket already.
    pub(super) fn replaced(&self) -> bool {
        self.origin.is_some() && self.issued
    }

    /// Whether a session was accepted in this very call into rustls.
    pub(super) fn accepted_now(&self) -> bool {
        self.accepted_now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROVENANCE: Provenance = Provenance {
        origin: 7,
        client: Some(ClientVerdict {
            code: 1,
            not_after: 9,
            generation: 0,
        }),
    };

    #[test]
    fn a_ticket_that_rustls_refused_leaves_nothing() {
        let mut resumption = Resumption::default();
        assert!(resumption.look());
        resumption.accept(PROVENANCE);
        resumption.settle(false);
        assert_eq!(
            resumption.provenance(100),
            Provenance {
                origin: 100,
                client: None
            }
        );
        resumption.settle(true);
        assert_eq!(resumption.client, None);
    }

    #[test]
    fn a_resumed_session_keeps_its_provenance() {
        let mut resumption = Resumption::default();
        assert!(resumption.look());
        resumption.accept(PROVENANCE);
        resumption.settle(true);
        resumption.settle(true);
        assert_eq!(resumption.provenance(100), PROVENANCE);
    }

    #[test]
    fn looks_are_counted() {
        let mut resumption = Resumption::default();
        assert_eq!(
            (0..20).filter(|_| resumption.look()).count(),
            usize::from(MAX_LOOKS)
        );
    }
}
