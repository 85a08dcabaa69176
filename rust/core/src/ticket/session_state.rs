// SPDX-License-Identifier: Apache-2.0
//! What we put around rustls' session value, inside the encryption: to whom a session belongs, and until when.
//!
//! rustls compares cipher suite, EMS and SNI when it resumes, and never runs the client verifier again. Everything else that a
//! session is bound to stands here, and is compared by [`SessionState::check`] and [`Binding::check_owner`].

use core::fmt;

/// The format of tickets and cache entries; part of what is authenticated and of every key derivation. To be raised with each
/// change of this file, and when rustls changes the encoding of its session values (see `RUSTLS`).
pub const FORMAT: u8 = 2;

/// The line of rustls releases whose session values we seal.
pub const RUSTLS: &str = "0.23";

/// How long a chain of resumptions may go on after the full handshake, in seconds (RFC 8446 section 4.6.1 asks for a limit).
const MAX_CHAIN: u64 = 7 * 24 * 3600;

/// The same where a client certificate was judged.
const MAX_CHAIN_CLIENT: u64 = 12 * 3600;

/// What was decided on a client's certificate in the full handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientVerdict {
    /// The verifier's own code for its decision.
    pub code: u8,
    /// The earliest end of validity in the path that was verified (seconds since 1970); 0 where the policy takes
    /// certificates that nobody vouches for and there is no such path.
    pub not_after: u64,
    /// Which authorities and revocation lists it was judged by.
    pub generation: u64,
}

/// What a session of this connection is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding<'a> {
    /// Digest of everything that was negotiable.
    pub policy: &'a [u8; 32],
    /// The chosen virtual host, `ServerName:port`.
    pub host: &'a str,
    /// Seconds that a session lives.
    pub lifetime: u32,
    /// The generation of authorities and revocation lists in force.
    pub generation: u64,
}

/// Why a session is not resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Too short, or of a format unknown here.
    Malformed,
    /// The key is not known here, or erased since.
    UnknownKey,
    /// It does not authenticate.
    Forged,
    /// Older than its lifetime.
    Expired,
    /// From a time still to come.
    Future,
    /// Of another policy.
    OtherPolicy,
    /// Of another virtual host.
    OtherHost,
    /// The client's certificate expired, or must be judged again.
    ClientCertificate,
}

/// The head of a sealed session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionState {
    /// When it was sealed (seconds since 1970).
    pub issued: u64,
    /// Seconds that it lives.
    pub lifetime: u32,
    /// How long before that the full handshake was, in seconds.
    pub chain: u32,
    /// What was decided on the client's certificate, where there was one.
    pub client: Option<ClientVerdict>,
}

