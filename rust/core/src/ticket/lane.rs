//! One sequence of keys in shared memory: a ring with a slot for each interval of time.
//!
//! A slot is a tag (which interval it holds) and the words of a 256-bit key. Two ways of filling it:
//!
//! * [`Lane::agree`]: any number of processes and threads at once, without a lock and without waiting for each other. Every
//!   word of a new key is set once, by whoever wins the exchange from zero; the key is what stands there when no word is zero.
//!   A process that dies half way leaves a slot that the next one completes.
//! * [`Lane::write`]: one writer, the parent process, with keys derived from a secret file.

use super::seal::KEY_LEN;
use core::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

/// Intervals that a lane remembers: a week of hours, the one running, the next two, and some to spare.
pub const SLOTS: usize = 176;

/// Words of a lane: its header and its slots.
pub const LANE_WORDS: usize = HEADER_WORDS + SLOTS * SLOT_WORDS;

const HEADER_WORDS: usize = 4;
const SLOT_WORDS: usize = 1 + KEY_WORDS;
const KEY_WORDS: usize = KEY_LEN / 8;

const ID: usize = 0;
const INTERVAL: usize = 1;
const RETIRES: usize = 2;

/// A key as it leaves shared memory.
pub type KeyBytes = Zeroizing<[u8; KEY_LEN]>;

/// A view of one lane; copying it copies the view.
#[derive(Debug, Clone, Copy)]
pub struct Lane {
    words: &'static [AtomicU64],
}

impl Lane {
    /// A view of `words`, of which [`LANE_WORDS`] are used; None when there are fewer.
    pub fn new(words: &'static [AtomicU64]) -> Option<Self> {
        words.get(..LANE_WORDS).map(|words| Self { words })
    }

    /// What tickets name this lane's keys by; 0 is a lane never used.
    pub fn id(&self) -> u32 {
        u32::try_from(self.words[ID].load(Ordering::Acquire)).unwrap_or(0)
    }

    /// Seconds that one key is the newest; at least 1.
    pub fn interval(&self) -> u64 {
        self.words[INTERVAL].load(Ordering::Acquire).max(1)
    }

    /// When nothing of this lane is accepted any more (seconds since 1970); 0 is "no end".
    pub fn retires(&self) -> u64 {
        self.words[RETIRES].load(Ordering::Acquire)
    }

    /// Sets the end of this lane.
    pub fn retire_at(&self, when: u64) {
        self.words[RETIRES].store(when, Ordering::Release);
    }

    /// Empties the lane and gives it a new identity. For the one writer of a lane.
    pub fn reset(&self, id: u32, interval: u64) {
        self.words[ID].store(0, Ordering::SeqCst);
        for slot in self.slots() {
            slot.clear();
        }
        self.words[INTERVAL].store(interval.max(1), Ordering::Release);
        self.words[RETIRES].store(0, Ordering::Release);
        self.words[ID].store(u64::from(id), Ordering::SeqCst);
    }

    /// The number of the interval that holds the time `now`.
    pub fn epoch(&self, now: u64) -> u64 {
        now / self.interval()
    }

    /// The key of `epoch`, if it is there and whole.
    pub fn read(&self, epoch: u64) -> Option<KeyBytes> {
        self.slot(epoch).read(tag_of(epoch))
    }

    /// The key of `epoch`, made now if nobody made it yet; all callers in all processes get the same one.
    /// The flag says that this call began a new key. None when there is no randomness.
    pub fn agree(
        &self,
        epoch: u64,
        random: impl Fn(&mut [u8]) -> bool,
    ) -> Option<(KeyBytes, bool)> {
        let (slot, tag) = (self.slot(epoch), tag_of(epoch));
        let mut began = false;
        for _ in 0..AGREE_TRIES {
            if let Some(key) = slot.read(tag) {
                return Some((key, began));
            }
            if slot.tag.load(Ordering::Acquire) != tag {
                began |= slot.claim(tag);
            }
            slot.fill(&random)?;
        }
        None
    }

