// SPDX-License-Identifier: Apache-2.0
//! The one writer of the results: the fetcher.

use std::collections::HashSet;

use super::*;
use crate::system::words::store;

/// Where the kind of a verdict has the second in which it was found, behind kind and reason.
const FOUND_SHIFT: u32 = 16;

/// By what verdicts give way: whether one counts at `now`, and when it was found.
fn found_at(entry: &Words, now: i64) -> (bool, u64) {
    let word = |at| entry.get(at).map_or(0, load);
    (
        word(7).cast_signed() > now,
        word(5).wrapping_shr(FOUND_SHIFT),
    )
}

/// The writing side; the fetcher's alone. One that follows another goes on over what that one left.
#[derive(Debug)]
pub struct Writer {
    results: Results,
}

impl Writer {
    /// The writer of results, of lists too where there is memory for them.
    pub fn new(words: Words, lists: Option<Words>) -> Self {
        let results = Results::new(words);
        Self {
            results: lists.map_or(results, |lists| results.with_lists(lists)),
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

    /// Counts, in all and for the host of this number.
    pub fn count(&self, what: Count, host: usize) {
        let of_host = BY_HOST.saturating_add(host.min(OTHER_HOSTS).saturating_mul(COUNTS));
        for start in [COUNTED, of_host] {
            let word = self.results.words.get(start.saturating_add(what as usize));
            if let Some(word) = word {
                store(word, load(word).wrapping_add(1));
            }
        }
    }

    /// Says what is ordered now, and nothing else. What there is no room for is not said.
    pub(in crate::fetch) fn set_ordered(&self, ordered: &HashSet<Key>) {
        self.results.ordered.retain(|key| ordered.contains(&key));
        for key in ordered {
            self.results.ordered.put(*key, PRESENT, 0, 0, &[]);
        }
    }

    /// Keeps a verdict that was found at `now`. Where there is no room one that counts no longer gives way, else the one that
    /// was found first. What a responder says of its own times decides nothing here: who makes up certificates and answers
    /// would choose who gives way, and for how long.
    pub fn put_verdict(&self, key: Key, found: &Found, now: i64) {
        let entries = || self.results.verdicts.entries(key);
        let place = entries()
            .find(|entry| is_free(entry) || is_of(entry, key))
            .or_else(|| entries().min_by_key(|entry| found_at(entry, now)));
        let before = self.results.verdicts.find(key);
        let before = before
            .and_then(|([kind, _, _, when], _)| CertStatus::from_word(kind, when.cast_signed()));
        let is_revoked = |verdict: CertStatus| matches!(verdict, CertStatus::Revoked(..));
        let is_news = is_revoked(found.verdict) && !before.is_some_and(is_revoked);
        let (kind, when) = found.verdict.to_word();
        let numbers = [
            kind | now.cast_unsigned() << FOUND_SHIFT,
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
        let Stapled { from, until, .. } = *stapled;
        self.results
            .staples
            .put(key, PRESENT, from, until, &stapled.der)
    }

    /// Takes a response away.
    pub fn remove_staple(&self, key: Key) {
        self.results.staples.remove(key);
    }

    /// Keeps a list. False where there is no room, or it is too long.
    pub fn put_list(&self, key: Key, list: &FetchedList) -> bool {
        let FetchedList { from, until, .. } = *list;
        self.results.lists.put(key, PRESENT, from, until, &list.der)
    }

    /// Takes a list away.
    pub fn remove_list(&self, key: Key) {
        self.results.lists.remove(key);
    }
}
