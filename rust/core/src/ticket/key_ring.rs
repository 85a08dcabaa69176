// SPDX-License-Identifier: Apache-2.0
//! One sequence of keys in shared memory: a ring with a slot for each interval of time.
//!
//! The parent process alone writes ([`KeyRingWriter`]); everybody else has the memory mapped for reading ([`KeyRing`]). A slot
//! is a tag, which says whose key ring's and which interval's key it holds, and the words of a 256-bit key. The tag is
//! taken away before the words change and put back after: a reader that finds the same tag before and after it read
//! the words has the whole key of that key ring and interval, wherever the writer was meanwhile, and wherever it died.

use super::aead::KEY_LEN;
use crate::system::words::{load, store};
use core::sync::atomic::AtomicU64;
use zeroize::Zeroizing;

/// Intervals that a key ring remembers: a week of hours, the one running, the next two, and some to spare.
pub(super) const SLOTS: usize = 176;

/// Words of a key ring: its header and its slots.
pub(super) const KEY_RING_WORDS: usize = HEADER_WORDS + SLOTS * SLOT_WORDS;

const HEADER_WORDS: usize = 4;
const SLOT_WORDS: usize = 1 + KEY_WORDS;
const KEY_WORDS: usize = KEY_LEN / 8;

const ID: usize = 0;
const INTERVAL: usize = 1;
const RETIRES: usize = 2;

const EMPTY: u64 = 0;

/// A key as it leaves shared memory.
pub(super) type KeyBytes = Zeroizing<[u8; KEY_LEN]>;

/// A view of one key ring, which reads; copying it copies the view.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyRing {
    words: &'static [AtomicU64],
}

impl KeyRing {
    /// A view of `words`, of which [`KEY_RING_WORDS`] are used; None when there are fewer.
    pub(super) fn new(words: &'static [AtomicU64]) -> Option<Self> {
        words.get(..KEY_RING_WORDS).map(|words| Self { words })
    }

    /// What tickets name this key ring's keys by; 0 is a key ring never used.
    pub(super) fn id(&self) -> u32 {
        u32::try_from(self.word(ID)).unwrap_or(0)
    }

    /// Seconds that one key is the newest; at least 1.
    pub(super) fn interval(&self) -> u64 {
        self.word(INTERVAL).max(1)
    }

    /// Whether it is accepted at `now` (seconds since 1970).
    pub(super) fn is_alive(&self, now: u64) -> bool {
        is_alive(self.word(RETIRES), now)
    }

    /// The number of the interval that holds the time `now`.
    pub(super) fn epoch(&self, now: u64) -> u64 {
        now.checked_div(self.interval()).unwrap_or(0)
    }

    /// The key of the key ring `id` for `epoch`, if it is there and whole.
    pub(super) fn read(&self, id: u32, epoch: u64) -> Option<KeyBytes> {
        let tag = tag_of(id, epoch)?;
        let [tag_word, words @ ..] = slot(self.words, epoch)? else {
            return None;
        };
        if load(tag_word) != tag {
            return None;
        }
        let mut key = Zeroizing::new([0; KEY_LEN]);
        for (out, word) in key.chunks_exact_mut(8).zip(words) {
            out.copy_from_slice(&load(word).to_be_bytes());
        }
        // A word of another key was stored after the tag was taken away, and is seen after it.
        (load(tag_word) == tag).then_some(key)
    }

    fn word(&self, place: usize) -> u64 {
        self.words.get(place).map_or(0, load)
    }
}

/// The writer of a key ring. What it wrote it knows by itself: nothing is read back from the shared memory.
#[derive(Debug)]
pub(super) struct KeyRingWriter {
    words: &'static [AtomicU64],
    id: u32,
    interval: u64,
    retires: u64,
    /// Tags by slot.
    tags: Vec<u64>,
}

impl KeyRingWriter {
    /// The writer of a key ring that is all zero; None when there are fewer words than [`KEY_RING_WORDS`].
    pub(super) fn new(words: &'static [AtomicU64]) -> Option<Self> {
        Some(Self {
            words: words.get(..KEY_RING_WORDS)?,
            id: 0,
            interval: 1,
            retires: 0,
            tags: vec![EMPTY; SLOTS],
        })
    }

    /// Empties the key ring and gives it a new identity (0 for none) and a new length of intervals in seconds.
    pub(super) fn reset(&mut self, id: u32, interval: u64) {
        self.set(ID, 0);
        self.keep_only(1, 0);
        (self.id, self.interval, self.retires) = (id, interval.max(1), 0);
        self.set(INTERVAL, self.interval);
        self.set(RETIRES, self.retires);
        self.set(ID, u64::from(id));
    }

    /// What tickets name this key ring's keys by; 0 is a key ring that is not in use.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// Seconds that one key is the newest.
    pub(super) fn interval(&self) -> u64 {
        self.interval
    }

    /// When nothing of this key ring is accepted any more (seconds since 1970); 0 is "no end".
    pub(super) fn retires(&self) -> u64 {
        self.retires
    }

    /// Whether it is accepted at `now`.
    pub(super) fn is_alive(&self, now: u64) -> bool {
        is_alive(self.retires, now)
    }