    /// Puts the key of `epoch` into its slot. For the one writer of a lane.
    pub fn write(&self, epoch: u64, key: &[u8; KEY_LEN]) {
        let slot = self.slot(epoch);
        slot.tag.store(EMPTY, Ordering::SeqCst);
        for (word, bytes) in slot.words.iter().zip(key.chunks_exact(8)) {
            word.store(word_of(bytes), Ordering::Release);
        }
        slot.tag.store(tag_of(epoch), Ordering::SeqCst);
    }

    /// Erases the keys of all intervals outside `first..=last`; any process may.
    pub fn keep_only(&self, first: u64, last: u64) {
        for slot in self.slots() {
            let tag = slot.tag.load(Ordering::Acquire);
            if tag != EMPTY && !(tag_of(first)..=tag_of(last)).contains(&tag) {
                slot.erase(tag);
            }
        }
    }

    fn slot(&self, epoch: u64) -> Slot<'_> {
        let index = usize::try_from(epoch % SLOTS as u64).unwrap_or(0);
        let at = HEADER_WORDS + index * SLOT_WORDS;
        Slot::new(&self.words[at..at + SLOT_WORDS])
    }

    fn slots(&self) -> impl Iterator<Item = Slot<'_>> {
        self.words[HEADER_WORDS..]
            .chunks_exact(SLOT_WORDS)
            .map(Slot::new)
    }
}

/// Rounds of [`Lane::agree`]. One suffices unless others exchange the slot under our hands, which takes a clock that jumps.
const AGREE_TRIES: usize = 8;

const EMPTY: u64 = 0;

fn tag_of(epoch: u64) -> u64 {
    epoch.saturating_add(1)
}

fn word_of(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// One key and the tag that says whose it is.
struct Slot<'a> {
    tag: &'a AtomicU64,
    words: &'a [AtomicU64],
}

impl<'a> Slot<'a> {
    fn new(words: &'a [AtomicU64]) -> Self {
        Self {
            tag: &words[0],
            words: &words[1..],
        }
    }

    /// The key under `tag`; None when another stands here, or when it is not whole. The tag is read again after the words,
    /// so that a key exchanged meanwhile is not taken for this one.
    fn read(&self, tag: u64) -> Option<KeyBytes> {
        if self.tag.load(Ordering::Acquire) != tag {
            return None;
        }
        let mut key = Zeroizing::new([0; KEY_LEN]);
        for (out, word) in key.chunks_exact_mut(8).zip(self.words) {
            let word = word.load(Ordering::Acquire);
            if word == 0 {
                return None;
            }
            out.copy_from_slice(&word.to_be_bytes());
        }
        (self.tag.load(Ordering::Acquire) == tag).then_some(key)
    }

