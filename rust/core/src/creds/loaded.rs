// SPDX-License-Identifier: Apache-2.0
//! What a pair of certificate and key was made of.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::certificate::Certificates;
use super::file_cache::StapleFile;
use super::key::PrivateKey;

/// What a pair was made of.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PairKey {
    pub(super) own: Shared<Certificates>,
    pub(super) key: Shared<PrivateKey>,
    pub(super) issuers: Option<(Shared<Certificates>, Issuers)>,
    pub(super) staple: Option<Shared<StapleFile>>,
}

/// The same only as itself. What has equal bytes is parsed once, so that this says whether files were equal.
#[derive(Debug)]
pub(super) struct Shared<T>(pub(super) Arc<T>);

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Eq for Shared<T> {}

impl<T> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// How the certificates behind the server's own are taken from a further file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Issuers {
    /// All but the first so many.
    Behind(usize),
    /// Those that issued the one before, as far as they are there.
    Among,
}
