//! Words of memory that another process may change at any moment.

use std::sync::atomic::{AtomicU32, Ordering, fence};

/// What the slots' protocol does to memory. A place that is not there reads as zero and takes no value.
pub trait Words {
    /// Reads a word; what its writer wrote before is seen.
    fn load(&self, at: usize) -> u32;
    /// Writes a word after all that was written before.
    fn store(&self, at: usize, value: u32);
    /// Writes a word, gives what it was.
    fn swap(&self, at: usize, value: u32) -> u32;
    /// Writes a word where it is `old`.
    fn exchange(&self, at: usize, old: u32, new: u32) -> bool;
    /// Sets bits of a word.
    fn set(&self, at: usize, bits: u32);
    /// Copies bytes out, each of them read once.
    fn read(&self, at: usize, out: &mut [u8]);
    /// Copies bytes in.
    fn write(&self, at: usize, bytes: &[u8]);
}

impl Words for [AtomicU32] {
    fn load(&self, at: usize) -> u32 {
        self.get(at).map_or(0, |word| word.load(Ordering::Acquire))
    }

    fn store(&self, at: usize, value: u32) {
        if let Some(word) = self.get(at) {
            word.store(value, Ordering::Release);
        }
    }

    fn swap(&self, at: usize, value: u32) -> u32 {
        self.get(at)
            .map_or(0, |word| word.swap(value, Ordering::AcqRel))
    }

    fn exchange(&self, at: usize, old: u32, new: u32) -> bool {
        let (good, bad) = (Ordering::AcqRel, Ordering::Acquire);
        self.get(at)
            .is_some_and(|word| word.compare_exchange(old, new, good, bad).is_ok())
    }

    fn set(&self, at: usize, bits: u32) {
        if let Some(word) = self.get(at) {
            word.fetch_or(bits, Ordering::AcqRel);
        }
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

    fn write(&self, at: usize, bytes: &[u8]) {
        // Nor is the copy older than what was written before it.
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!((words.load(99), words.swap(99, 1)), (0, 0));
        assert!(!words.exchange(99, 0, 1));
    }
}