    /// Takes the slot from whatever it holds; true when it was this call that set the tag.
    fn claim(&self, tag: u64) -> bool {
        let old = self.tag.load(Ordering::Acquire);
        if old == tag || !self.wipe(old) {
            return false;
        }
        self.tag
            .compare_exchange(old, tag, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    fn erase(&self, tag: u64) {
        if self.wipe(tag) {
            let _ = self
                .tag
                .compare_exchange(tag, EMPTY, Ordering::AcqRel, Ordering::Acquire);
        }
    }

    /// Zeroes the words that stand under `tag`, and only those: each by exchange of the value seen while the tag held. A new
    /// key that another process puts here meanwhile has other words and stays.
    fn wipe(&self, tag: u64) -> bool {
        let mut seen = Zeroizing::new([0; KEY_WORDS]);
        for (seen, word) in seen.iter_mut().zip(self.words) {
            *seen = word.load(Ordering::Acquire);
        }
        if self.tag.load(Ordering::Acquire) != tag {
            return false;
        }
        for (word, old) in self.words.iter().zip(seen.iter()) {
            let _ = word.compare_exchange(*old, 0, Ordering::AcqRel, Ordering::Acquire);
        }
        true
    }

    /// Gives every word that is zero a random value, unless another process was first.
    fn fill(&self, random: &impl Fn(&mut [u8]) -> bool) -> Option<()> {
        let mut fresh: KeyBytes = Zeroizing::new([0; KEY_LEN]);
        if !random(&mut fresh[..]) {
            return None;
        }
        for (word, bytes) in self.words.iter().zip(fresh.chunks_exact(8)) {
            let _ = word.compare_exchange(0, word_of(bytes), Ordering::AcqRel, Ordering::Acquire);
        }
        Some(())
    }

    fn clear(&self) {
        self.tag.store(EMPTY, Ordering::SeqCst);
        for word in self.words {
            word.store(0, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
pub(crate) fn lane_for_test() -> Lane {
    let words: Vec<AtomicU64> = (0..LANE_WORDS).map(|_| AtomicU64::new(0)).collect();
    Lane::new(Box::leak(words.into_boxed_slice())).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::Barrier;

    fn random(out: &mut [u8]) -> bool {
        aws_lc_rs::rand::fill(out).is_ok()
    }

    #[test]
    fn agrees_on_one_key_however_many_race() {
        let lane = lane_for_test();
        for epoch in 0..300 {
            let barrier = Barrier::new(8);
            let results: Vec<(KeyBytes, bool)> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8)
                    .map(|_| {
                        scope.spawn(|| {
                            barrier.wait();
                            lane.agree(epoch, random).unwrap()
                        })
                    })
                    .collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().unwrap())
                    .collect()
            });
            let keys: HashSet<[u8; KEY_LEN]> = results.iter().map(|(key, _)| **key).collect();
            assert_eq!(keys.len(), 1, "epoch {epoch}");
            assert_eq!(
                results.iter().filter(|(_, began)| *began).count(),
                1,
                "epoch {epoch}"
            );
        }
    }

    #[test]
    fn completes_what_a_dead_process_left_half_done() {
        let lane = lane_for_test();
        let slot = lane.slot(7);
        assert!(slot.claim(tag_of(7)));
        slot.words[1].store(0x1234, Ordering::SeqCst);
        assert!(lane.read(7).is_none());
        let (key, _) = lane.agree(7, random).unwrap();
        assert_eq!(key[8..16], 0x1234u64.to_be_bytes());
    }

    #[test]
    fn a_late_wipe_spares_the_new_key() {
        let lane = lane_for_test();
        lane.agree(1, random).unwrap();
        let (slot, next) = (lane.slot(1), 1 + SLOTS as u64);
        lane.agree(next, random).unwrap();
        assert!(!slot.wipe(tag_of(1)));
        assert!(lane.read(next).is_some() && lane.read(1).is_none());
    }

    #[test]
    fn no_randomness_is_no_key() {
        assert!(lane_for_test().agree(3, |_| false).is_none());
    }

    #[test]
    fn erases_what_is_outside() {
        let lane = lane_for_test();
        for epoch in 10..20 {
            lane.agree(epoch, random).unwrap();
        }
        lane.keep_only(13, 15);
        for epoch in 10..20 {
            assert_eq!(
                lane.read(epoch).is_some(),
                (13..=15).contains(&epoch),
                "epoch {epoch}"
            );
        }
        let left = lane.slots().map(|slot| {
            slot.words
                .iter()
                .filter(|w| w.load(Ordering::SeqCst) != 0)
                .count()
        });
        assert_eq!(left.sum::<usize>(), 3 * KEY_WORDS);
    }

    #[test]
    fn reset_forgets_everything() {
        let lane = lane_for_test();
        lane.reset(9, 60);
        lane.write(4, &[7; KEY_LEN]);
        assert_eq!(*lane.read(4).unwrap(), [7; KEY_LEN]);
        lane.reset(10, 30);
        assert!(lane.read(4).is_none());
        assert_eq!((lane.id(), lane.interval(), lane.epoch(61)), (10, 30, 2));
    }
}
