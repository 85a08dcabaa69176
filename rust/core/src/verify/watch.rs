// SPDX-License-Identifier: Apache-2.0
//! Notices that files of CAs and of revocation lists have changed.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::load::{Reloaded, reload_lists};
use super::sources::Sources;
use super::verifier::Verifier;
use crate::system::file;
use crate::system::file::{FileIdentity, Refusal};
use crate::system::lock;
use crate::system::settling::Settling;

/// What tells one state of a file from another: symbolic links swapped, files replaced or rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    /// `None` where the file is gone, or nothing that could be read.
    state: Option<FileIdentity>,
}

/// Files of one verifier, as they were last seen.
#[derive(Debug, Default)]
pub struct SourcesWatch {
    sources: Sources,
    seen: Mutex<(Vec<Stamp>, Settling<Vec<Stamp>>)>,
}

impl SourcesWatch {
    /// Remembers the files as they are now.
    pub fn new(sources: Sources) -> Self {
        let stamps = stamps(&sources).unwrap_or_default();
        Self {
            sources,
            seen: Mutex::new((stamps, Settling::default())),
        }
    }

    /// Another one of the same files, as they were last seen here.
    pub(super) fn twin(&self) -> Self {
        let seen = lock(&self.seen).0.clone();
        Self {
            sources: self.sources.clone(),
            seen: Mutex::new((seen, Settling::default())),
        }
    }

    /// Whether files have changed, and two looks in a row have seen them alike since; true once for each change. Files that
    /// this process may not look at count as unchanged: they were read before it gave its privileges up.
    pub fn settled(&self) -> bool {
        let Some(now) = stamps(&self.sources) else {
            return false;
        };
        let mut seen = lock(&self.seen);
        let (known, settling) = &mut *seen;
        match settling.look(known, now) {
            Some(now) => *known = now,
            None => return false,
        }
        true
    }

    /// Reads the lists again if a file has changed since the last call, settled or not: a revocation does not wait, and where
    /// a list cannot be read, those of before stay in force. What is wrong is told once for each change.
    pub fn refresh(&self, verifier: &Verifier) -> Reloaded {
        let Some(now) = stamps(&self.sources) else {
            return Reloaded::default();
        };
        {
            let mut seen = lock(&self.seen);
            if seen.0 == now {
                return Reloaded::default();
            }
            seen.0 = now;
        }
        reload_lists(verifier, &self.sources)
    }
}

/// `None` where some file or directory must not be looked at.
fn stamps(sources: &Sources) -> Option<Vec<Stamp>> {
    let (directories, files) = sources.sorted();
    let mut stamps = Vec::new();
    for file in files {
        stamps.push(stamp(Path::new(file))?);
    }
    for directory in directories {
        for file in file::list(Path::new(directory)).ok()? {
            stamps.push(stamp(&file)?);
        }
    }
    Some(stamps)
}

fn stamp(path: &Path) -> Option<Stamp> {
    let state = match FileIdentity::of(path) {
        Ok(state) => file::may_read(path).then_some(Some(state))?,
        Err(Refusal::Forbidden) => return None,
        Err(_) => None,
    };
    Some(Stamp {
        path: path.to_owned(),
        state,
    })
}
