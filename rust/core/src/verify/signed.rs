// SPDX-License-Identifier: Apache-2.0
//! What is signed and by what: the outer form of certificates, revocation lists and OCSP responses.

use aws_lc_rs::digest::Digest;

use super::keys::{Algorithm, Fault, Key};
use crate::x509::der::{BIT_STRING, Element, SEQUENCE, only, whole};

/// The signature of a certificate, a list or a response: what was signed, how, and the value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    pub message: &'a [u8],
    pub algorithm: Element<'a>,
    pub signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Reads SEQUENCE { body, AlgorithmIdentifier, BIT STRING }.
    pub(crate) fn parse(input: &'a [u8]) -> Option<Self> {
        let mut fields = whole(input, SEQUENCE)?;
        let message = fields.require(SEQUENCE)?.raw;
        let algorithm = fields.require(SEQUENCE)?;
        let (_, signature) = fields.require(BIT_STRING)?.value.split_first()?;
        Some(Self {
            message,
            algorithm,
            signature,
        })
    }

    /// Units that a check with `key` takes.
    pub(crate) fn cost(&self, key: &Key<'_>) -> u64 {
        let kilobytes = u64::try_from(self.message.len()).unwrap_or(u64::MAX) >> 10;
        key.cost().saturating_add(kilobytes.saturating_mul(2))
    }

    /// The digest that was signed; `None` where the message itself was.
    pub(crate) fn digest(&self) -> Option<Digest> {
        Algorithm::parse(&self.algorithm).digest(self.message)
    }

    /// Whether it is of `key`.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check(&self, key: &Key<'_>) -> Result<(), Fault> {
        self.check_hashed(key, self.digest().as_ref())
    }

    /// The same where the digest is known.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check_hashed(&self, key: &Key<'_>, digest: Option<&Digest>) -> Result<(), Fault> {
        let algorithm = Algorithm::parse(&self.algorithm);
        key.verify_hashed(algorithm, digest, self.message, self.signature)
    }
}

/// The one element that `spki` is.
pub(crate) fn key_of(spki: &[u8]) -> Option<Key<'_>> {
    Key::parse(&only(spki, SEQUENCE)?)
}
