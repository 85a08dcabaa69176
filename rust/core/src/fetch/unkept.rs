// SPDX-License-Identifier: Apache-2.0
//! What was fetched and has not been kept in files yet.

use std::collections::HashSet;
use std::path::Path;

use super::results::{Key, Results};
use super::state::{self, StateFault};
use super::wants::Wants;

/// Responses that are kept in files at one go: each is written through to the disk while httpd's parent waits.
const FILES_AT_ONCE: usize = 32;
/// The same of lists, which may be long.
const LISTS_AT_ONCE: usize = 1;

/// Keys of it, each once.
#[derive(Default)]
pub(super) struct Unkept {
    staples: HashSet<Key>,
    lists: HashSet<Key>,
}

impl Unkept {
    /// There is a new response.
    pub(super) fn add_staple(&mut self, key: Key) {
        self.staples.insert(key);
    }

    /// There is a new list.
    pub(super) fn add_list(&mut self, key: Key) {
        self.lists.insert(key);
    }

    /// Keeps some of it; why one cannot be. Only what the configuration wants: a captured fetcher may speak of anything, and
    /// another configuration may have been read meanwhile.
    pub(super) fn keep_some(
        &mut self,
        directory: &Path,
        wants: Option<&Wants>,
        results: Results,
    ) -> Vec<String> {
        let staples = wants.iter().flat_map(|wants| &wants.staples);
        let staples = staples.map(|want| want.key);
        let lists = wants.iter().flat_map(|wants| &wants.lists);
        let lists = lists.map(|want| want.key);
        let mut troubles = Vec::new();
        for key in wanted_of(&mut self.staples, staples, FILES_AT_ONCE) {
            troubles.extend(state::keep(directory, key, results).err());
        }
        for key in wanted_of(&mut self.lists, lists, LISTS_AT_ONCE) {
            troubles.extend(state::keep_list(directory, key, results).err());
        }
        troubles.iter().map(StateFault::to_string).collect()
    }
}

/// Takes at most so many out of those that wait; what is not wanted waits no longer.
fn wanted_of(
    waiting: &mut HashSet<Key>,
    wanted: impl Iterator<Item = Key>,
    most: usize,
) -> Vec<Key> {
    if waiting.is_empty() {
        return Vec::new();
    }
    let wanted: HashSet<Key> = wanted.collect();
    waiting.retain(|key| wanted.contains(key));
    some_of(waiting, most)
}

/// Takes at most so many out of those that wait.
fn some_of(waiting: &mut HashSet<Key>, most: usize) -> Vec<Key> {
    let some: Vec<Key> = waiting.iter().copied().take(most).collect();
    waiting.retain(|key| !some.contains(key));
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_a_few_at_a_time_and_each_once() {
        let mut waiting: HashSet<Key> = (0..100).chain(0..100).map(|n| Key([n; 32])).collect();
        let mut all = HashSet::new();
        while !waiting.is_empty() {
            let some = some_of(&mut waiting, FILES_AT_ONCE);
            assert!(some.len() <= FILES_AT_ONCE);
            all.extend(some);
        }
        assert_eq!(all.len(), 100);
    }
}
