//! Reading of one file that may hold a private key.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroU64;
use std::os::unix::fs::MetadataExt;

use zeroize::Zeroizing;

use super::problem::Fault;

/// Certificates and keys of one server are a few KiB; what is larger is some other file.
const MAX_FILE: u64 = 1 << 20;

/// Tells whether a file is the one that was read before. A symlink that now leads elsewhere gives another identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    /// Never 0, so that an absent identity takes no more room.
    inode: NonZeroU64,
    size: u64,
    /// Nanoseconds, as the next one: two of the same file differ by far less than they can hold.
    modified: i64,
    changed: i64,
}

impl Identity {
    /// Looks at the file without opening it.
    pub fn of(path: &str) -> io::Result<Identity> {
        std::fs::metadata(path).map(|m| Identity::from(&m))
    }
}

impl From<&std::fs::Metadata> for Identity {
    fn from(m: &std::fs::Metadata) -> Identity {
        let time = |seconds: i64, rest| seconds.wrapping_mul(1_000_000_000).wrapping_add(rest);
        Identity {
            device: m.dev(),
            inode: NonZeroU64::new(m.ino()).unwrap_or(NonZeroU64::MAX),
            size: m.size(),
            modified: time(m.mtime(), m.mtime_nsec()),
            changed: time(m.ctime(), m.ctime_nsec()),
        }
    }
}

/// The whole file in one buffer that is wiped when dropped and was never moved.
///
/// # Errors
/// A row of the fault table.
pub fn read(path: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let name = || path.to_owned();
    let unreadable = |e: io::Error| Fault::Unreadable {
        file: path.to_owned(),
        cause: cause(&e),
    };
    // Looked at before it is opened: opening a pipe would wait for who writes to it.
    let before = std::fs::metadata(path).map_err(unreadable)?;
    if !before.is_file() {
        let cause = if before.is_dir() {
            "it is a directory"
        } else {
            "it is no regular file"
        };
        return Err(Fault::Unreadable {
            file: name(),
            cause: cause.to_owned(),
        });
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    match metadata.len() {
        0 => return Err(Fault::Empty { file: name() }),
        length if length > MAX_FILE => return Err(Fault::TooLarge { file: name() }),
        _ => {}
    }
    let size = usize::try_from(metadata.len()).map_err(|_| Fault::TooLarge { file: name() })?;
    let mut bytes = Zeroizing::new(vec![0; size]);
    let mut have = 0;
    while let Some(room) = bytes.get_mut(have..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break, // cut while we read; the PEM reader will say so
            Ok(count) => have += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(unreadable(e)),
        }
    }
    bytes.truncate(have);
    Ok(bytes)
}

/// The system's words without Rust's "(os error 2)".
fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}
