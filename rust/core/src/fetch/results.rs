// SPDX-License-Identifier: Apache-2.0
//! What was fetched, for all processes of httpd: memory that the fetcher alone writes and all others have mapped to read.
//!
//! Two tables, both found by a key that is a hash: verdicts on certificates, small and many, of which the oldest gives way
//! where there is no room; and responses to staple, each in room of its own until it is taken away.
//! An entry begins with a number that is odd while the entry is written, so that a reader sees all of it as it was written
//! at one time, or nothing. A reader takes every word for one that a captured fetcher may have written.

use crate::system::words::{Words, load};

mod writer;
pub use writer::Writer;

/// Where the tables begin.
const HEAD: usize = 512;
/// Verdicts that are kept.
pub const VERDICTS: usize = 1 << 16;
/// Places in which an entry may lie; the work of a look and of an entry.
const VERDICT_PLACES: usize = 8;
const STAPLE_PLACES: usize = 32;
/// Number, key, kind, two times, and one more number.
const ENTRY: usize = 9;
/// Words of a response with its entry.
const STAPLE: usize = 2048;
/// Longest response that is stapled, in octets.
pub const LONGEST_STAPLE: usize = (STAPLE - ENTRY) * 8;
/// Responses that can be kept; a power of two.
pub const STAPLES: usize = 1 << 14;
/// How often a reader tries where the entry is just being written. Tests run every interleaving of one try: others are
/// like it.
const TRIES: usize = if cfg!(test) { 1 } else { 3 };

/// Words of the memory for so many responses.
pub const fn words_for(staples: usize) -> usize {
    HEAD + VERDICTS * ENTRY + staples * STAPLE
}

/// Where counts stand, behind the beat.
const COUNTED: usize = 1;

/// What is counted of asking responders, in the order in which it stands in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Questions that were put.
    Asked,
    /// Those that were answered over HTTP.
    Answered,
    /// No address was to be had for the responder's name.
    NoName,
    /// It could not be connected to, or the connection broke.
    Unreachable,
    /// It did not answer in time.
    Late,
    /// It led to where no certificate's address may.
    Inside,
    /// What came was no HTTP, too long, or of another status.
    Garbage,
    /// The answer was not believed.
    Refused,
}

/// How many there are.
pub const COUNTS: usize = Count::Refused as usize + 1;

/// Where the number of revocations stands.
const REVOCATIONS: usize = COUNTED + COUNTS;

/// What an entry is found by: a hash, so that nobody can choose where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub [u8; 32]);

impl Key {
    fn words(self) -> [u64; 4] {
        let mut words = [0; 4];
        for (word, octets) in words.iter_mut().zip(self.0.as_chunks::<8>().0) {
            *word = u64::from_be_bytes(*octets);
        }
        words
    }

    /// The places of a table of `count`, a power of two, in which its entry may lie.
    fn places(self, count: usize, most: usize) -> impl Iterator<Item = usize> {
        let [start, step, ..] = self.words();
        let within = move |value: u64| usize::try_from(value % (count as u64).max(1)).unwrap_or(0);
        (0..most.min(count) as u64)
            .map(move |n| within(start.wrapping_add(n.wrapping_mul(step | 1))))
    }
}

/// What is known of a certificate's revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertStatus {
    /// Not revoked.
    Good,
    /// Revoked since then (seconds since 1970), for a reason of RFC 5280 5.3.1.
    Revoked(i64, u8),
    /// The responder does not know it.
    Unknown,
    /// Nothing can be learned: the responder does not answer, or not so that it could be believed.
    Failed,
}

/// A verdict with its times, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What was found.
    pub verdict: CertStatus,
    /// When the responder said so.
    pub from: i64,
    /// Until when it counts.
    pub until: i64,
}

/// A response to staple, with its times in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stapled {
    /// The response as it is sent.
    pub der: Vec<u8>,
    /// From when on it is of use.
    pub from: i64,
    /// Until when.
    pub until: i64,
    /// It says only that the responder had no answer (RFC 6960 4.2.1).
    pub error: bool,
}

impl CertStatus {
    fn to_word(self) -> (u64, i64) {
        match self {
            CertStatus::Good => (1, 0),
            CertStatus::Revoked(when, reason) => (2 | (u64::from(reason) << 8), when),
            CertStatus::Unknown => (3, 0),
            CertStatus::Failed => (4, 0),
        }
    }

