// SPDX-License-Identifier: Apache-2.0
//! Why something encrypted cannot be opened, whatever its pass phrase is.

use std::error::Error;
use std::fmt;

/// Most rounds of a derivation: some seconds, ten times what anybody recommends.
pub(super) const MOST_ROUNDS: u32 = 10_000_000;

/// Most memory for scrypt, in octets; OpenSSL stops at 32 MiB.
pub(super) const MOST_MEMORY: u64 = 256 << 20;

/// Why an encryption by a pass phrase is not supported, in words that follow "encrypted in a way that is not supported".
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SchemeFault {
    /// Its parameters cannot be read.
    Damaged,
    /// The algorithm is not known.
    Unknown,
    /// The algorithm is not known, or its parameters cannot be read.
    UnknownOrDamaged,
    /// An algorithm of this name, which nothing opens any more.
    Abandoned(&'static str),
    /// A salt of so many octets.
    Salt(usize),
    /// So many rounds; none where the number is none.
    Rounds(Option<u32>),
    /// Parameters of scrypt: N, r and p.
    Scrypt(u64, u64, u64),
}

impl fmt::Display for SchemeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("its parameters are damaged"),
            Self::Unknown => f.write_str("by an algorithm that is not known here"),
            Self::UnknownOrDamaged => {
                f.write_str("by an algorithm that is not known here, or damaged")
            }
            Self::Abandoned(name) => f.write_str(name),
            Self::Salt(octets) => write!(f, "with a salt of {octets} octets"),
            Self::Rounds(Some(rounds)) => {
                write!(f, "with {rounds} rounds (1 to {MOST_ROUNDS} are taken)")
            }
            Self::Rounds(None) => write!(
                f,
                "with a number of rounds that is none (1 to {MOST_ROUNDS} are taken)"
            ),
            Self::Scrypt(n, r, parallel) => write!(
                f,
                "with scrypt's N={n}, r={r}, p={parallel} (N is a power of two from 2, and {} MiB of memory are the most)",
                MOST_MEMORY >> 20
            ),
        }
    }
}

impl Error for SchemeFault {}

/// Why a PKCS#12 file cannot be opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pkcs12Fault {
    /// It cannot be read.
    Damaged,
    /// There is no pass phrase to it, but a signature.
    Signed,
    /// It has no MAC.
    NoMac,
    /// Its MAC is of an unknown kind.
    UnknownMac,
    /// A part of it is encrypted for a certificate.
    ForCertificate,
    /// The key is encrypted under another pass phrase.
    OtherPhrase,
    /// It is encrypted, or its MAC is made, in a way that is not supported.
    Scheme(SchemeFault),
}

impl fmt::Display for Pkcs12Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Damaged => "it is damaged",
            Self::Signed => "it is signed by a certificate in place of a pass phrase",
            Self::NoMac => "it has no MAC, by which a pass phrase is told to be right",
            Self::UnknownMac => "its MAC is of a kind that is not known here",
            Self::ForCertificate => "a part of it is encrypted for a certificate",
            Self::OtherPhrase => "its key has another pass phrase than the file",
            Self::Scheme(fault) => return fault.fmt(f),
        })
    }
}

impl Error for Pkcs12Fault {}

impl From<SchemeFault> for Pkcs12Fault {
    fn from(fault: SchemeFault) -> Self {
        Self::Scheme(fault)
    }
}