impl SessionState {
    /// Appends the session state's octets to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(FORMAT);
        out.extend_from_slice(&self.issued.to_be_bytes());
        out.extend_from_slice(&self.lifetime.to_be_bytes());
        out.extend_from_slice(&self.chain.to_be_bytes());
        match &self.client {
            None => out.push(0),
            Some(client) => {
                out.extend_from_slice(&[1, client.code]);
                out.extend_from_slice(&client.not_after.to_be_bytes());
                out.extend_from_slice(&client.generation.to_be_bytes());
            }
        }
    }

    /// Reads an session state; what follows it is returned with it.
    pub fn decode(octets: &[u8]) -> Option<(Self, &[u8])> {
        let mut reader = Reader(octets);
        if reader.array::<1>()? != [FORMAT] {
            return None;
        }
        let issued = u64::from_be_bytes(reader.array()?);
        let lifetime = u32::from_be_bytes(reader.array()?);
        let chain = u32::from_be_bytes(reader.array()?);
        let client = match reader.array()? {
            [0] => None,
            [1] => Some(reader.client()?),
            _ => return None,
        };
        Some((
            Self {
                issued,
                lifetime,
                chain,
                client,
            },
            reader.0,
        ))
    }

    /// When the full handshake was, in seconds since 1970.
    pub fn origin(&self) -> u64 {
        self.issued.saturating_sub(u64::from(self.chain))
    }

    /// Seconds, from when it is sealed, after which it is refused for sure: what a client may be told.
    pub fn promise(&self) -> u32 {
        let chain = self.longest_chain().saturating_sub(u64::from(self.chain));
        let expiry = self.client.map_or(0, |client| client.not_after);
        let certificate = match expiry {
            0 => u64::MAX,
            expiry => expiry.saturating_sub(self.issued),
        };
        u32::try_from(chain.min(certificate)).map_or(self.lifetime, |most| self.lifetime.min(most))
    }

    fn longest_chain(&self) -> u64 {
        match self.client {
            Some(_) => MAX_CHAIN_CLIENT,
            None => MAX_CHAIN,
        }
    }

    /// Whether a session sealed in this session state may be resumed by a connection of `to` at `now`; `skew` is how far in the
    /// future, in seconds, it may have been issued.
    ///
    /// # Errors
    /// Why it may not.
    pub fn check(&self, to: &Binding<'_>, now: u64, skew: u64) -> Result<(), Refusal> {
        if self.issued > now.saturating_add(skew) {
            return Err(Refusal::Future);
        }
        let lifetime = u64::from(self.lifetime.min(to.lifetime));
        if now.saturating_sub(self.issued) >= lifetime {
            return Err(Refusal::Expired);
        }
        self.check_client(to, now)?;
        if now.saturating_sub(self.origin()) >= self.longest_chain() {
            Err(Refusal::Expired)
        } else {
            Ok(())
        }
    }

    fn check_client(&self, to: &Binding<'_>, now: u64) -> Result<(), Refusal> {
        let Some(client) = &self.client else {
            return Ok(());
        };
        let expired = client.not_after != 0 && client.not_after <= now;
        if expired || client.generation != to.generation {
            return Err(Refusal::ClientCertificate);
        }
        Ok(())
    }
}

impl Binding<'_> {
    /// Appends the owner of a session to `out`; None where the host's name is longer than any name can be.
    pub fn encode_owner(&self, out: &mut Vec<u8>) -> Option<()> {
        out.extend_from_slice(self.policy);
        out.extend_from_slice(&u16::try_from(self.host.len()).ok()?.to_be_bytes());
        out.extend_from_slice(self.host.as_bytes());
        Some(())
    }

    /// Reads an owner and compares it with this one; what follows it is returned.
    ///
    /// # Errors
    /// It is another owner's, or none.
    pub fn check_owner<'a>(&self, octets: &'a [u8]) -> Result<&'a [u8], Refusal> {
        let mut reader = Reader(octets);
        let policy: [u8; 32] = reader.array().ok_or(Refusal::Malformed)?;
        let length = u16::from_be_bytes(reader.array().ok_or(Refusal::Malformed)?);
        let host = reader.take(usize::from(length)).ok_or(Refusal::Malformed)?;
        if policy != *self.policy {
            return Err(Refusal::OtherPolicy);
        }
        if host != self.host.as_bytes() {
            return Err(Refusal::OtherHost);
        }
        Ok(reader.0)
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknown key",
            Self::Forged => "forged",
            Self::Expired => "expired",
            Self::Future => "from the future",
            Self::OtherPolicy => "of another policy",
            Self::OtherHost => "of another virtual host",
            Self::ClientCertificate => "client certificate expired or to be judged again",
        })
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn client(&mut self) -> Option<ClientVerdict> {
        let [code] = self.array()?;
        let not_after = u64::from_be_bytes(self.array()?);
        let generation = u64::from_be_bytes(self.array()?);
        Some(ClientVerdict {
            code,
            not_after,
            generation,
        })
    }
}

#[cfg(test)]
#[path = "session_state_tests.rs"]
mod tests;
