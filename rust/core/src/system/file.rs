// SPDX-License-Identifier: Apache-2.0
//! The one opener of every file that a configuration names: certificates, keys, lists, secrets, directories of them.
//!
//! Whoever may write beside such a file may put a pipe, a device or a loop of links in its place. Nothing here waits for
//! such a thing: a file is looked at first, opened without blocking, and judged again by its descriptor, so that what is
//! swapped in between is refused too. Regular files alone are read, links followed (certbot and Kubernetes use them), up
//! to a limit that each kind of file states. The linter forbids `File::open` and its like elsewhere.

mod log;

use std::error::Error;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::num::NonZeroU64;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, Mode, OFlags};
use zeroize::Zeroizing;

pub use log::{LogFault, check_log, open_log};

/// How much of a kind of file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub u64);

impl Limit {
    /// Certificates, keys and OCSP responses of one server are a few KiB.
    pub const CREDENTIAL: Self = Self(1 << 20);
    /// Bundles of authorities: those of a whole system are a quarter of a MiB.
    pub const AUTHORITIES: Self = Self(64 << 20);
    /// Revocation lists: the largest that public authorities publish are some 80 MiB in PEM.
    pub const LISTS: Self = Self(512 << 20);
    /// A pass phrase with what may stand behind its line.
    pub const PHRASE: Self = Self(64 << 10);
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            small if small < 1 << 20 => write!(f, "{small} octets"),
            large => write!(f, "{} MiB", large >> 20),
        }
    }
}

/// Why a file is not read; the text continues a sentence about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Neither file nor link, or a link that leads nowhere.
    Missing,
    /// This process may not read it, or not enter a directory above it.
    Forbidden,
    /// Links that lead in a circle.
    Loop,
    /// Something else than a regular file.
    Kind(&'static str),
    /// More octets than files of its kind have.
    TooLarge(Limit),
    /// What the system says of it.
    Other(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("No such file or directory"),
            Self::Forbidden if rustix::process::geteuid().is_root() => {
                f.write_str("Permission denied")
            }
            Self::Forbidden => f.write_str(
                "Permission denied (root reads it at a start, and this is another user: run it as root)",
            ),
            Self::Loop => f.write_str("its symbolic links lead in a circle"),
            Self::Kind(kind) => write!(f, "it is {kind}"),
            Self::TooLarge(limit) => write!(f, "it is larger than {limit}"),
            Self::Other(words) => f.write_str(words),
        }
    }
}

impl Error for Refusal {}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::PermissionDenied => Self::Forbidden,
            _ if error.raw_os_error() == Some(libc::ELOOP) => Self::Loop,
            // A socket or a pipe's end that came between the look and the opening.
            _ if error.raw_os_error() == Some(libc::ENXIO) => Self::Kind(PIPE),
            _ => Self::Other(words(&error)),
        }
    }
}

/// The system's words for an error, without Rust's "(os error 2)".
pub fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

const PIPE: &str = "no regular file, but a pipe";

/// A file as read: its bytes in one buffer, which is wiped when dropped, and its state.
#[derive(Debug)]
pub struct Content {
    /// All of it.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Owner, mode and identity, of the descriptor that was read.
    pub metadata: Metadata,
}

/// Opens a regular file for reading; never waits.
///
/// # Errors
/// Why not, by kind.
pub fn open(path: &Path) -> Result<(File, Metadata), Refusal> {
    // Looked at before it is opened: opening alone is felt by some devices and by who waits at a pipe.
    judge(&look(path)?)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from)?;
    let file = File::from(file);
    let metadata = file.metadata()?;
    judge(&metadata)?;
    Ok((file, metadata))
}

/// What stands at the end of the path's links, without opening it.
///
/// # Errors
/// Why it cannot be told.
pub fn look(path: &Path) -> Result<Metadata, Refusal> {
    Ok(std::fs::metadata(path)?)
}

/// Whether this process may read a file, as far as its mode tells, without opening it.
pub fn may_read(path: &Path) -> bool {
    rustix::fs::access(path, Access::READ_OK).is_ok()
}

/// Only regular files have an end that is reached at once.
fn judge(metadata: &Metadata) -> Result<(), Refusal> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    }
    Err(Refusal::Kind(if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        PIPE
    } else if kind.is_socket() {
        "no regular file, but a socket"
    } else {
        "no regular file, but a device"
    }))
}

