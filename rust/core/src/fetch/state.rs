// SPDX-License-Identifier: Apache-2.0
//! What was fetched, in files of httpd's parent: so it is there at once when httpd is started again.

use std::error::Error;
use std::fmt;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::results::{Key, LONGEST_LIST, LONGEST_STAPLE, Results};
use super::wants::Wants;
use crate::hex;
use crate::system::clock::now;
use crate::system::file::{self, DirectoryFault, Limit};
use crate::system::lock;

/// Files that nothing wants any more are removed beyond so many.
const MOST_FILES: usize = 32_768;

/// Octets of lists that an order brings along; others are fetched anew.
const MOST_KEPT: usize = 128 << 20;

fn path_of(directory: &Path, key: Key) -> PathBuf {
    directory.join(hex::lower(&key.0) + ".ocsp")
}

fn path_of_list(directory: &Path, key: Key) -> PathBuf {
    directory.join(hex::lower(&key.0) + ".crl")
}

/// Where lists are kept; nowhere in processes that are not httpd's parent, and before it says so.
static DIRECTORY: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Says where what is fetched is kept, before a configuration reads it. For httpd's parent; children say that it is nowhere.
pub fn set_directory(directory: Option<PathBuf>) {
    *lock(&DIRECTORY) = directory;
}

/// The list that was kept under a key, DER. Nobody has looked who signed it.
pub(crate) fn kept_list(key: Key) -> Option<Vec<u8>> {
    let directory = lock(&DIRECTORY).clone()?;
    prepare(&directory).ok()?;
    read_list(&directory, key)
}

fn read_list(directory: &Path, key: Key) -> Option<Vec<u8>> {
    let content = file::read(&path_of_list(directory, key), Limit(LONGEST_LIST as u64));
    content.ok().map(|content| content.bytes.to_vec())
}

/// Puts what was kept into wants. The fetcher judges it as if it had just come. Gives what is wrong with the directory.
pub fn fill(directory: &Path, wants: &mut Wants) -> Vec<String> {
    if directory.as_os_str().is_empty() || (wants.staples.is_empty() && wants.lists.is_empty()) {
        return Vec::new();
    }
    if let Err(problem) = prepare(directory) {
        return vec![problem.to_string()];
    }
    let limit = Limit(LONGEST_STAPLE as u64);
    for want in &mut wants.staples {
        if let Ok(content) = file::read(&path_of(directory, want.key), limit) {
            want.kept = content.bytes.to_vec();
        }
    }
    let mut room = MOST_KEPT;
    for want in &mut wants.lists {
        let kept = read_list(directory, want.key).filter(|kept| kept.len() <= room);
        want.kept = kept.unwrap_or_default();
        room = room.saturating_sub(want.kept.len());
    }
    sweep(directory, wants);
    Vec::new()
}

/// Puts what is among the results into wants, for a fetcher that follows another.
pub fn fill_from(results: Results, wants: &mut Wants) {
    let now = now();
    for want in &mut wants.staples {
        if let Some(stapled) = results.staple(want.key, now) {
            want.kept = stapled.der;
        }
    }
}

/// Puts lists that are among the results into wants that no file had anything for.
pub fn fill_lists_from(results: Results, wants: &mut Wants) {
    for want in wants.lists.iter_mut().filter(|want| want.kept.is_empty()) {
        want.kept = results.list(want.key).map_or(Vec::new(), |list| list.der);
    }
}

/// Removes the files that nothing wants, where there are many: what another configuration wanted may be wanted again.
fn sweep(directory: &Path, wants: &Wants) {
    let files = file::list(directory).unwrap_or_default();
    if files.len() <= MOST_FILES {
        return;
    }
    let staples = wants.staples.iter();
    let staples = staples.map(|want| path_of(directory, want.key));
    let lists = wants.lists.iter();
    let lists = lists.map(|want| path_of_list(directory, want.key));
    let wanted: std::collections::HashSet<PathBuf> = staples.chain(lists).collect();
    for path in files.iter().filter(|path| !wanted.contains(*path)) {
        let _ = std::fs::remove_file(path);
    }
}