    fn from_word(word: u64, when: i64) -> Option<Self> {
        let [kind, reason, ..] = word.to_le_bytes();
        Some(match kind {
            1 => CertStatus::Good,
            2 => CertStatus::Revoked(when, reason),
            3 => CertStatus::Unknown,
            4 => CertStatus::Failed,
            _ => return None,
        })
    }
}

/// One table.
#[derive(Clone, Copy, Debug)]
struct Table {
    words: Words,
    stride: usize,
    places: usize,
}

impl Table {
    fn verdicts(words: Words) -> Self {
        let end = HEAD + VERDICTS * ENTRY;
        Self {
            words: words.get(HEAD..end).unwrap_or_default(),
            stride: ENTRY,
            places: VERDICT_PLACES,
        }
    }

    fn staples(words: Words) -> Self {
        let words = words.get(HEAD + VERDICTS * ENTRY..).unwrap_or_default();
        let count = words.len() / STAPLE;
        let power = count.checked_ilog2().map_or(0, |log| 1 << log);
        Self {
            words: words.get(..power * STAPLE).unwrap_or_default(),
            stride: STAPLE,
            places: STAPLE_PLACES,
        }
    }

    fn entry(&self, place: usize) -> Words {
        let start = place.saturating_mul(self.stride);
        let end = start.saturating_add(self.stride);
        self.words.get(start..end).unwrap_or_default()
    }

    fn entries(&self, key: Key) -> impl Iterator<Item = Words> {
        key.places(self.words.len() / self.stride, self.places)
            .map(|place| self.entry(place))
    }

    /// The entry of `key`: its four numbers, and the octets behind them if there are.
    fn find(&self, key: Key) -> Option<([u64; 4], Vec<u8>)> {
        for entry in self.entries(key) {
            match look(entry, key) {
                Look::Unused => return None,
                Look::Other => {}
                Look::Found(numbers, octets) => return Some((numbers, octets)),
            }
        }
        None
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

/// The reading side.
#[derive(Clone, Copy, Debug)]
pub struct Results {
    words: Words,
    verdicts: Table,
    staples: Table,
}

impl Results {
    /// Results in memory that is zero at first.
    pub fn new(words: Words) -> Self {
        Self {
            words,
            verdicts: Table::verdicts(words),
            staples: Table::staples(words),
        }
    }

    /// A number that grows as long as a fetcher is well.
    pub fn beat(&self) -> u64 {
        self.words.first().map_or(0, load)
    }

    /// What has been counted since httpd was started, by [`Count`].
    pub fn counts(&self) -> [u64; COUNTS] {
        let mut counts = [0; COUNTS];
        let words = self.words.iter().skip(COUNTED);
        counts
            .iter_mut()
            .zip(words)
            .for_each(|(count, word)| *count = load(word));
        counts
    }

    /// A number that grows whenever a certificate is found revoked that was not known to be.
    pub fn revocations(&self) -> u64 {
        self.words.get(REVOCATIONS).map_or(0, load)
    }

    /// The verdict under a key, if there is one that counts at `now` (seconds since 1970).
    pub fn verdict(&self, key: Key, now: i64) -> Option<Found> {
        let ([kind, from, until, when], _) = self.verdicts.find(key)?;
        let found = Found {
            verdict: CertStatus::from_word(kind, when.cast_signed())?,
            from: from.cast_signed(),
            until: until.cast_signed(),
        };
        (now < found.until).then_some(found)
    }

    /// The response under a key, if there is one of use at `now`.
    pub fn staple(&self, key: Key, now: i64) -> Option<Stapled> {
        let ([kind, from, until, _], der) = self.staples.find(key)?;
        let stapled = Stapled {
            der,
            from: from.cast_signed(),
            until: until.cast_signed(),
            error: kind == ERROR,
        };
        (kind != GONE && !stapled.der.is_empty() && now < stapled.until).then_some(stapled)
    }
}

/// Kinds of entries of responses.
const GONE: u64 = 0;
const RESPONSE: u64 = 1;
const ERROR: u64 = 2;

fn key_of(entry: &Words) -> Option<Key> {
    let mut key = [0; 32];
    let words = entry.get(1..5)?;
    for (octets, word) in key.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *octets = load(word).to_be_bytes();
    }
    Some(Key(key))
}

/// Whether an entry is that key's, also one that a writer left half written.
fn is_of(entry: &Words, key: Key) -> bool {
    key_of(entry) == Some(key)
}

#[cfg(test)]
#[path = "results_tests.rs"]
mod tests;
