// SPDX-License-Identifier: Apache-2.0
//! Keys in memory that httpd's parent writes and its children read.
//!
//! The memory has two halves, of which the number in front says which one counts. The parent writes the other half, then
//! the number, then wipes the half of before: wherever it is, or dies, children have all keys of before or all of now. A
//! child reads what is public when it finds another number than last time. Private keys stay here, in memory that is in no
//! core dump, and are copied for the moment in which a hello is decrypted: so those of before are gone from children too
//! as soon as others are there.

use std::ops::Range;
use std::sync::atomic::AtomicU64;

use zeroize::Zeroizing;

use super::fault::EchFault;
use super::keys::{Keys, Place};
use crate::system::words::{Words, load, store};

/// Words of the memory: twice [`super::keys::MOST`] keys of usual sizes, and more than that.
pub const WORDS: usize = 8192;

const NUMBER: usize = 0;
/// Words of a half: a length, and what is there.
const HALF: usize = (WORDS - 1) / 2;
/// How often a reader looks again whose half was wiped meanwhile.
const TRIES: usize = 8;

/// A view of the memory; copying it copies the view.
#[derive(Clone, Copy, Debug)]
pub struct SharedKeys {
    words: Words,
}

impl SharedKeys {
    /// A view of `words`; `None` where there are fewer than [`WORDS`].
    pub fn new(words: Words) -> Option<Self> {
        Some(Self {
            words: words.get(..WORDS)?,
        })
    }

    /// Puts keys in the place of those before. For the memory's one writer.
    ///
    /// # Errors
    /// They take too much room.
    pub fn publish(&self, keys: &Keys) -> Result<(), EchFault> {
        let bytes = keys.encode();
        let before = self.number();
        let next = before.wrapping_add(1);
        let (Some(number), Some([length, room @ ..]), Some(old)) =
            (self.words.get(NUMBER), self.half(next), self.half(before))
        else {
            return Err(EchFault::NoMemory);
        };
        let most = room.len().saturating_mul(8);
        if bytes.len() > most {
            return Err(EchFault::NoRoom(bytes.len(), most));
        }
        // What is shorter than what was there leaves nothing of it.
        let mut chunks = bytes.chunks(8);
        for word in room {
            let chunk = chunks.next().unwrap_or_default();
            let value = chunk
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
            store(word, value);
        }
        store(length, bytes.len() as u64);
        store(number, next);
        old.iter().for_each(|word| store(word, 0));
        Ok(())
    }

    /// The half that counts, or did, under a number.
    fn half(&self, number: u64) -> Option<&'static [AtomicU64]> {
        let start = match number & 1 {
            0 => 1,
            _ => 1 + HALF,
        };
        self.words.get(start..)?.get(..HALF)
    }

    /// The number that what is there has now; 0 where nothing ever was.
    pub fn number(&self) -> u64 {
        self.words.get(NUMBER).map_or(0, load)
    }

    /// What is there, with its number; `None` where nothing ever was. Private keys are not read.
    pub fn read(&self) -> Option<(u64, Keys)> {
        (0..TRIES).find_map(|_| {
            let number = self.number();
            if number == 0 {
                return None;
            }
            let length = usize::try_from(load(self.half(number)?.first()?)).ok()?;
            let read = |part| self.bytes(number, part);
            let keys = Keys::decode(length, read, |part| self.place(number, part));
            // What was read while others took its place is nothing.
            (self.number() == number).then_some((number, keys?))
        })
    }

    /// Octets of what is there under a number.
    fn bytes(&self, number: u64, range: Range<usize>) -> Option<Zeroizing<Vec<u8>>> {
        let words = self.half(number)?.get(1..)?;
        let words = words.get(range.start / 8..range.end.div_ceil(8))?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(range.len()));
        for (word, first) in words.iter().zip((range.start & !7..).step_by(8)) {
            let octets = Zeroizing::new(load(word).to_le_bytes());
            let octets = octets.iter().zip(first..);
            bytes.extend(octets.filter(|(_, at)| range.contains(at)).map(|(o, _)| *o));
        }
        Some(bytes)
    }

    /// A part of what stands there under `number`.
    pub(super) fn place(&self, number: u64, bytes: Range<usize>) -> Box<dyn Place> {
        Box::new(Part {
            shared: *self,
            number,
            bytes,
        })
    }
}

/// A part of what stands in the memory under a number.
struct Part {
    shared: SharedKeys,
    number: u64,
    bytes: Range<usize>,
}

impl Place for Part {
    fn read(&self) -> Option<Vec<u8>> {
        let mut bytes = self.shared.bytes(self.number, self.bytes.clone())?;
        let is_whole = self.shared.number() == self.number;
        is_whole.then(|| std::mem::take(&mut *bytes))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::keys::{Key, MOST};
    use super::*;

    pub(crate) fn words() -> Words {
        let words: Vec<AtomicU64> = (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        Box::leak(words.into_boxed_slice())
    }

    pub(crate) fn shared() -> SharedKeys {
        SharedKeys::new(words()).unwrap()
    }

    fn keys(ids: std::ops::Range<usize>) -> Keys {
        let key = |id| Key::generate("public.example", u8::try_from(id).unwrap(), 0).unwrap();
        Keys::new(ids.map(key).collect(), 1024).unwrap()
    }

    fn ids(keys: &Keys) -> Vec<u8> {
        keys.iter().map(|key| key.config().id).collect()
    }

    #[test]
    fn what_is_published_is_read_and_what_was_before_is_gone() {
        let shared = shared();
        assert!(shared.read().is_none());
        shared.publish(&keys(0..MOST)).unwrap();
        let (first, all) = shared.read().unwrap();
        assert_eq!(all.iter().count(), MOST);
        let few = keys(1..2);
        let private = few.iter().next().unwrap().private();
        let before = all.iter().next().unwrap();
        assert!(!before.private().is_empty());
        shared.publish(&few).unwrap();
        assert!(
            before.private().is_empty(),
            "gone from who has not looked since"
        );
        let (second, one) = shared.read().unwrap();
        assert_eq!((second > first, ids(&one)), (true, vec![1]));
        assert_eq!(one.iter().next().unwrap().private(), private);
        let used = shared.words.iter().filter(|word| load(word) != 0).count();
        assert!(used < 40, "{used} words are left");
        shared.publish(&Keys::default()).unwrap();
        assert!(shared.read().unwrap().1.is_empty());
        let used = shared.words.iter().filter(|word| load(word) != 0).count();
        assert_eq!(used, 2, "a number and a length");
    }

    /// Wherever its writer is, or dies, a reader has all keys of before or all of now.
    #[test]
    fn a_reader_never_has_a_mixture() {
        let shared = shared();
        shared.publish(&keys(0..3)).unwrap();
        let next = keys(10..12);
        let stores = crate::system::words::model::record(|| shared.publish(&next).unwrap());
        let mut found = Vec::new();
        for (word, value) in stores {
            found.push(shared.read().map(|(_, keys)| ids(&keys)));
            word.store(value, core::sync::atomic::Ordering::SeqCst);
        }
        found.push(shared.read().map(|(_, keys)| ids(&keys)));
        found.dedup();
        assert_eq!(found, [Some(vec![0, 1, 2]), Some(vec![10, 11])]);
    }
}
