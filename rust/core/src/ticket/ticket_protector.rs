// SPDX-License-Identifier: Apache-2.0
//! Sealed sessions: what tickets carry and what the session cache keeps.
//!
//! Layout: format, key ring and interval of the key, nonce, then encrypted the session state, in tickets its owner, and the session
//! value; in tickets behind its length, and with zeros behind it.

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

/// What is sealed in a ticket is padded to a multiple of this. The virtual host and the name that was asked for stand in it, and
/// a client that resumes inside of an encrypted hello shows an identity of the same length outside (RFC 9849 6.1.2): unpadded,
/// that tells everybody how long the hidden name is. All names of up to some 50 octets have one length in this way.
const UNIT: usize = 256;

/// Octets of a session value's length in a ticket.
const LENGTH_LEN: usize = 4;

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
        let mut padding = 0;
        if matches!(kind, Kind::Ticket) {
            to.encode_owner(&mut head)?;
            head.extend_from_slice(&u32::try_from(value.len()).ok()?.to_be_bytes());
            let length = head.len().saturating_add(value.len());
            padding = length
                .checked_next_multiple_of(UNIT)?
                .saturating_sub(length);
        }
        let zeros = [0; UNIT];
        let zeros = zeros.get(..padding)?;
        let mut out = Vec::with_capacity(
            [HEADER_LEN, head.len(), value.len(), padding, aead::OVERHEAD]
                .into_iter()
                .fold(0, usize::saturating_add),
        );
        out.push(FORMAT);
        out.extend_from_slice(&name.key_ring.to_be_bytes());
        out.extend_from_slice(&name.epoch.to_be_bytes());
        let aad = kind.aad(to, &out)?;
        aead::seal(&key, &aad, &[&head, value, zeros], &mut out).then_some(out)
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
            rest = value_of(to.check_owner(rest)?).ok_or(Refusal::Malformed)?;
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

/// The session value of a ticket, without its padding.
fn value_of(octets: &[u8]) -> Option<&[u8]> {
    let (length, rest) = octets.split_first_chunk::<LENGTH_LEN>()?;
    rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)
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
#[path = "ticket_protector_tests.rs"]
mod tests;
