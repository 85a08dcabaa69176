// SPDX-License-Identifier: Apache-2.0
//! Files of keys, and directories of them.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::keys::Key;
use super::pem;
use crate::system::file;
use crate::system::file::Limit;

/// What the names of files of keys end with.
pub(super) const SUFFIX: &str = "ech";

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
        last.len() >= front.len() + behind.len()
            && last.starts_with(front)
            && last.ends_with(behind)
    };
    let listed = file::list(directory).map(|paths| paths.into_iter().filter(fits).collect());
    let found: Vec<PathBuf> = match listed {
        Ok(found) => found,
        Err(refusal) => {
            problems.push(format!(
                "the directory {} cannot be read: {refusal}",
                directory.display()
            ));
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
/// A sentence.
pub(super) fn list(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let is_one = |path: &PathBuf| path.extension().is_some_and(|suffix| suffix == SUFFIX);
    match file::list(directory) {
        Ok(paths) => Ok(paths.into_iter().filter(is_one).collect()),
        Err(refusal) => {
            let name = directory.display();
            Err(format!("the directory {name} cannot be read: {refusal}"))
        }
    }
}

/// The same, the error one of several problems.
pub(super) fn in_directory(directory: &Path, problems: &mut Vec<String>) -> Vec<PathBuf> {
    list(directory).unwrap_or_else(|problem| {
        problems.push(problem);
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
            Err(problem) => problems.push(problem),
        }
    }
    all
}

/// The keys of a file.
pub(super) fn read(path: &Path, readers: Readers) -> Result<(Metadata, Vec<Key>), String> {
    const OTHERS: u32 = 0o007;
    let name = path.display();
    let content = file::read(path, Limit::CREDENTIAL)
        .map_err(|refusal| format!("the ECH key file {name} cannot be read: {refusal}"))?;
    let mode = content.metadata.permissions().mode();
    if readers == Readers::NoOthers && mode & OTHERS != 0 {
        return Err(format!(
            "others may read the ECH key file {name} (mode {:03o}): \"chmod o-rwx {name}\"",
            mode & 0o777
        ));
    }
    let keys = file::contained(|| pem::read(&content.bytes))
        .unwrap_or_else(|| Err(file::PANICKED.to_owned()))
        .map_err(|problem| format!("the ECH key file {name} {problem}"))?;
    Ok((content.metadata, keys))
}
