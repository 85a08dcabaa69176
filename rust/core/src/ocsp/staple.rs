// SPDX-License-Identifier: Apache-2.0
//! Answers about a server's own certificate, which go to its clients: only one that a client would believe is ever sent.
//!
//! It comes from a file, from another module or from a responder, and the server's certificate is at stake, so it is
//! judged as a client judges it: it is about this certificate, says `good`, is of now, and is signed by the certificate's
//! issuer or by a responder that the issuer named.

use std::fmt;

use super::SKEW;
use super::fault::Fault;
use super::response::{Rules, Status, judge};

/// RFC 6960 4.2.2.1 leaves open how long a response without `nextUpdate` is worth believing.
pub(super) const WITHOUT_END: i64 = 24 * 3600;

/// A response that may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staple {
    /// As it is sent.
    pub der: Vec<u8>,
    /// Seconds since 1970 from which it is of use.
    pub from: i64,
    /// Seconds since 1970 up to which it is.
    pub until: i64,
}

impl Staple {
    /// Whether it may be sent at this time.
    pub fn is_of_use(&self, now: i64) -> bool {
        self.from.saturating_sub(SKEW) <= now && now < self.until
    }
}

/// Why a response is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It says nothing.
    Fault(Fault),
    /// The certificate is revoked.
    Revoked,
    /// The responder does not know the certificate.
    Unknown,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Revoked => f.write_str(
                "it says that the certificate is revoked, and clients that ask will refuse it: have a new one issued",
            ),
            Self::Unknown => f.write_str("it says that the responder does not know the certificate"),
        }
    }
}

/// Judges `response` for the certificate `leaf`, which `issuer` issued (both DER).
///
/// # Errors
/// Why it must not be sent.
pub fn check(response: &[u8], leaf: &[u8], issuer: &[u8], now: i64) -> Result<Staple, Refusal> {
    let answer = judge(response, leaf, issuer, None, &Rules::default(), now)?;
    match answer.status {
        Status::Good => {}
        Status::Revoked { .. } => return Err(Refusal::Revoked),
        Status::Unknown => return Err(Refusal::Unknown),
    }
    let until = answer
        .until
        .unwrap_or(answer.from.saturating_add(WITHOUT_END));
    // A client's clock may be right to the second.
    if until <= now {
        return Err(Fault::Late(until).into());
    }
    Ok(Staple {
        der: response.to_vec(),
        from: answer.from,
        until,
    })
}
