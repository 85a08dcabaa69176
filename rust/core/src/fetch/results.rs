// SPDX-License-Identifier: Apache-2.0
//! What was fetched, for all processes of httpd: memory that the fetcher alone writes and all others have mapped to read.
//!
//! Three tables, that of lists in memory of its own which is made where lists are wanted. All are found by a key that is a hash: verdicts on certificates, small and many, of which the oldest gives way
//! where there is no room; revocation lists and responses to staple, each in room of its own until it is taken away.
//! An entry begins with a number that is odd while the entry is written, so that a reader sees all of it as it was written
//! at one time, or nothing. A reader takes every word for one that a captured fetcher may have written.

mod key;
mod table;
mod writer;

pub use key::Key;
use table::{ENTRY, GONE, Table, is_free, is_of, write};

pub use writer::Writer;

use crate::system::words::{Words, load};

/// Where the tables begin.
const HEAD: usize = 1024;
/// Verdicts that are kept.
pub const VERDICTS: usize = 1 << 16;
/// What was ordered that can be told; a power of two.
const ORDERED: usize = 1 << 13;
/// Places in which an entry may lie; the work of a look and of an entry.
const VERDICT_PLACES: usize = 8;
const ORDERED_PLACES: usize = 16;
const STAPLE_PLACES: usize = 32;
/// Words of a response with its entry.
const STAPLE: usize = 2048;
/// Longest response that is stapled, in octets.
pub const LONGEST_STAPLE: usize = (STAPLE - ENTRY) * 8;
/// Responses that can be kept; a power of two.
pub const STAPLES: usize = 1 << 14;
/// Revocation lists that can be kept; a power of two.
pub const LISTS: usize = 32;
/// For how many there is room where any is wanted.
const LEAST_ROOM: usize = 4;
/// Words of a list with its entry. Pages that nothing was written to take no memory.
const LIST: usize = if cfg!(test) { 512 } else { 4 << 20 };
/// Longest list that is fetched, in octets.
pub const LONGEST_LIST: usize = (LIST - ENTRY) * 8;

/// Words of the memory for so many responses.
pub const fn words_for(staples: usize) -> usize {
    HEAD + (VERDICTS + ORDERED) * ENTRY + staples * STAPLE
}

/// Words of the memory for so many lists.
pub const fn words_for_lists(count: usize) -> usize {
    count * LIST
}