    /// Sets the end of this key ring.
    pub(super) fn retire_at(&mut self, when: u64) {
        self.retires = when;
        self.set(RETIRES, when);
    }

    /// The number of the interval that holds the time `now`.
    pub(super) fn epoch(&self, now: u64) -> u64 {
        now.checked_div(self.interval).unwrap_or(0)
    }

    /// Whether the key of `epoch` has been written and not erased since.
    pub(super) fn has(&self, epoch: u64) -> bool {
        let tag = tag_of(self.id, epoch);
        tag.is_some() && place_of(epoch).and_then(|place| self.tags.get(place).copied()) == tag
    }

    /// Puts the key of `epoch` into its slot.
    pub(super) fn write(&mut self, epoch: u64, key: &[u8; KEY_LEN]) {
        let (Some(tag), Some(place)) = (tag_of(self.id, epoch), place_of(epoch)) else {
            return;
        };
        let (Some(known), Some([tag_word, words @ ..])) =
            (self.tags.get_mut(place), slot(self.words, epoch))
        else {
            return;
        };
        *known = tag;
        store(tag_word, EMPTY);
        for (word, bytes) in words.iter().zip(key.chunks_exact(8)) {
            store(word, word_of(bytes));
        }
        store(tag_word, tag);
    }

    /// Erases the keys of all intervals outside `first..=last`.
    pub(super) fn keep_only(&mut self, first: u64, last: u64) {
        for (known, slot) in self.tags.iter_mut().zip(slots(self.words)) {
            // The interval stands in the lower half.
            let epoch = (*known & u64::from(u32::MAX)).saturating_sub(1);
            if *known != EMPTY && !(first..=last).contains(&epoch) {
                *known = EMPTY;
                slot.iter().for_each(|word| store(word, EMPTY));
            }
        }
    }

    fn set(&self, place: usize, value: u64) {
        if let Some(word) = self.words.get(place) {
            store(word, value);
        }
    }
}

fn is_alive(retires: u64, now: u64) -> bool {
    retires == 0 || now < retires
}

/// Key ring and interval in one word, never [`EMPTY`]; None for times that no ticket can name.
fn tag_of(id: u32, epoch: u64) -> Option<u64> {
    let epoch = u32::try_from(epoch.checked_add(1)?).ok()?;
    Some(u64::from(id) << 32 | u64::from(epoch))
}

fn word_of(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

fn place_of(epoch: u64) -> Option<usize> {
    usize::try_from(epoch.checked_rem(SLOTS as u64)?).ok()
}

fn slots(words: &'static [AtomicU64]) -> impl Iterator<Item = &'static [AtomicU64]> {
    words
        .get(HEADER_WORDS..)
        .unwrap_or_default()
        .chunks_exact(SLOT_WORDS)
}

fn slot(words: &'static [AtomicU64], epoch: u64) -> Option<&'static [AtomicU64]> {
    slots(words).nth(place_of(epoch)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_ring() -> (KeyRing, KeyRingWriter) {
        let words: Vec<AtomicU64> = (0..KEY_RING_WORDS).map(|_| AtomicU64::new(0)).collect();
        let words: &'static [AtomicU64] = Box::leak(words.into_boxed_slice());
        let mut writer = KeyRingWriter::new(words).unwrap();
        writer.reset(9, 60);
        (KeyRing::new(words).unwrap(), writer)
    }

    #[test]
    fn keys_are_read_as_written_under_their_own_name_alone() {
        let (key_ring, mut writer) = key_ring();
        writer.write(4, &[7; KEY_LEN]);
        assert_eq!(*key_ring.read(9, 4).unwrap(), [7; KEY_LEN]);
        assert!(writer.has(4) && !writer.has(5));
        assert!(key_ring.read(8, 4).is_none() && key_ring.read(9, 5).is_none());
        assert!(key_ring.read(9, 4 + SLOTS as u64).is_none());
        assert!(key_ring.read(9, u64::MAX).is_none());
        writer.write(4 + SLOTS as u64, &[8; KEY_LEN]);
        assert!(key_ring.read(9, 4).is_none() && !writer.has(4));
    }

    #[test]
    fn erases_what_is_outside() {
        let (key_ring, mut writer) = key_ring();
        (10..20).for_each(|epoch| writer.write(epoch, &[1; KEY_LEN]));
        writer.keep_only(13, 15);
        for epoch in 10..20 {
            let kept = (13..=15).contains(&epoch);
            assert_eq!(key_ring.read(9, epoch).is_some(), kept, "epoch {epoch}");
        }
        let left = slots(key_ring.words)
            .flatten()
            .filter(|word| load(word) != 0);
        assert_eq!(left.count(), 3 * SLOT_WORDS);
    }

    #[test]
    fn reset_forgets_everything() {
        let (key_ring, mut writer) = key_ring();
        writer.write(4, &[7; KEY_LEN]);
        writer.retire_at(100);
        writer.reset(10, 30);
        assert!(slots(key_ring.words).flatten().all(|word| load(word) == 0));
        assert_eq!(
            (key_ring.id(), key_ring.interval(), key_ring.epoch(61)),
            (10, 30, 2)
        );
        assert!(key_ring.is_alive(100));
    }
}
