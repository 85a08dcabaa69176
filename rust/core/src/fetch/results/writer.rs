// SPDX-License-Identifier: Apache-2.0
//! The one writer of the results: the fetcher.

use super::*;
use crate::system::words::store;

/// The writing side; the fetcher's alone. One that follows another goes on over what that one left.
#[derive(Debug)]
pub struct Writer {
    results: Results,
}

impl Writer {
    /// The writer of results.
    pub fn new(words: Words) -> Self {
        Self {
            results: Results::new(words),
        }
    }

    /// What readers see.
    pub fn results(&self) -> Results {
        self.results
    }

    /// Says that all is well.
    pub fn beat(&self) {
        if let Some(word) = self.results.words.first() {
            store(word, load(word).wrapping_add(1));
        }
    }

    /// Counts.
    pub fn count(&self, what: Count) {
        if let Some(word) = self.results.words.get(COUNTED + what as usize) {
            store(word, load(word).wrapping_add(1));
        }
    }

    /// Keeps a verdict; the one that was found first of all in its places gives way.
    pub fn put_verdict(&self, key: Key, found: &Found) {
        let age = |entry: &Words| entry.get(6).map_or(0, |from| load(from).cast_signed());
        let entries = || self.results.verdicts.entries(key);
        let place = entries()
            .find(|entry| is_free(entry) || is_of(entry, key))
            .or_else(|| entries().min_by_key(age));
        let before = self.results.verdicts.find(key);
        let before = before
            .and_then(|([kind, _, _, when], _)| CertStatus::from_word(kind, when.cast_signed()));
        let is_revoked = |verdict: CertStatus| matches!(verdict, CertStatus::Revoked(..));
        let is_news = is_revoked(found.verdict) && !before.is_some_and(is_revoked);
        let (kind, when) = found.verdict.to_word();
        let numbers = [
            kind,
            found.from.cast_unsigned(),
            found.until.cast_unsigned(),
            when.cast_unsigned(),
        ];
        if let Some(entry) = place {
            write(entry, key, numbers, &[]);
        }
        if let Some(word) = self.results.words.get(REVOCATIONS).filter(|_| is_news) {
            store(word, load(word).wrapping_add(1));
        }
    }

    /// Keeps a response. False where there is no room, or it is too long.
    pub fn put_staple(&self, key: Key, stapled: &Stapled) -> bool {
        if stapled.der.len() > LONGEST_STAPLE {
            return false;
        }
        let entries = || self.results.staples.entries(key);
        let place = entries()
            .find(|entry| is_of(entry, key))
            .or_else(|| entries().find(|entry| is_free(entry) || is_gone(entry)));
        let Some(entry) = place else {
            return false;
        };
        let numbers = [
            if stapled.error { ERROR } else { RESPONSE },
            stapled.from.cast_unsigned(),
            stapled.until.cast_unsigned(),
            stapled.der.len() as u64,
        ];
        write(entry, key, numbers, &stapled.der);
        true
    }

    /// Takes a response away.
    pub fn remove_staple(&self, key: Key) {
        let mut entries = self.results.staples.entries(key);
        if let Some(entry) = entries.find(|entry| is_of(entry, key)) {
            write(entry, key, [GONE, 0, 0, 0], &[]);
        }
    }
}

/// Whether an entry was never written, or left half written by a writer that is gone.
fn is_free(entry: &Words) -> bool {
    let number = entry.first().map(load);
    number.is_some_and(|number| number == 0 || number % 2 == 1)
}

/// Whether a response was taken away.
fn is_gone(entry: &Words) -> bool {
    entry.get(5).is_some_and(|kind| load(kind) == GONE)
}

fn write(entry: Words, key: Key, numbers: [u64; 4], octets: &[u8]) {
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
