// SPDX-License-Identifier: Apache-2.0
//! Files that secrets are appended to.

use std::error::Error;
use std::fmt;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::{Refusal, is_directory, judge};

/// Why such a file is not written to: a sentence that names it, with a remedy where there is one.
#[derive(Debug)]
pub enum LogFault {
    /// It cannot be opened.
    Refused(PathBuf, Refusal),
    /// Others may read it; its mode.
    Open(PathBuf, u32),
    /// It has so many names.
    Linked(PathBuf, u64),
    /// It is the first user's; the second one is this process's.
    Foreign(PathBuf, u32, u32),
}

impl fmt::Display for LogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(name, why) => {
                write!(f, "{} cannot be opened for writing: {why}", name.display())
            }
            Self::Open(name, mode) => write!(
                f,
                "{0} is open to others (mode {mode:04o}), who would read connections: chmod 600 {0}",
                name.display()
            ),
            Self::Linked(name, names) => write!(
                f,
                "{} is one of {names} names of a file (hard links), which may be anybody's and would be written to: \
                 remove it",
                name.display()
            ),
            Self::Foreign(name, owner, user) => write!(
                f,
                "{0} belongs to another user (uid {owner}), who would read connections: remove it, or chown {user} {0}",
                name.display()
            ),
        }
    }
}

impl Error for LogFault {}

/// Opens a file that secrets are appended to, and makes it where there is none; never waits. It is this process's user's
/// alone, or it is refused: whoever reads it reads connections.
///
/// # Errors
/// What is wrong with it.
pub fn open_log(path: &Path) -> Result<File, LogFault> {
    let refused = |why: Refusal| LogFault::Refused(path.to_owned(), why);
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        judge_link(&metadata).map_err(refused)?;
    }
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW;
    let flags = flags | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let mode = Mode::RUSR | Mode::WUSR;
    let opened =
        rustix::fs::open(path, flags, mode).map_err(|e| refused(io::Error::from(e).into()))?;
    let file = File::from(opened);
    let metadata = file.metadata().map_err(|e| refused(e.into()))?;
    judge(&metadata).map_err(refused)?;
    judge_log(path, &metadata)?;
    Ok(file)
}

/// What is wrong with such a file, without making it.
///
/// # Errors
/// As of [`open_log`].
pub fn check_log(path: &Path) -> Result<(), LogFault> {
    let refused = |why: Refusal| LogFault::Refused(path.to_owned(), why);
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => {
            judge_link(&metadata).map_err(refused)?;
            judge_log(path, &metadata)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => match path.parent() {
            Some(directory) if !is_directory(directory) => Err(refused(Refusal::Missing)),
            _ => Ok(()),
        },
        Err(error) => Err(refused(error.into())),
    }
}

/// As [`judge`], of a path whose links are not followed: who may write beside it could have another file written to.
fn judge_link(metadata: &Metadata) -> Result<(), Refusal> {
    match metadata.is_symlink() {
        true => Err(Refusal::Kind(
            "a symbolic link, which is not followed for writing",
        )),
        false => judge(metadata),
    }
}

fn judge_log(path: &Path, metadata: &Metadata) -> Result<(), LogFault> {
    let name = || path.to_owned();
    if metadata.mode() & 0o077 != 0 {
        return Err(LogFault::Open(name(), metadata.mode() & 0o7777));
    }
    if metadata.nlink() > 1 {
        return Err(LogFault::Linked(name(), metadata.nlink()));
    }
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() != user {
        return Err(LogFault::Foreign(name(), metadata.uid(), user));
    }
    Ok(())
}
