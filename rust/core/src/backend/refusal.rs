// SPDX-License-Identifier: Apache-2.0
//! Why a backend is not the one that was meant.

use std::error::Error;
use std::fmt;

use crate::verify::advice::attached;

/// Why a backend is refused, in words that go into the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BackendRefusal {
    /// Nobody vouches for its certificate: the reason, and what to do about it, which may be empty.
    Unverified(&'static str, String),
    /// It sent none.
    NoCertificate,
    /// Its certificate cannot be read.
    Unreadable,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It has this name where name constraints do not permit it.
    NotPermitted(String),
    /// It has this name at most where names do not count.
    NoAltName(String),
    /// It is another one's.
    OtherName {
        /// Names that it has, for people.
        covered: String,
        /// Who was meant.
        host: String,
    },
}

impl fmt::Display for BackendRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unverified(reason, advice) => write!(
                f,
                "its certificate does not verify: {reason}{}",
                attached(advice)
            ),
            Self::NoCertificate => f.write_str("it sent no certificate"),
            Self::Unreadable => f.write_str("its certificate cannot be read"),
            Self::Expired => f.write_str("its certificate has expired"),
            Self::NotYetValid => f.write_str("its certificate is not yet valid"),
            Self::NotPermitted(host) => write!(
                f,
                "its certificate has {host} as common name alone, which its CA is not permitted to vouch for (name \
                 constraints)"
            ),
            Self::NoAltName(host) => write!(
                f,
                "its certificate has no subjectAltName for {host}, and common names do not count (RFC 9525): a new \
                 certificate is needed, or TLSProxyVerifyName off"
            ),
            Self::OtherName { covered, host } => write!(
                f,
                "its certificate is for {covered}, not for {host}; use a name of it in the URL, or see ProxyPreserveHost"
            ),
        }
    }
}

impl Error for BackendRefusal {}
