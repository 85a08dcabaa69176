// SPDX-License-Identifier: Apache-2.0
//! The keys that a signer holds, by id and role.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::sign::{Signer, SigningKey};

use super::message_check;
use crate::agent::protocol::public_key::PublicHalf;
use crate::agent::protocol::wire::{KeyId, Request, Role, Status};

/// Microseconds above which a signature counts as heavy.
const HEAVY: u32 = 300;

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

    /// Judges a request: the key is known in that role, the scheme fits it, the message is one that a handshake signs.
    pub fn check(&self, request: &Request<'_>) -> Result<Checked, Status> {
        let entry = self
            .entries
            .get(&(request.role, request.key))
            .ok_or(Status::UnknownKey)?;
        let signer = entry
            .key
            .choose_scheme(&[request.scheme])
            .ok_or(Status::WrongScheme)?;
        if !message_check::allowed(request.role, request.message) {
            return Err(Status::WrongMessage);
        }
        Ok(Checked {
            signer,
            cost: entry.cost,
        })
    }
}

#[cfg(test)]
mod tests {
    use rustls::SignatureScheme;

    use super::*;
    use crate::agent::testing::{key, server_message};

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
            Some(Status::WrongMessage)
        );
    }
}