/// Why what is fetched is not kept: a sentence that names the file or directory.
#[derive(Debug)]
pub enum StateFault {
    /// A file cannot be written.
    Unwritable(PathBuf, io::Error),
    /// The directory cannot be had.
    Directory(DirectoryFault),
    /// Others may write to the directory.
    Writable(PathBuf),
}

impl fmt::Display for StateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwritable(name, why) => {
                write!(f, "{} cannot be written: {why}", name.display())
            }
            Self::Directory(why) => why.fmt(f),
            Self::Writable(name) => write!(
                f,
                "others may write to the directory {0} for what is fetched, which is left alone: \"chmod 700 {0}\"",
                name.display()
            ),
        }
    }
}

impl Error for StateFault {}

/// Keeps a response that is among the results; without a directory, nothing.
///
/// # Errors
/// Its file cannot be written.
pub(super) fn keep(directory: &Path, key: Key, results: Results) -> Result<(), StateFault> {
    let path = path_of(directory, key);
    let of = || results.staple(key, now()).map(|stapled| stapled.der);
    write(directory, &path, of)
}

/// As [`keep`], of a list.
///
/// # Errors
/// Its file cannot be written.
pub(super) fn keep_list(directory: &Path, key: Key, results: Results) -> Result<(), StateFault> {
    let path = path_of_list(directory, key);
    write(directory, &path, || results.list(key).map(|list| list.der))
}

fn write(
    directory: &Path,
    path: &Path,
    of: impl FnOnce() -> Option<Vec<u8>>,
) -> Result<(), StateFault> {
    if directory.as_os_str().is_empty() {
        return Ok(());
    }
    let Some(der) = of() else {
        return Ok(());
    };
    file::replace(path, &der, 0o600).map_err(|error| StateFault::Unwritable(path.to_owned(), error))
}

/// The directory, made where it is not there. Nobody else may write to it: what is in it is sent to clients.
fn prepare(directory: &Path) -> Result<(), StateFault> {
    const OTHERS: u32 = 0o022;
    let metadata =
        file::own_directory(directory, "for what is fetched").map_err(StateFault::Directory)?;
    let own = metadata.uid() == rustix::process::geteuid().as_raw();
    if metadata.permissions().mode() & OTHERS != 0 || !own {
        return Err(StateFault::Writable(directory.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::results::{Stapled, Writer, words_for};
    use crate::ticket::keeper::testing::words;

    #[test]
    fn what_was_kept_comes_back() {
        let base = std::env::temp_dir().join(format!("mod_tls-fetch-{}", std::process::id()));
        let directory = base.join("state");
        let writer = Writer::new(words(words_for(1)), None);
        let stapled = |until| Stapled {
            der: vec![7; 9],
            from: 1,
            until,
        };
        let key = Key([0xab; 32]);
        prepare(&directory).unwrap();
        assert!(writer.put_staple(key, &stapled(1)));
        keep(&directory, key, writer.results()).unwrap();
        assert!(
            file::list(&directory).unwrap().is_empty(),
            "of no use later"
        );
        for _ in 0..2 {
            assert!(writer.put_staple(key, &stapled(i64::MAX)));
            keep(&directory, key, writer.results()).unwrap();
        }
        let files = file::list(&directory).unwrap();
        assert_eq!(files, [directory.join("ab".repeat(32) + ".ocsp")]);
        assert_eq!(std::fs::read(&files[0]).unwrap(), [7; 9]);
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(&directory, open).unwrap();
        let refused = prepare(&directory).unwrap_err().to_string();
        assert!(refused.contains("chmod 700"));
        std::fs::remove_dir_all(&base).unwrap();
    }
}
