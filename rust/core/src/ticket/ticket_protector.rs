// SPDX-License-Identifier: Apache-2.0
//! Sealed sessions: what tickets carry and what the session cache keeps.
//!
//! Layout: format, key ring and interval of the key, nonce, then encrypted the session state, in tickets its owner, and the session value.

use super::aead;
use super::session_state::{Binding, ClientVerdict, FORMAT, RUSTLS, Refusal, SessionState};
use super::shared_key_store::{KeyName, SharedKeyStore};
use crate::system::clock::Clock;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a sealed session is for. One cannot be passed off for another.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    /// A ticket: its owner stands inside, so that a refusal can say why.
    Ticket,
    /// A cache entry under this session id: its owner is authenticated and not stored, which keeps entries small.
    Entry {
        /// The session id that it is stored under.
        id: &'a [u8],
        /// When it expires (seconds since 1970).
        expiry: u64,
    },
}

/// The provenance of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provenance {
    /// When its full handshake was (seconds since 1970).
    pub origin: u64,
    /// What was decided on the client's certificate then.
    pub client: Option<ClientVerdict>,
}

/// Seals and opens sessions with the keys of the shared memory.
#[derive(Debug, Clone)]
pub struct TicketProtector {
    /// The shared memory.
    pub key_store: SharedKeyStore,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

const HEADER_LEN: usize = 9;

impl TicketProtector {
    /// Seals `value` for connections of `to`. `provenance` is that of a resumed session; None where a full handshake was made just
    /// now. None when there is no key: the session is then not resumable.
    pub fn seal(
        &self,
        kind: Kind<'_>,
        to: &Binding<'_>,
        provenance: Provenance,
        value: &[u8],
    ) -> Option<Vec<u8>> {
        // One look at the clock: what is sealed is dated within the interval of its key.
        let issued = self.clock.now();
        let (name, key) = self.key_store.newest(issued)?;
        let session_state = session_state(issued, to.lifetime, provenance)?;
        let mut head = Vec::with_capacity(128);
        session_state.encode(&mut head);
        if matches!(kind, Kind::Ticket) {
            to.encode_owner(&mut head)?;
        }
        let mut out = Vec::with_capacity(
            [HEADER_LEN, head.len(), value.len(), aead::OVERHEAD]
                .into_iter()
                .fold(0, usize::saturating_add),
        );
        out.push(FORMAT);
        out.extend_from_slice(&name.key_ring.to_be_bytes());
        out.extend_from_slice(&name.epoch.to_be_bytes());
        let aad = kind.aad(to, &out)?;
        aead::seal(&key, &aad, &[&head, value], &mut out).then_some(out)
    }

    /// Opens what [`TicketProtector::seal`] made, if a connection of `to` may resume it now.
    ///
    /// # Errors
    /// It is not ours, was changed, or may not be resumed by this connection.
    pub fn open(
        &self,
        kind: Kind<'_>,
        to: &Binding<'_>,
        sealed: &[u8],
    ) -> Result<(Vec<u8>, Provenance), Refusal> {
        let now = self.clock.now();
        let (header, body) = sealed
            .split_at_checked(HEADER_LEN)
            .ok_or(Refusal::Malformed)?;
        let name = key_name(header).ok_or(Refusal::Malformed)?;
        let found = self.key_store.find(name, now).ok_or(Refusal::UnknownKey)?;
        let aad = kind.aad(to, header).ok_or(Refusal::Malformed)?;
        let mut text = Zeroizing::new(body.to_vec());
        let opened = aead::open(&found.key, &aad, &mut text).ok_or(Refusal::Forged)?;
        let (session_state, mut rest) = SessionState::decode(opened).ok_or(Refusal::Malformed)?;
        // Who learned the key of one interval can make sessions of that interval alone.
        if !found.interval.contains(&session_state.issued) {
            return Err(Refusal::Forged);
        }
        if matches!(kind, Kind::Ticket) {
            rest = to.check_owner(rest)?;
        }
        session_state.check(to, now, found.skew)?;
        Ok((
            rest.to_vec(),
            Provenance {
                origin: session_state.origin(),
                client: session_state.client,
            },
        ))
    }
}

/// The head of what is sealed at `issued`.
pub(super) fn session_state(
    issued: u64,
    lifetime: u32,
    provenance: Provenance,
) -> Option<SessionState> {
    Some(SessionState {
        issued,
        lifetime,
        chain: u32::try_from(issued.saturating_sub(provenance.origin)).ok()?,
        client: provenance.client,
    })
}

impl Kind<'_> {
    /// What is authenticated without being encrypted: purpose, formats, the name of the key, and for entries what they belong to.
    fn aad(&self, to: &Binding<'_>, header: &[u8]) -> Option<Vec<u8>> {
        let mut aad = Vec::with_capacity(160);
        aad.extend_from_slice(match self {
            Kind::Ticket => b"mod_tls ticket",
            Kind::Entry { .. } => b"mod_tls entry ",
        });
        aad.extend_from_slice(RUSTLS.as_bytes());
        aad.extend_from_slice(header);
        if let Kind::Entry { id, expiry } = self {
            aad.push(u8::try_from(id.len()).ok()?);
            aad.extend_from_slice(id);
            aad.extend_from_slice(&expiry.to_be_bytes());
            to.encode_owner(&mut aad)?;
        }
        Some(aad)
    }
}

