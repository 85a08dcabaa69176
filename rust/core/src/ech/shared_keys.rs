//! Keys in memory that httpd's parent writes and its children read.
//!
//! A child copies all of it when it finds another number in front than last time, and believes the copy where that number
//! stood there before and after. While the parent writes, the number is odd; wherever it dies, children keep what they
//! have.

use zeroize::Zeroizing;

use super::keys::Keys;
use crate::system::words::{Words, load, store};

/// Words of the memory: [`super::keys::MOST`] keys of usual sizes, and more than that.
pub const WORDS: usize = 4096;

const NUMBER: usize = 0;
const LENGTH: usize = 1;
const HEADER: usize = 2;

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
    pub fn publish(&self, keys: &Keys) -> Result<(), String> {
        let bytes = keys.encode();
        let (Some([number, length]), Some(room)) =
            (self.words.first_chunk::<HEADER>(), self.words.get(HEADER..))
        else {
            return Err("there is no memory".to_owned());
        };
        if bytes.len() > 8 * room.len() {
            return Err(format!(
                "the ECH keys take {} octets, of which {} can be held: use fewer",
                bytes.len(),
                8 * room.len()
            ));
        }
        let before = load(number);
        store(number, before.wrapping_add(1) | 1);
        // What is shorter than before leaves nothing of it.
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
        store(number, (before | 1).wrapping_add(1));
        Ok(())
    }

    /// The number that what is there has now; 0 where nothing ever was.
    pub fn number(&self) -> u64 {
        self.words.get(NUMBER).map_or(0, load)
    }

    /// What is there, with its number; `None` where it is being written.
    pub fn read(&self) -> Option<(u64, Keys)> {
        let number = self.number();
        if number == 0 || number & 1 == 1 {
            return None;
        }
        let length = usize::try_from(load(self.words.get(LENGTH)?)).ok()?;
        let words = self.words.get(HEADER..)?.get(..length.div_ceil(8))?;
        let mut bytes = Zeroizing::new(vec![0; 8 * words.len()]);
        for (out, word) in bytes.chunks_exact_mut(8).zip(words) {
            out.copy_from_slice(&load(word).to_le_bytes());
        }
        if self.number() != number {
            return None;
        }
        let keys = Keys::decode(bytes.get(..length)?)?;
        Some((number, keys))
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::{Key, MOST};
    use super::*;
    use core::sync::atomic::AtomicU64;

    fn shared() -> SharedKeys {
        let words: Vec<AtomicU64> = (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        SharedKeys::new(Box::leak(words.into_boxed_slice())).unwrap()
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
        let private = few.iter().next().unwrap().private().to_vec();
        shared.publish(&few).unwrap();
        let (second, one) = shared.read().unwrap();
        assert_eq!((second > first, ids(&one)), (true, vec![1]));
        assert_eq!(one.iter().next().unwrap().private(), private);
        let used = shared.words.iter().filter(|word| load(word) != 0).count();
        assert!(used < 40, "{used} words are left");
        shared.publish(&Keys::default()).unwrap();
        assert!(shared.read().unwrap().1.is_empty());
        assert!(shared.words[HEADER..].iter().all(|word| load(word) == 0));
    }

    /// Wherever its writer is, or dies, a reader has all keys of before, all of now, or none.
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
        assert_eq!(found, [Some(vec![0, 1, 2]), None, Some(vec![10, 11])]);
    }
}