/// The whole of a regular file; never waits, and reads at most the limit and one octet.
///
/// # Errors
/// Why not, by kind.
pub fn read(path: &Path, limit: Limit) -> Result<Content, Refusal> {
    let (mut file, metadata) = open(path)?;
    if metadata.len() > limit.0 {
        return Err(Refusal::TooLarge(limit));
    }
    let most = usize::try_from(limit.0).unwrap_or(usize::MAX - 1);
    // One octet more than there should be, so that a file that grows meanwhile is noticed.
    let mut room = usize::try_from(metadata.len()).unwrap_or(most).min(most) + 1;
    let mut bytes = Zeroizing::new(vec![0; room]);
    let mut have = 0;
    loop {
        let Some(free) = bytes.get_mut(have..).filter(|free| !free.is_empty()) else {
            if room > most {
                return Err(Refusal::TooLarge(limit));
            }
            // A new buffer, so that the old one is wiped.
            room = room.saturating_mul(2).min(most + 1);
            let mut larger = Zeroizing::new(vec![0; room]);
            if let Some(start) = larger.get_mut(..have) {
                start.copy_from_slice(&bytes);
            }
            bytes = larger;
            continue;
        };
        match file.read(free) {
            Ok(0) => break,
            Ok(count) => have += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
    bytes.truncate(have);
    Ok(Content { bytes, metadata })
}

/// Writes a file that is not there yet, whole or not at all: no reader ever finds a part of it under its name.
///
/// # Errors
/// What the system says; also that there is such a file.
pub fn write_new(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    // Fails where the name is taken, which rename(2) does not.
    write_beside(path, contents, mode, |beside| {
        std::fs::hard_link(beside, path)
    })
}

/// Writes a file, in the place of another one where there is one, whole or not at all.
///
/// # Errors
/// What the system says.
pub fn replace(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    write_beside(path, contents, mode, |beside| std::fs::rename(beside, path))
}

fn write_beside(
    path: &Path,
    contents: &[u8],
    mode: u32,
    name: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let mut other = path.as_os_str().to_owned();
    other.push(".new");
    let other = PathBuf::from(other);
    // What a process that died has left.
    let _ = std::fs::remove_file(&other);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let written = || {
        let file = rustix::fs::open(&other, flags, Mode::from_raw_mode(mode))?;
        let mut file = File::from(file);
        file.write_all(contents)?;
        file.sync_all()?;
        name(&other)
    };
    let written = written();
    let _ = std::fs::remove_file(&other);
    written
}

/// What stands in a directory, by name, each with its path; subdirectories and what is no regular file are left out.
///
/// # Errors
/// Why it cannot be listed.
pub fn list(directory: &Path) -> Result<Vec<PathBuf>, Refusal> {
    let entries = std::fs::read_dir(directory)?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if look(&path).is_ok_and(|metadata| metadata.is_file()) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Why a directory of the server's own cannot be had: a sentence that names it and what it is for.
#[derive(Debug)]
pub struct DirectoryFault {
    directory: PathBuf,
    purpose: &'static str,
    /// Whether it is there.
    made: bool,
    why: Refusal,
}

impl fmt::Display for DirectoryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, purpose, why) = (self.directory.display(), self.purpose, &self.why);
        let done = if self.made { "used" } else { "made" };
        write!(f, "the directory {name} {purpose} cannot be {done}: {why}")
    }
}

impl Error for DirectoryFault {}

/// A directory of the server's own, made for its user alone where it is not there. Gives what it is now: who may do
/// what in it is the caller's to judge. `purpose`: what it is for, such as "for ECH keys".
///
/// # Errors
/// It cannot be made, or not be looked at.
pub fn own_directory(directory: &Path, purpose: &'static str) -> Result<Metadata, DirectoryFault> {
    let fault = |made, why| DirectoryFault {
        directory: directory.to_owned(),
        purpose,
        made,
        why,
    };
    if !is_directory(directory) {
        let mut builder = std::fs::DirBuilder::new();
        let made = builder.mode(0o700).recursive(true).create(directory);
        made.map_err(|error| fault(false, Refusal::Other(error.to_string())))?;
    }
    look(directory).map_err(|refusal| fault(true, refusal))
}

/// Whether a path leads to a directory.
pub fn is_directory(path: &Path) -> bool {
    look(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Runs what makes something of a file's bytes. A panic there is that file's fault and nobody else's: `None`.
pub fn contained<R>(parse: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(parse)).ok()
}

/// What is said of a file after a panic.
pub const PANICKED: &str =
    "reading it met a fault of mod_tls itself; please report it, with the file if it may be shown";

/// Tells whether a file is the one that was read before. A symlink that now leads elsewhere gives another identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    device: u64,
    /// Never 0, so that an absent identity takes no more room.
    inode: NonZeroU64,
    size: u64,
    /// Nanoseconds, as the next one: two of the same file differ by far less than they can hold.
    modified: i64,
    changed: i64,
}

impl FileIdentity {
    /// Looks at the file without opening it.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub fn of(path: impl AsRef<Path>) -> Result<Self, Refusal> {
        look(path.as_ref()).map(|m| Self::from(&m))
    }
}

impl From<&Metadata> for FileIdentity {
    fn from(m: &Metadata) -> Self {
        let time = |seconds: i64, rest| seconds.wrapping_mul(1_000_000_000).wrapping_add(rest);
        Self {
            device: m.dev(),
            inode: NonZeroU64::new(m.ino()).unwrap_or(NonZeroU64::MAX),
            size: m.size(),
            modified: time(m.mtime(), m.mtime_nsec()),
            changed: time(m.ctime(), m.ctime_nsec()),
        }
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
