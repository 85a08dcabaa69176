//! Where children learn of new certificates: an append-only file in memory, and one shared number that says how long
//! it is. The supervisor writes; parent and children hold a read-only descriptor and a read-only mapping.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::codec::{Reader, Writer};

/// Bytes at the front of the file, where the shared number lies.
pub const HEAD: u64 = 4096;

/// The reading side. One load of `end` tells whether there is anything new.
#[derive(Debug)]
pub struct Board {
    file: File,
    end: &'static AtomicU64,
}

/// The writing side; the supervisor's alone.
#[derive(Debug)]
pub struct BoardWriter {
    file: File,
    end: &'static AtomicU64,
}

/// One entry: what the virtual hosts with these indices of a configuration serve from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The configuration's generation; children of another one ignore the entry.
    pub generation: u64,
    /// Indices of the requests.
    pub hosts: Vec<u32>,
    /// As [`super::public::encode_set`] writes it.
    pub set: Vec<u8>,
}

impl Board {
    /// A board over the file and the mapping of its first bytes.
    pub fn new(file: File, end: &'static AtomicU64) -> Self {
        Self { file, end }
    }

    /// How long the board is; what lies before has been written completely.
    pub fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// The entries from `start` (0, or what [`Board::end`] said before) to `end`.
    pub fn read(&self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        let start = start.max(HEAD);
        let length = usize::try_from(end.saturating_sub(start)).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        let mut reader = Reader::new(&bytes);
        let mut entries = Vec::new();
        while !reader.is_empty() {
            let entry = (|| {
                Ok(Entry {
                    generation: reader.long()?,
                    hosts: reader.list(Reader::number)?,
                    set: reader.bytes()?.to_vec(),
                })
            })();
            entries
                .push(entry.map_err(|super::codec::Cut| io::Error::other("the board is damaged"))?);
        }
        Ok(entries)
    }
}

impl BoardWriter {
    /// The writer of a board. A supervisor that follows another one goes on where that one ended.
    pub fn new(file: File, end: &'static AtomicU64) -> Self {
        Self { file, end }
    }

    /// Appends entries; readers see all of them or none.
    pub fn append(&self, entries: &[Entry]) -> io::Result<()> {
        let mut writer = Writer::default();
        for entry in entries {
            writer.long(entry.generation);
            writer.list(&entry.hosts, |w, host| w.number(*host));
            writer.bytes(&entry.set);
        }
        let bytes = writer.into_bytes();
        let start = self.end.load(Ordering::Acquire).max(HEAD);
        self.file.write_all_at(&bytes, start)?;
        self.end
            .store(start + bytes.len() as u64, Ordering::Release);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_whole_entries_once() {
        let file =
            File::from(rustix::fs::memfd_create("board", rustix::fs::MemfdFlags::CLOEXEC).unwrap());
        let end: &'static AtomicU64 = Box::leak(Box::new(AtomicU64::new(0)));
        let board = Board::new(file.try_clone().unwrap(), end);
        let writer = BoardWriter::new(file, end);
        assert_eq!(board.end(), 0);
        assert_eq!(board.read(0, 0).unwrap(), []);
        let entry = |n: u8| Entry {
            generation: 1,
            hosts: vec![u32::from(n), 9],
            set: vec![n; 5000],
        };
        writer.append(&[entry(1), entry(2)]).unwrap();
        let first = board.end();
        assert_eq!(board.read(0, first).unwrap(), [entry(1), entry(2)]);
        writer.append(&[entry(3)]).unwrap();
        assert_eq!(board.read(first, board.end()).unwrap(), [entry(3)]);
        assert!(
            board.read(first - 3, board.end()).is_err(),
            "a wrong start is noticed"
        );
    }
}
