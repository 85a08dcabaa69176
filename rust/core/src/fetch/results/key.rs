// SPDX-License-Identifier: Apache-2.0
//! What is found in the tables, and how.

/// What an entry is found by: a hash, so that nobody can choose where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub [u8; 32]);

impl Key {
    pub(super) fn words(self) -> [u64; 4] {
        let mut words = [0; 4];
        for (word, octets) in words.iter_mut().zip(self.0.as_chunks::<8>().0) {
            *word = u64::from_be_bytes(*octets);
        }
        words
    }

    /// The places of a table of `count`, a power of two, in which its entry may lie.
    pub(super) fn places(self, count: usize, most: usize) -> impl Iterator<Item = usize> {
        let [start, step, ..] = self.words();
        let within = move |value: u64| usize::try_from(value % (count as u64).max(1)).unwrap_or(0);
        (0..most.min(count) as u64)
            .map(move |n| within(start.wrapping_add(n.wrapping_mul(step | 1))))
    }
}
