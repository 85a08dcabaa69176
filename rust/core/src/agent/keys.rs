//! The keys that a signer holds, by id and role, and what is public of a key.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::SignatureAlgorithm;
use rustls::SignatureScheme;
use rustls::sign::{Signer, SigningKey};

use super::shape;
use super::wire::{KeyId, Request, Role, Status};

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

/// Microseconds above which a signature counts as heavy.
const HEAVY: u32 = 300;

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
            SignatureAlgorithm::RSA => &SCHEMES[4..10],
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
        match (self.algorithm, self.spki.len()) {
            (SignatureAlgorithm::ECDSA, ..=91) | (SignatureAlgorithm::ED25519, _) => 25,
            (SignatureAlgorithm::ECDSA, ..=120) => 120,
            (SignatureAlgorithm::ECDSA, _) => 250,
            (SignatureAlgorithm::Unknown(_), ..=1334) => 110,
            (SignatureAlgorithm::Unknown(_), ..=1974) => 180,
            (SignatureAlgorithm::Unknown(_), _) => 230,
            (_, ..=300) => 400,
            (_, ..=430) => 1000,
            (_, ..=560) => 2000,
            _ => 14_000,
        }
    }
}

/// One key and what its signatures cost.
#[derive(Clone, Debug)]
struct Entry {
    key: Arc<dyn SigningKey>,
    cost: u32,
}

/// All keys of a signer.
#[derive(Clone, Debug, Default)]
pub struct KeyTable {
    entries: HashMap<(Role, KeyId), Entry>,
}

/// A request that passed every check: run it to get the signature.
pub struct Checked {
    signer: Box<dyn Signer>,
    /// About how long it takes, in microseconds.
    pub cost: u32,
}

impl Checked {
    /// Whether the signature takes so long that others may have to be protected from it.
    pub fn heavy(&self) -> bool {
        self.cost > HEAVY
    }

    /// Signs. An error of the key is [`Status::Failed`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Status> {
        self.signer.sign(message).map_err(|_| Status::Failed)
    }
}

impl KeyTable {
    /// Adds a key in a role; returns its public half, `None` (and adds nothing) when it has none.
    pub fn insert(&mut self, role: Role, key: Arc<dyn SigningKey>) -> Option<PublicHalf> {
        let half = PublicHalf::of(key.as_ref())?;
        self.entries.insert(
            (role, half.id()),
            Entry {
                key,
                cost: half.cost(),
            },
        );
        Some(half)
    }

    /// Takes a key away.
    pub fn remove(&mut self, role: Role, id: KeyId) {
        self.entries.remove(&(role, id));
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of the longest message that one of the keys signs: a proxy's client signs longer ones than a server. Of a
    /// table without keys it is a server's.
    pub fn longest_message(&self) -> usize {
        let roles = self.entries.keys().map(|(role, _)| role.max_message());
        roles.max().unwrap_or(0).max(Role::Server.max_message())
    }

    /// Whether a key is there in a role.
    #[cfg(test)]
    pub fn holds(&self, role: Role, key: &dyn SigningKey) -> bool {
        PublicHalf::of(key).is_some_and(|half| self.entries.contains_key(&(role, half.id())))
    }

    /// Judges a request: the key is known in that role, the scheme fits it, the message has a handshake's shape.
    pub fn check(&self, request: &Request<'_>) -> Result<Checked, Status> {
        let entry = self
            .entries
            .get(&(request.role, request.key))
            .ok_or(Status::UnknownKey)?;
        let signer = entry
            .key
            .choose_scheme(&[request.scheme])
            .ok_or(Status::WrongScheme)?;
        if !shape::allowed(request.role, request.message) {
            return Err(Status::WrongShape);
        }
        Ok(Checked {
            signer,
            cost: entry.cost,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::{key, server_message};

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

    #[test]
    fn requests_are_judged() {
        let mut table = KeyTable::default();
        let id = table
            .insert(Role::Server, key(&rcgen::PKCS_ECDSA_P256_SHA256))
            .unwrap()
            .id();
        let message = server_message(32);
        let good = Request {
            role: Role::Server,
            number: 1,
            scheme: SignatureScheme::ECDSA_NISTP256_SHA256,
            key: id,
            message: &message,
        };
        assert!(table.check(&good).unwrap().sign(&message).is_ok());
        let status = |request: Request<'_>| table.check(&request).err();
        assert_eq!(
            status(Request {
                key: KeyId([0; 32]),
                ..good.clone()
            }),
            Some(Status::UnknownKey)
        );
        assert_eq!(
            status(Request {
                role: Role::ProxyClient,
                ..good.clone()
            }),
            Some(Status::UnknownKey)
        );
        let scheme = SignatureScheme::RSA_PSS_SHA256;
        assert_eq!(
            status(Request {
                scheme,
                ..good.clone()
            }),
            Some(Status::WrongScheme)
        );
        assert_eq!(
            status(Request {
                message: b"a contract",
                ..good
            }),
            Some(Status::WrongShape)
        );
    }
}
