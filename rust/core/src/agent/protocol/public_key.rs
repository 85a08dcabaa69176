// SPDX-License-Identifier: Apache-2.0
//! What is public of a key: who it is, what it can sign, what a signature costs.

use rustls::sign::SigningKey;
use rustls::{SignatureAlgorithm, SignatureScheme};

use super::wire::KeyId;
use crate::tls::signatures::of_pss_key;
use crate::x509::der::{BIT_STRING, Reader, SEQUENCE, modulus_bits};

/// Every scheme a key can have, in the order in which rustls' own keys prefer them.
const SCHEMES: [SignatureScheme; 13] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ED25519,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::ML_DSA_44,
    SignatureScheme::ML_DSA_65,
    SignatureScheme::ML_DSA_87,
];

/// What is public of a key: enough for a child to offer it in a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicHalf {
    /// DER SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// rustls' name of the algorithm.
    pub algorithm: SignatureAlgorithm,
}

impl PublicHalf {
    /// The public half of `key`; `None` when the key does not tell it or has no scheme that is spoken here.
    pub fn of(key: &dyn SigningKey) -> Option<Self> {
        let spki = key.public_key()?.as_ref().to_vec();
        let half = Self {
            spki,
            algorithm: key.algorithm(),
        };
        (!half.schemes().is_empty()).then_some(half)
    }

    /// The key's id.
    pub fn id(&self) -> KeyId {
        KeyId::of_spki(&self.spki)
    }

    /// The schemes that fit the key, most preferred first. An ECDSA key has exactly one: rustls ties it to its curve.
    pub fn schemes(&self) -> &'static [SignatureScheme] {
        match self.algorithm {
            SignatureAlgorithm::RSA => of_pss_key(&self.spki).unwrap_or(&SCHEMES[4..10]),
            SignatureAlgorithm::ED25519 => &SCHEMES[3..4],
            // An uncompressed point and its wrapping: 91 bytes for P-256, 120 for P-384, 158 for P-521.
            SignatureAlgorithm::ECDSA => match self.spki.len() {
                91 => &SCHEMES[0..1],
                120 => &SCHEMES[1..2],
                158 => &SCHEMES[2..3],
                _ => &[],
            },
            // rustls has no name for ML-DSA; its keys have 1312, 1952 and 2592 octets (FIPS 204, table 2), wrapped in 22.
            _ => match self.spki.len() {
                1334 => &SCHEMES[10..11],
                1974 => &SCHEMES[11..12],
                2614 => &SCHEMES[12..13],
                _ => &[],
            },
        }
    }

    /// About how long a signature takes, in microseconds; only ratios matter.
    pub fn cost(&self) -> u32 {
        if self.algorithm == SignatureAlgorithm::RSA {
            return match rsa_bits(&self.spki) {
                Some(..=2048) => 400,
                Some(..=3072) => 1000,
                Some(..=4096) => 2000,
                _ => 14_000,
            };
        }
        match (self.algorithm, self.spki.len()) {
            (SignatureAlgorithm::ECDSA, ..=91) | (SignatureAlgorithm::ED25519, _) => 25,
            (SignatureAlgorithm::ECDSA, ..=120) => 120,
            (SignatureAlgorithm::ECDSA, _) => 250,
            (SignatureAlgorithm::Unknown(_), ..=1334) => 110,
            (SignatureAlgorithm::Unknown(_), ..=1974) => 180,
            _ => 230,
        }
    }
}

/// Bits of the modulus in the SubjectPublicKeyInfo of an RSA key, whatever parameters it has (RFC 4055 1.2).
fn rsa_bits(spki: &[u8]) -> Option<usize> {
    let mut fields = Reader::new(spki).enter(SEQUENCE)?;
    fields.require(SEQUENCE)?;
    let (_, key) = fields.require(BIT_STRING)?.value.split_first()?;
    modulus_bits(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::key;
    use crate::creds::key::{FoundKey, find_key};

    #[test]
    fn a_key_for_pss_alone_is_one_for_children_too() {
        for (name, count) in [("rsapss", 3), ("rsapss384", 1)] {
            let file = crate::creds::tests::data(&format!("{name}.pkcs8.pem"));
            let Ok(FoundKey::Plain(key)) = find_key(name, &file) else {
                panic!("{name}");
            };
            let half = PublicHalf::of(key.signing.as_ref()).unwrap();
            let schemes = half.schemes();
            assert_eq!(schemes.len(), count, "{name}");
            for scheme in schemes {
                assert!(key.signing.choose_scheme(&[*scheme]).is_some(), "{name}");
            }
            assert_eq!(half.cost(), 400, "{name}: as any key of 2048 bits");
        }
    }

    #[test]
    fn public_half_offers_what_the_key_itself_offers() {
        for algorithm in [
            &rcgen::PKCS_ECDSA_P256_SHA256,
            &rcgen::PKCS_ECDSA_P384_SHA384,
            &rcgen::PKCS_ECDSA_P521_SHA512,
            &rcgen::PKCS_ED25519,
            &rcgen::PKCS_RSA_SHA256,
            &rcgen::PKCS_ML_DSA_44,
            &rcgen::PKCS_ML_DSA_65,
            &rcgen::PKCS_ML_DSA_87,
        ] {
            let key = key(algorithm);
            let half = PublicHalf::of(key.as_ref()).unwrap();
            let own: Vec<_> = SCHEMES
                .into_iter()
                .filter(|s| key.choose_scheme(&[*s]).is_some())
                .collect();
            assert_eq!(half.schemes(), own, "{algorithm:?}");
            let first = key.choose_scheme(&SCHEMES).unwrap().scheme();
            assert_eq!(half.schemes()[0], first, "{algorithm:?}");
        }
    }
}
