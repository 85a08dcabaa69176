// SPDX-License-Identifier: Apache-2.0
//! What one process counts, in memory that it alone writes to.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::os::fd::AsFd;
use std::time::Duration;

use crate::system::words::read_distant;

use super::buckets::{BUCKETS, HISTOGRAM_WORDS};
use super::table::{COUNTERS, Counter, HISTOGRAMS, Histogram};

/// Words that are counted in, one for each series and more for each histogram.
pub const COUNTED: usize = COUNTERS.len() + HISTOGRAMS * HISTOGRAM_WORDS;

/// Virtual hosts that are counted apart, and one for all others.
pub const HOSTS: usize = 1001;

/// The number of all those beyond them.
pub const OTHER_HOSTS: usize = HOSTS - 1;

/// Words of a virtual host: handshakes completed, and failed.
pub const HOST_WORDS: usize = 2;

/// Threads count in their own part of the page, so that they do not pull the same line from each other.
pub const SHARDS: usize = 16;

/// Words of a part; whole cache lines.
pub const SHARD_WORDS: usize = COUNTED.next_multiple_of(8);

/// Words of the memory that one process counts in.
pub const PAGE_WORDS: usize = SHARDS * SHARD_WORDS + HOSTS * HOST_WORDS;

/// The first word of a histogram.
pub(super) fn histogram_at(histogram: Histogram) -> usize {
    COUNTERS.len() + histogram as usize * HISTOGRAM_WORDS
}

/// A view of a process's page; copying it copies the view.
#[derive(Debug, Clone, Copy)]
pub struct Counters {
    page: &'static [AtomicU64],
}

impl Counters {
    /// A view of memory that this process alone writes to; None when it is too short.
    pub fn new(page: &'static [AtomicU64]) -> Option<Self> {
        Some(Self {
            page: page.get(..PAGE_WORDS)?,
        })
    }

    /// Counts `amount`. Any thread.
    pub fn add(&self, counter: Counter, amount: u64) {
        self.increase(counter as usize, amount);
    }

    /// Says how much a gauge shows of which this process alone knows. One thread.
    pub fn set(&self, gauge: Counter, value: u64) {
        if let Some(word) = self.page.get(gauge as usize) {
            word.store(value, Ordering::Relaxed);
        }
    }

    /// Notes how long something took.
    pub fn observe(&self, histogram: Histogram, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.partition_point(|(most, _)| *most < micros);
        let first = histogram_at(histogram);
        self.increase(first + bucket, 1);
        self.increase(first + BUCKETS.len() + 1, micros);
    }

    /// Counts a handshake of a virtual host; `host` is its number.
    pub fn count_host(&self, host: usize, completed: bool) {
        let at = SHARDS * SHARD_WORDS + host.min(OTHER_HOSTS) * HOST_WORDS;
        if let Some(word) = self.page.get(at + usize::from(!completed)) {
            word.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What this process counted.
    pub fn own(&self, counter: Counter) -> u64 {
        let words = self.page.iter().take(SHARDS * SHARD_WORDS);
        let words = words.skip(counter as usize).step_by(SHARD_WORDS);
        words.fold(0, |sum, word| {
            sum.wrapping_add(word.load(Ordering::Relaxed))
        })
    }

    /// The page as it is now.
    pub fn copy(&self) -> Vec<u64> {
        let words = self.page.iter();
        words.map(|word| word.load(Ordering::Relaxed)).collect()
    }

    fn increase(&self, at: usize, amount: u64) {
        if let Some(word) = self.page.get(shard() * SHARD_WORDS + at) {
            word.fetch_add(amount, Ordering::Relaxed);
        }
    }
}

/// What stands in a child's page, which the child may write and free at any moment.
pub fn page_of(memory: impl AsFd) -> Vec<u64> {
    let mut octets = vec![0; PAGE_WORDS * size_of::<u64>()];
    read_distant(memory, 0, &mut octets);
    let word = |octets: &[u8]| u64::from_ne_bytes(octets.try_into().unwrap_or_default());
    octets.chunks_exact(size_of::<u64>()).map(word).collect()
}

/// The part that this thread counts in. Children start from different ones: the process id spreads them.
fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static MINE: Cell<Option<usize>> = const { Cell::new(None) });
    MINE.with(|mine| {
        mine.get().unwrap_or_else(|| {
            let first = usize::try_from(std::process::id()).unwrap_or(0);
            let shard = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % SHARDS;
            mine.set(Some(shard));
            shard
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::ticket::keeper::testing::words;

    #[test]
    fn sums_over_threads() {
        let counters = Counters::new(words(PAGE_WORDS)).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| (0..100).for_each(|_| counters.add(Counter::Issued, 1)));
            }
        });
        assert_eq!(counters.own(Counter::Issued), 4000);
        assert_eq!(counters.own(Counter::Accepted), 0);
    }

    #[test]
    fn too_little_memory_is_no_page() {
        assert!(Counters::new(words(PAGE_WORDS - 1)).is_none());
    }
}