/// For how many lists there is to be room where so many are wanted.
pub(super) fn room_for(wanted: usize) -> usize {
    match wanted {
        0 => 0,
        // Running children have this memory and no other, and files that change may name more lists.
        _ => wanted
            .saturating_mul(2)
            .clamp(LEAST_ROOM, LISTS)
            .next_power_of_two(),
    }
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

/// What is told of a count: [`Count`] without those that were put, and answers that were not believed apart from others.
pub type Outcomes = [(&'static str, u64); COUNTS - 1];

/// What came of what was counted.
pub fn outcomes(counts: [u64; COUNTS]) -> Outcomes {
    let [
        _,
        answered,
        no_name,
        unreachable,
        late,
        inside,
        garbage,
        refused,
    ] = counts;
    [
        ("answered", answered.saturating_sub(refused)),
        ("no_name", no_name),
        ("unreachable", unreachable),
        ("late", late),
        ("inside", inside),
        ("garbage", garbage),
        ("refused", refused),
    ]
}

/// Where the number of revocations stands.
const REVOCATIONS: usize = COUNTED + COUNTS;

/// Where counts by host begin: [`HOSTS`] times [`COUNTS`] of them.
const BY_HOST: usize = REVOCATIONS + 1;
/// Hosts that are asked and counted apart, and one for all others.
pub const HOSTS: usize = 65;
/// The number of all others.
pub const OTHER_HOSTS: usize = HOSTS - 1;
/// More than can have been counted: a captured fetcher may write anything.
const MOST: u64 = 1 << 40;
const _: () = assert!(BY_HOST + HOSTS * COUNTS <= HEAD);

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

/// What is held of verdicts, with times in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Certificates that are not revoked.
    pub good: u64,
    /// Those that are.
    pub revoked: u64,
    /// Those that their responder does not know.
    pub unknown: u64,
    /// Those of which nothing can be learned.
    pub failed: u64,
    /// When a responder said what was said first.
    pub oldest: Option<i64>,
    /// When the next one of them counts no longer.
    pub next_end: Option<i64>,
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
}

/// A revocation list, with its times in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedList {
    /// The list, DER.
    pub der: Vec<u8>,
    /// When it was made.
    pub from: i64,
    /// When there is to be another; `i64::MAX` where it does not say.
    pub until: i64,
}

impl CertStatus {
    fn to_word(self) -> (u64, i64) {
        match self {
            Self::Good => (1, 0),
            Self::Revoked(when, reason) => (2 | (u64::from(reason) << 8), when),
            Self::Unknown => (3, 0),
            Self::Failed => (4, 0),
        }
    }

    fn from_word(word: u64, when: i64) -> Option<Self> {
        let [kind, reason, ..] = word.to_le_bytes();
        Some(match kind {
            1 => Self::Good,
            2 => Self::Revoked(when, reason),
            3 => Self::Unknown,
            4 => Self::Failed,
            _ => return None,
        })
    }
}

/// The reading side.
#[derive(Clone, Copy, Debug)]
pub struct Results {
    words: Words,
    verdicts: Table,
    ordered: Table,
    lists: Table,
    staples: Table,
}

impl Results {
    /// Results in memory that is zero at first.
    pub fn new(words: Words) -> Self {
        let verdicts_end = (HEAD + VERDICTS * ENTRY).min(words.len());
        let (verdicts, rest) = words.split_at(verdicts_end);
        let (ordered, rest) = rest.split_at((ORDERED * ENTRY).min(rest.len()));
        Self {
            words,
            verdicts: Table::new(
                verdicts.get(HEAD..).unwrap_or_default(),
                ENTRY,
                VERDICT_PLACES,
            ),
            ordered: Table::new(ordered, ENTRY, ORDERED_PLACES),
            lists: Table::new(&[], LIST, LISTS),
            staples: Table::new(rest, STAPLE, STAPLE_PLACES),
        }
    }

    /// The same with lists in another memory, which is zero at first.
    #[must_use]
    pub fn with_lists(self, words: Words) -> Self {
        Self {
            lists: Table::new(words, LIST, LISTS),
            ..self
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

    /// The same of one host by its number.
    pub fn counts_of_host(&self, host: usize) -> [u64; COUNTS] {
        let mut counts = [0; COUNTS];
        let start = BY_HOST.saturating_add(host.min(OTHER_HOSTS).saturating_mul(COUNTS));
        let words = self.words.iter().skip(start);
        counts
            .iter_mut()
            .zip(words)
            .for_each(|(count, word)| *count = load(word).min(MOST));
        counts
    }

    /// Of verdicts that count at `now`: how many there are of each kind, when the first of them was said, and when the next
    /// one of them ends.
    pub fn verdicts_held(&self, now: i64) -> Held {
        let mut held = Held::default();
        for [kind, from, until, when] in self.verdicts.numbers() {
            let (from, until) = (from.cast_signed(), until.cast_signed());
            let Some(verdict) = CertStatus::from_word(kind, when.cast_signed()) else {
                continue;
            };
            if until <= now {
                continue;
            }
            let count = match verdict {
                CertStatus::Good => &mut held.good,
                CertStatus::Revoked(..) => &mut held.revoked,
                CertStatus::Unknown => &mut held.unknown,
                CertStatus::Failed => &mut held.failed,
            };
            *count = count.saturating_add(1);
            held.oldest = Some(held.oldest.map_or(from, |oldest: i64| oldest.min(from)));
            held.next_end = Some(held.next_end.map_or(until, |next: i64| next.min(until)));
        }
        held
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

    /// Whether this was ordered (see [`super::ordered`]).
    pub(super) fn is_ordered(&self, key: Key) -> bool {
        self.ordered
            .find(key)
            .is_some_and(|([kind, ..], _)| kind != GONE)
    }

    /// The response under a key, if there is one of use at `now`.
    pub fn staple(&self, key: Key, now: i64) -> Option<Stapled> {
        let ([kind, from, until, _], der) = self.staples.find(key)?;
        let stapled = Stapled {
            der,
            from: from.cast_signed(),
            until: until.cast_signed(),
        };
        (kind != GONE && !stapled.der.is_empty() && now < stapled.until).then_some(stapled)
    }

    /// The list under a key, whether or not it has expired.
    pub fn list(&self, key: Key) -> Option<FetchedList> {
        let ([kind, from, until, _], der) = self.lists.find(key)?;
        (kind != GONE && !der.is_empty()).then(|| FetchedList {
            der,
            from: from.cast_signed(),
            until: until.cast_signed(),
        })
    }

    /// A number that changes whenever the list under a key does; `None` where there is none.
    pub fn list_version(&self, key: Key) -> Option<u64> {
        self.lists.version(key)
    }
}

/// The kind of entries that hold something; 0 is [`GONE`].
const PRESENT: u64 = 1;

#[cfg(test)]
#[path = "results_tests.rs"]
mod tests;
