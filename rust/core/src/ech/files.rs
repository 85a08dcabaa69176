// SPDX-License-Identifier: Apache-2.0
//! Files of keys, and directories of them.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::fault::{ContentsFault, EchFault};
use super::keys::Key;
use super::pem;
use crate::system::file;
use crate::system::file::Limit;

/// A file that was read.
pub(super) struct Found {
    pub path: PathBuf,
    pub metadata: Metadata,
    pub keys: Vec<Key>,
}

/// The files that a name means.
pub(super) fn matching(name: &Path, problems: &mut Vec<String>) -> Vec<PathBuf> {
    let last = name
        .file_name()
        .and_then(|last| last.to_str())
        .unwrap_or_default();
    let Some((front, behind)) = last.split_once('*') else {
        return vec![name.to_owned()];
    };
    let directory = name.parent().unwrap_or(Path::new("/"));
    let fits = |path: &PathBuf| {
        let last = path
            .file_name()
            .and_then(|last| last.to_str())
            .unwrap_or_default();
        last.len() >= front.len().saturating_add(behind.len())
            && last.starts_with(front)
            && last.ends_with(behind)
    };
    let listed = file::list(directory).map(|paths| paths.into_iter().filter(fits).collect());
    let found: Vec<PathBuf> = match listed {
        Ok(found) => found,
        Err(refusal) => {
            let fault = EchFault::Directory(directory.to_owned(), refusal);
            problems.push(fault.to_string());
            return Vec::new();
        }
    };
    if found.is_empty() {
        problems.push(format!("no file has a name like {}", name.display()));
    }
    found
}

/// The files of keys of a directory.
///
/// # Errors
/// It cannot be listed.
pub(super) fn list(directory: &Path) -> Result<Vec<PathBuf>, EchFault> {
    let is_one = |path: &PathBuf| {
        path.extension()
            .is_some_and(|suffix| suffix == super::SUFFIX)
    };
    match file::list(directory) {
        Ok(paths) => Ok(paths.into_iter().filter(is_one).collect()),
        Err(refusal) => Err(EchFault::Directory(directory.to_owned(), refusal)),
    }
}

/// The same, the error one of several problems. So is that there are none: a server without keys tells clients that names are
/// hidden here no longer, and they ask in the clear (RFC 9849 6.1.6).
pub(super) fn in_directory(directory: &Path, problems: &mut Vec<String>) -> Vec<PathBuf> {
    let paths = match list(directory) {
        Ok(paths) if paths.is_empty() => Err(EchFault::Empty(directory.to_owned())),
        listed => listed,
    };
    paths.unwrap_or_else(|problem| {
        problems.push(problem.to_string());
        Vec::new()
    })
}

/// Who may read a file of keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Its owner and group.
    NoOthers,
    /// Whoever can, as with mod_ssl.
    Anybody,
}

/// The keys of several files.
pub(super) fn read_all(
    paths: Vec<PathBuf>,
    readers: Readers,
    problems: &mut Vec<String>,
) -> Vec<Found> {
    let mut all = Vec::new();
    for path in paths {
        match read(&path, readers) {
            Ok((metadata, keys)) => all.push(Found {
                path,
                metadata,
                keys,
            }),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    all
}

/// The keys of a file.
///
/// # Errors
/// The file cannot be read, may be read by others than `readers`, or holds something else.
pub(super) fn read(path: &Path, readers: Readers) -> Result<(Metadata, Vec<Key>), EchFault> {
    const OTHERS: u32 = 0o007;
    let content = file::read(path, Limit::CREDENTIAL)
        .map_err(|refusal| EchFault::Unreadable(path.to_owned(), refusal))?;
    let mode = content.metadata.permissions().mode();
    if readers == Readers::NoOthers && mode & OTHERS != 0 {
        return Err(EchFault::Readable(path.to_owned(), mode & 0o777));
    }
    let keys = file::contained(|| pem::read(&content.bytes))
        .unwrap_or(Err(ContentsFault::Panicked))
        .map_err(|fault| EchFault::Contents(path.to_owned(), fault))?;
    Ok((content.metadata, keys))
}
