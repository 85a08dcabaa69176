// SPDX-License-Identifier: Apache-2.0
//! Words of memory that another process has too.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use crate::system::words::read_distant;

/// What is read of memory that another process may change at any moment. A place that is not there reads as zero.
pub trait Look {
    /// Reads a word; what its writer wrote before is seen by what is read after.
    fn load(&self, at: usize) -> u32;
    /// Copies bytes out, from a word on, each of them read once.
    fn read(&self, at: usize, out: &mut [u8]);
}

/// What is written to memory by its one writer, be that several threads. A place that is not there takes no value.
pub trait Words: Look {
    /// Writes a word after all that was written before.
    fn store(&self, at: usize, value: u32);
    /// Writes a word where it is `old`.
    fn exchange(&self, at: usize, old: u32, new: u32) -> bool;
    /// Copies bytes in, from a word on.
    fn write(&self, at: usize, bytes: &[u8]);
}

impl Look for [AtomicU32] {
    fn load(&self, at: usize) -> u32 {
        self.get(at).map_or(0, |word| word.load(Ordering::Acquire))
    }

    fn read(&self, at: usize, out: &mut [u8]) {
        let words = self.get(at..).unwrap_or_default();
        for (four, word) in out.chunks_mut(4).zip(words) {
            let bytes = word.load(Ordering::Relaxed).to_ne_bytes();
            four.copy_from_slice(bytes.get(..four.len()).unwrap_or_default());
        }
        // What is looked at after the copy is not older than the copy.
        fence(Ordering::Acquire);
    }
}

impl Words for [AtomicU32] {
    fn store(&self, at: usize, value: u32) {
        if let Some(word) = self.get(at) {
            word.store(value, Ordering::Release);
        }
    }

    fn exchange(&self, at: usize, old: u32, new: u32) -> bool {
        let (good, bad) = (Ordering::AcqRel, Ordering::Acquire);
        self.get(at)
            .is_some_and(|word| word.compare_exchange(old, new, good, bad).is_ok())
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        // The copy is not older than what was written before it.
        fence(Ordering::Release);
        let words = self.get(at..).unwrap_or_default();
        for (four, word) in bytes.chunks(4).zip(words) {
            let mut whole = [0; 4];
            if let Some(part) = whole.get_mut(..four.len()) {
                part.copy_from_slice(four);
            }
            word.store(u32::from_ne_bytes(whole), Ordering::Relaxed);
        }
    }
}

/// Memory that is read and never mapped ([`read_distant`]).
#[derive(Debug)]
pub struct ByPread(OwnedFd);

impl ByPread {
    /// Memory by a descriptor that can be read.
    pub fn new(memory: OwnedFd) -> Self {
        Self(memory)
    }
}

impl Look for ByPread {
    fn load(&self, at: usize) -> u32 {
        let mut word = [0; 4];
        self.read(at, &mut word);
        u32::from_ne_bytes(word)
    }

    fn read(&self, at: usize, out: &mut [u8]) {
        let offset = u64::try_from(at).unwrap_or(u64::MAX).saturating_mul(4);
        read_distant(&self.0, offset, out);
        fence(Ordering::Acquire);
    }
}

/// Memory shared with another process, mapped for as long as the value lives.
pub trait Shared: Send + Sync {
    /// The memory. The process that writes it may change it at any moment.
    fn words(&self) -> &[AtomicU32];
}

/// Memory of another process that is read and never mapped.
pub trait Distant: Look + Send + Sync {}

impl<T: Look + Send + Sync> Distant for T {}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{MemfdFlags, memfd_create};
    use rustix::io::pwrite;

    #[test]
    fn bytes_come_back_and_nothing_is_written_beyond() {
        let memory: Vec<AtomicU32> = (0..6).map(|_| AtomicU32::new(u32::MAX)).collect();
        let words = memory.as_slice();
        words.write(1, b"abcdefghi");
        let mut out = [0; 9];
        words.read(1, &mut out);
        assert_eq!(&out, b"abcdefghi");
        assert_eq!((words.load(0), words.load(4)), (u32::MAX, u32::MAX));
        words.write(5, b"too long for it");
        let mut out = [7; 15];
        words.read(5, &mut out);
        assert_eq!(&out, b"too \x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07");
        words.store(99, 1);
        assert_eq!(words.load(99), 0);
        assert!(!words.exchange(99, 0, 1));
    }

    #[test]
    fn what_is_not_there_reads_as_zero() {
        let memory = memfd_create("mod_tls-test", MemfdFlags::CLOEXEC).unwrap();
        pwrite(&memory, &[1, 2, 3, 4, 5, 6], 8).unwrap();
        let distant = ByPread::new(memory);
        assert_eq!(distant.load(0), 0);
        assert_eq!(distant.load(2), u32::from_ne_bytes([1, 2, 3, 4]));
        let mut out = [9; 9];
        distant.read(2, &mut out);
        assert_eq!(out, [1, 2, 3, 4, 5, 6, 0, 0, 0]);
        assert_eq!((distant.load(1 << 40), distant.load(usize::MAX)), (0, 0));
        distant.read(usize::MAX, &mut out);
        assert_eq!(out, [0; 9]);
        let nothing = ByPread::new(std::fs::File::open("/").unwrap().into());
        assert_eq!(nothing.load(0), 0, "a directory cannot be read so");
    }
}
