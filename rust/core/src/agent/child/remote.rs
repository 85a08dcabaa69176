// SPDX-License-Identifier: Apache-2.0
//! The child's side: a key whose signatures are made by the signer.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

use super::transport::Transport;
use crate::agent::protocol::public_key::PublicHalf;
use crate::agent::protocol::wire::{KeyId, Role};
use crate::creds::timed::timed;

/// A key of which this process holds the public half only.
#[derive(Clone)]
pub(crate) struct RemoteKey {
    half: Arc<PublicHalf>,
    id: KeyId,
    role: Role,
    transport: Arc<Transport>,
}

impl RemoteKey {
    /// The key of `half`, to be used in `role` over `transport`.
    pub(crate) fn new(half: PublicHalf, role: Role, transport: Arc<Transport>) -> Self {
        let id = half.id();
        Self {
            half: Arc::new(half),
            id,
            role,
            transport,
        }
    }
}

impl fmt::Debug for RemoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKey")
            .field("id", &self.id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl SigningKey for RemoteKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let scheme = *self
            .half
            .schemes()
            .iter()
            .find(|scheme| offered.contains(scheme))?;
        Some(Box::new(RemoteSigner {
            key: self.clone(),
            scheme,
        }))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(self.half.spki.as_slice()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.half.algorithm
    }
}

#[derive(Debug)]
struct RemoteSigner {
    key: RemoteKey,
    scheme: SignatureScheme,
}

impl Signer for RemoteSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let RemoteKey {
            role,
            id,
            transport,
            ..
        } = &self.key;
        timed(self.key.half.algorithm, || {
            transport
                .sign(*role, *id, self.scheme, message)
                .map_err(|error| rustls::Error::General(error.to_string()))
        })
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}
