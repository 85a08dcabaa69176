// SPDX-License-Identifier: Apache-2.0
//! Tables of entries that are seen whole or not at all, in memory with one writer.

use super::key::Key;
use crate::system::words::{Words, load, store};

/// Number, key, kind, two times, and one more number.
pub(super) const ENTRY: usize = 9;
/// How often a reader tries where the entry is just being written. Tests run every interleaving of one try: others are
/// like it.
const TRIES: usize = if cfg!(test) { 1 } else { 3 };

/// The kind of what was taken away.
pub(super) const GONE: u64 = 0;

/// One table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    words: Words,
    stride: usize,
    places: usize,
}

impl Table {
    /// A table in `words`, of entries of `stride` words, each in one of so many places. The number of entries is a power
    /// of two.
    pub(super) fn new(words: Words, stride: usize, places: usize) -> Self {
        let count = words.len() / stride;
        let power = count.checked_ilog2().map_or(0, |log| 1 << log);
        Self {
            words: words.get(..power * stride).unwrap_or_default(),
            stride,
            places,
        }
    }

    fn entry(&self, place: usize) -> Words {
        let start = place.saturating_mul(self.stride);
        let end = start.saturating_add(self.stride);
        self.words.get(start..end).unwrap_or_default()
    }

    pub(super) fn entries(&self, key: Key) -> impl Iterator<Item = Words> {
        key.places(self.words.len() / self.stride, self.places)
            .map(|place| self.entry(place))
    }

    /// The four numbers of all entries that are not just written, for sums.
    pub(super) fn numbers(&self) -> impl Iterator<Item = [u64; 4]> {
        let written = |number: u64| number != 0 && number.is_multiple_of(2);
        self.words.chunks(self.stride).filter_map(move |entry| {
            let [number, _, _, _, _, numbers @ ..] = entry else {
                return None;
            };
            let [kind, from, until, last, ..] = numbers else {
                return None;
            };
            written(load(number)).then(|| [kind, from, until, last].map(load))
        })
    }

    /// The entry of `key`: its four numbers, and the octets behind them if there are.
    pub(super) fn find(&self, key: Key) -> Option<([u64; 4], Vec<u8>)> {
        for entry in self.entries(key) {
            match look(entry, key) {
                Look::Unused => return None,
                Look::Other => {}
                Look::Found(numbers, octets) => return Some((numbers, octets)),
            }
        }
        None
    }

    /// A number that changes whenever the entry of `key` is written; `None` where there is none, it was taken away, or it is
    /// just written.
    pub(super) fn version(&self, key: Key) -> Option<u64> {
        let entry = self
            .entries(key)
            .find(|entry| is_of(entry, key) && !is_gone(entry))?;
        entry.first().map(load).filter(|number| number % 2 == 0)
    }

    /// Writes octets under a key, into the place that it has or a free one. False where there is none, or not so much room.
    pub(super) fn put(&self, key: Key, kind: u64, from: i64, until: i64, octets: &[u8]) -> bool {
        if octets.len() > self.stride.saturating_sub(ENTRY) * 8 {
            return false;
        }
        let place = self
            .entries(key)
            .find(|entry| is_of(entry, key))
            .or_else(|| {
                self.entries(key)
                    .find(|entry| is_free(entry) || is_gone(entry))
            });
        let Some(entry) = place else {
            return false;
        };
        let times = [from.cast_unsigned(), until.cast_unsigned()];
        write(
            entry,
            key,
            [kind, times[0], times[1], octets.len() as u64],
            octets,
        );
        true
    }

    /// Takes away what is under all other keys than those.
    pub(super) fn retain(&self, which: impl Fn(Key) -> bool) {
        for place in 0..self.words.len() / self.stride {
            let entry = self.entry(place);
            if entry.first().is_none_or(|number| load(number) == 0) || is_gone(&entry) {
                continue;
            }
            if let Some(key) = key_of(&entry).filter(|key| !which(*key)) {
                write(entry, key, [GONE, 0, 0, 0], &[]);
            }
        }
    }

    /// Takes away what is under a key.
    pub(super) fn remove(&self, key: Key) {
        if let Some(entry) = self.entries(key).find(|entry| is_of(entry, key)) {
            write(entry, key, [GONE, 0, 0, 0], &[]);
        }
    }
}

enum Look {
    /// Nothing was ever written here, nor so in a place that comes later.
    Unused,
    Other,
    Found([u64; 4], Vec<u8>),
}

/// Reads an entry as it was at one time.
fn look(entry: Words, key: Key) -> Look {
    let [number, k0, k1, k2, k3, kind, from, until, last, octets @ ..] = entry else {
        return Look::Unused;
    };
    for _ in 0..TRIES {
        let before = load(number);
        if before == 0 {
            return Look::Unused;
        }
        if before % 2 == 1 {
            continue;
        }
        if [k0, k1, k2, k3].map(load) != key.words() {
            return Look::Other;
        }
        let numbers = [kind, from, until, last].map(load);
        let [.., length] = numbers;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut read = Vec::new();
        // What lies in the last number of a verdict is no length, and nothing lies behind it.
        if length <= octets.len() * 8 {
            let words = octets.iter().take(length.div_ceil(8));
            read.extend(words.flat_map(|word| load(word).to_ne_bytes()));
            read.truncate(length);
        }
        if load(number) == before {
            return Look::Found(numbers, read);
        }
    }
    Look::Other
}

/// Whether an entry was never written, or left half written by a writer that is gone.
pub(super) fn is_free(entry: &Words) -> bool {
    let number = entry.first().map(load);
    number.is_some_and(|number| number == 0 || number % 2 == 1)
}

/// Whether what was here was taken away.
fn is_gone(entry: &Words) -> bool {
    entry.get(5).is_some_and(|kind| load(kind) == GONE)
}

fn key_of(entry: &Words) -> Option<Key> {
    let mut key = [0; 32];
    let words = entry.get(1..5)?;
    for (octets, word) in key.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *octets = load(word).to_be_bytes();
    }
    Some(Key(key))
}

/// Whether an entry is that key's, also one that a writer left half written.
pub(super) fn is_of(entry: &Words, key: Key) -> bool {
    key_of(entry) == Some(key)
}

pub(super) fn write(entry: Words, key: Key, numbers: [u64; 4], octets: &[u8]) {
    let Some((number, rest)) = entry.split_first() else {
        return;
    };
    let writing = load(number) | 1;
    store(number, writing);
    let head = key.words().into_iter().chain(numbers);
    for (word, value) in rest.iter().zip(head) {
        // Most of it stays as it is where an entry is renewed.
        if load(word) != value {
            store(word, value);
        }
    }
    let words = rest.get(ENTRY - 1..).unwrap_or_default();
    for (word, part) in words.iter().zip(octets.chunks(8)) {
        let mut eight = [0; 8];
        eight
            .iter_mut()
            .zip(part)
            .for_each(|(to, from)| *to = *from);
        store(word, u64::from_ne_bytes(eight));
    }
    store(number, writing.wrapping_add(1));
}
