// SPDX-License-Identifier: Apache-2.0
//! Public keys, to find out which certificate was issued for a private key.

use crate::x509::outline::public_key_bits;
use crate::x509::pss;

/// A public key as far as keys differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PublicKey {
    /// Its bits in a SubjectPublicKeyInfo.
    pub bits: Box<[u8]>,
    /// It is for RSASSA-PSS alone: OpenSSL does not take the same numbers for the same key without it.
    pub for_pss_alone: bool,
}

impl PublicKey {
    /// Of a SubjectPublicKeyInfo.
    pub fn of(spki: &[u8]) -> Option<Self> {
        Some(Self {
            bits: public_key_bits(spki)?.into(),
            for_pss_alone: pss::limits(spki).is_some(),
        })
    }
}