fn key_name(header: &[u8]) -> Option<KeyName> {
    let (format, rest) = header.split_first()?;
    let (key_ring, epoch) = rest.split_at_checked(4)?;
    (*format == FORMAT).then_some(KeyName {
        key_ring: u32::from_be_bytes(key_ring.try_into().ok()?),
        epoch: u32::from_be_bytes(epoch.try_into().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::clock::testing::HandClock;
    use crate::ticket::keeper::testing::Keys;

    const NOW: u64 = 1_790_000_000;
    const HERE: Binding<'static> = Binding {
        policy: &[1; 32],
        host: "a.example:443",
        lifetime: 43_200,
        generation: 0,
    };
    const FRESH: Provenance = Provenance {
        origin: NOW,
        client: None,
    };

    fn protector() -> (TicketProtector, HandClock) {
        let clock = HandClock::at(NOW);
        (
            TicketProtector {
                key_store: Keys::new(43_200, &clock).key_store,
                clock: Arc::new(clock.clone()),
            },
            clock,
        )
    }

    #[test]
    fn every_bit_counts_and_every_cut_is_refused() {
        let (protector, _) = protector();
        let sealed = protector
            .seal(Kind::Ticket, &HERE, FRESH, b"session")
            .unwrap();
        assert_eq!(
            protector.open(Kind::Ticket, &HERE, &sealed).unwrap(),
            (b"session".to_vec(), FRESH)
        );
        for at in 0..sealed.len() {
            assert!(
                protector.open(Kind::Ticket, &HERE, &sealed[..at]).is_err(),
                "cut at {at}"
            );
            for bit in 0..8 {
                let mut bent = sealed.clone();
                bent[at] ^= 1 << bit;
                assert!(
                    protector.open(Kind::Ticket, &HERE, &bent).is_err(),
                    "octet {at} bit {bit}"
                );
            }
        }
        let long = [sealed.as_slice(), b"x"].concat();
        assert_eq!(
            protector.open(Kind::Ticket, &HERE, &long),
            Err(Refusal::Forged)
        );
    }

    #[test]
    fn a_session_of_another_server_is_refused() {
        let (here, _) = protector();
        let (there, _) = protector();
        let sealed = there.seal(Kind::Ticket, &HERE, FRESH, b"session").unwrap();
        assert_eq!(
            here.open(Kind::Ticket, &HERE, &sealed),
            Err(Refusal::UnknownKey)
        );
    }

    #[test]
    fn refusals_say_why() {
        let (protector, clock) = protector();
        let sealed = protector
            .seal(Kind::Ticket, &HERE, FRESH, b"session")
            .unwrap();
        let open = |to: &Binding<'_>| protector.open(Kind::Ticket, to, &sealed).map(|_| ());
        assert_eq!(
            open(&Binding {
                policy: &[2; 32],
                ..HERE
            }),
            Err(Refusal::OtherPolicy)
        );
        assert_eq!(
            open(&Binding {
                host: "b.example:443",
                ..HERE
            }),
            Err(Refusal::OtherHost)
        );
        clock.set(NOW - 1);
        assert_eq!(open(&HERE), Err(Refusal::Future));
        clock.set(NOW + 43_199);
        assert_eq!(open(&HERE), Ok(()));
        clock.set(NOW + 43_200);
        assert_eq!(open(&HERE), Err(Refusal::Expired));
        clock.set(NOW + 43_200 + 7200);
        assert_eq!(open(&HERE), Err(Refusal::UnknownKey));
    }

    #[test]
    fn entries_belong_to_their_id_policy_host_and_expiry() {
        let (protector, _) = protector();
        let kind = Kind::Entry {
            id: b"0123456789abcdef",
            expiry: NOW + 300,
        };
        let sealed = protector.seal(kind, &HERE, FRESH, b"session").unwrap();
        assert!(protector.open(kind, &HERE, &sealed).is_ok());
        let forged = [
            (
                Kind::Entry {
                    id: b"1123456789abcdef",
                    expiry: NOW + 300,
                },
                HERE,
            ),
            (
                Kind::Entry {
                    id: b"0123456789abcdef",
                    expiry: NOW + 301,
                },
                HERE,
            ),
            (
                kind,
                Binding {
                    policy: &[2; 32],
                    ..HERE
                },
            ),
            (
                kind,
                Binding {
                    host: "b.example:443",
                    ..HERE
                },
            ),
            (Kind::Ticket, HERE),
        ];
        for (kind, to) in forged {
            assert_eq!(
                protector.open(kind, &to, &sealed).map(|_| ()),
                Err(Refusal::Forged),
                "{kind:?}"
            );
        }
        let ticket = protector
            .seal(Kind::Ticket, &HERE, FRESH, b"session")
            .unwrap();
        assert!(protector.open(kind, &HERE, &ticket).is_err());
    }

    #[test]
    fn a_key_seals_nothing_dated_outside_of_its_interval() {
        // As somebody would who has the key of an interval and makes sessions of it.
        let (protector, clock) = protector();
        let (name, key) = protector.key_store.newest(NOW).unwrap();
        let start = u64::from(name.epoch) * 3600;
        let make = |issued: u64| {
            let mut head = Vec::new();
            let provenance = Provenance {
                origin: issued,
                client: None,
            };
            session_state(issued, HERE.lifetime, provenance)
                .unwrap()
                .encode(&mut head);
            HERE.encode_owner(&mut head).unwrap();
            let mut out = vec![FORMAT];
            out.extend_from_slice(&name.key_ring.to_be_bytes());
            out.extend_from_slice(&name.epoch.to_be_bytes());
            let aad = Kind::Ticket.aad(&HERE, &out).unwrap();
            assert!(aead::seal(&key, &aad, &[&head, b"session"], &mut out));
            out
        };
        for (now, issued, good) in [
            (start + 3599, start, true),
            (start + 3599, start + 3599, true),
            (start + 3599, start - 1, false),
            (start + 3600, start + 3600, false),
            (start + 40_000, start + 39_000, false),
        ] {
            clock.set(now);
            let opened = protector
                .open(Kind::Ticket, &HERE, &make(issued))
                .map(|_| ());
            let expected = if good { Ok(()) } else { Err(Refusal::Forged) };
            assert_eq!(opened, expected, "{issued} at {now}, from {start}");
        }
    }

    #[test]
    fn the_provenance_goes_along() {
        let (protector, clock) = protector();
        let client = Some(ClientVerdict {
            code: 2,
            not_after: NOW + 90_000,
            generation: 0,
        });
        let mut provenance = Provenance {
            origin: NOW,
            client,
        };
        let mut value = b"session".to_vec();
        for _ in 0..11 {
            let sealed = protector
                .seal(Kind::Ticket, &HERE, provenance, &value)
                .unwrap();
            clock.advance(3600);
            (value, provenance) = protector.open(Kind::Ticket, &HERE, &sealed).unwrap();
        }
        assert_eq!((provenance.origin, provenance.client), (NOW, client));
        let last = protector
            .seal(Kind::Ticket, &HERE, provenance, &value)
            .unwrap();
        clock.advance(3600);
        assert_eq!(
            protector.open(Kind::Ticket, &HERE, &last).map(|_| ()),
            Err(Refusal::Expired)
        );
    }
}
