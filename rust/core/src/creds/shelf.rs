//! Parsed files, found again by path while the file's identity is the same, and by content whatever their path.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroizing;

use super::file::{self, Identity};
use super::problem::Fault;

/// SHA-256 of a file's bytes.
pub(super) type Digest = [u8; 32];

/// A file as read.
pub(super) struct FileBytes {
    identity: Identity,
    pub(super) digest: Digest,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl FileBytes {
    pub(super) fn read(path: &str) -> Result<FileBytes, Fault> {
        let (identity, bytes) = file::read(path)?;
        let mut sum = [0; 32];
        sum.copy_from_slice(digest(&SHA256, &bytes).as_ref());
        Ok(FileBytes {
            identity,
            digest: sum,
            bytes,
        })
    }
}

/// One kind of parsed file.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    by_path: HashMap<String, (Identity, Item<T>)>,
    by_content: HashMap<Digest, Arc<T>>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Shelf {
            by_path: HashMap::new(),
            by_content: HashMap::new(),
        }
    }
}

/// A parsed file with the digest of its bytes.
#[derive(Debug)]
pub(super) struct Item<T> {
    pub(super) digest: Digest,
    pub(super) value: Arc<T>,
}

impl<T> Clone for Item<T> {
    fn clone(&self) -> Self {
        Item {
            digest: self.digest,
            value: Arc::clone(&self.value),
        }
    }
}

impl<T> Shelf<T> {
    /// Forgets the files that are not named, and their contents.
    pub(super) fn keep(&mut self, named: &HashMap<String, Option<Identity>>) {
        self.by_path.retain(|path, _| named.contains_key(path));
        let used: HashSet<Digest> = self.by_path.values().map(|(_, item)| item.digest).collect();
        self.by_content.retain(|digest, _| used.contains(digest));
    }

    /// The file as parsed before, if it looks the same now.
    pub(super) fn known(&self, path: &str, now: Option<Identity>) -> Option<Item<T>> {
        let (identity, item) = self.by_path.get(path)?;
        (now? == *identity).then(|| item.clone())
    }

    /// What was parsed from equal bytes.
    pub(super) fn equal(&self, file: &FileBytes) -> Option<Arc<T>> {
        self.by_content.get(&file.digest).cloned()
    }

    /// Whether contents with this digest are remembered.
    pub(super) fn holds(&self, digest: &Digest) -> bool {
        self.by_content.contains_key(digest)
    }

    /// Remembers a parsed file.
    pub(super) fn add(&mut self, path: &str, file: &FileBytes, value: Arc<T>) -> Item<T> {
        self.by_content.insert(file.digest, Arc::clone(&value));
        let item = Item {
            digest: file.digest,
            value,
        };
        self.by_path
            .insert(path.to_owned(), (file.identity, item.clone()));
        item
    }
}
