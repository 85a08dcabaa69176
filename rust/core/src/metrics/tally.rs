// SPDX-License-Identifier: Apache-2.0
//! The parent's record of what all processes counted, and the sums that it publishes.
//!
//! A child may write anything into its page. What the parent alone counts is not read from it; each other number is
//! bounded, so far below 2^53 that a reader who computes with doubles sees the next one, and what a child counted before
//! is not taken back: it spoils nothing but the sums that it is part of.

use core::sync::atomic::AtomicU64;

use super::buckets::{BUCKETS, HISTOGRAM_WORDS};
use super::history::{self, FAILURES, HISTORY_WORDS, SAMPLED, Sample};
use super::page::{COUNTED, HOST_WORDS, HOSTS, SHARD_WORDS, SHARDS, histogram_at};
use super::table::{COUNTERS, Counter, FAMILIES, Histogram, Kind, Series};
use crate::system::words::{load, store};

/// Words that are summed: series, histograms and virtual hosts.
const SUMMED: usize = COUNTED + HOSTS * HOST_WORDS;

/// Words of what the parent publishes.
pub const PUBLISHED_WORDS: usize = SUMMED + HISTORY_WORDS;

/// More than any process counts of what happens.
const MOST: u64 = 1 << 40;

/// More octets, or microseconds, than any process counts.
const MOST_OF_MANY: u64 = 1 << 52;

/// More than any process has of what a gauge shows.
const MOST_AT_ONCE: u64 = 1 << 24;

/// What one process counted, as far as it was looked at.
#[derive(Debug, Default)]
pub struct Sums(Vec<u64>);

impl Sums {
    /// Takes in the page of a child, which may have anything in it: what the parent alone counts is left out.
    pub fn look_at_child(&mut self, mut page: Vec<u64>) {
        for series in of_parent() {
            let shards = page.chunks_mut(SHARD_WORDS).take(SHARDS);
            let words = shards.filter_map(|shard| shard.get_mut(series.counter as usize));
            words.for_each(|word| *word = 0);
        }
        self.look(&page);
    }

    /// Takes in a page, of which the end may be missing.
    pub fn look(&mut self, page: &[u64]) {
        let (shards, hosts) = page
            .split_at_checked(SHARDS * SHARD_WORDS)
            .unwrap_or((page, &[]));
        // Virtual hosts that nobody asked for take no memory.
        let used = hosts.iter().rposition(|word| *word != 0);
        let length = COUNTED + used.map_or(0, |last| last + 1).min(HOSTS * HOST_WORDS);
        if self.0.len() < length {
            self.0.resize(length, 0);
        }
        for (at, sum) in self.0.iter_mut().take(COUNTED).enumerate() {
            let words = shards.iter().skip(at).step_by(SHARD_WORDS);
            if is_gauge(at) {
                // Threads that end what others began have less than nothing.
                let now = words.fold(0, |sum: u64, word| sum.wrapping_add(*word));
                *sum = if now > MOST_AT_ONCE { 0 } else { now };
            } else {
                let now = words.fold(0, |sum: u64, word| sum.saturating_add(*word));
                *sum = now.min(most(at)).max(*sum);
            }
        }
        for (sum, word) in self.0.iter_mut().skip(COUNTED).zip(hosts) {
            *sum = (*word).min(MOST).max(*sum);
        }
    }
}

/// The series that the parent alone counts.
fn of_parent() -> impl Iterator<Item = &'static Series> {
    let families = FAMILIES.iter().filter(|family| family.by_parent);
    families.flat_map(|family| family.series)
}

/// More than any process counts at a place.
fn most(at: usize) -> u64 {
    const OCTETS: [Counter; 4] = [
        Counter::ReceivedFromClients,
        Counter::ReceivedFromBackends,
        Counter::SentToClients,
        Counter::SentToBackends,
    ];
    let microseconds = at
        .checked_sub(COUNTERS.len())
        .is_some_and(|at| at % HISTOGRAM_WORDS == HISTOGRAM_WORDS - 1);
    if microseconds || OCTETS.iter().any(|counter| *counter as usize == at) {
        MOST_OF_MANY
    } else {
        MOST
    }
}

fn is_gauge(at: usize) -> bool {
    COUNTERS
        .get(at)
        .is_some_and(|(_, kind)| *kind == Kind::Gauge)
}

/// The parent's hand on the published memory. One for each memory, for ever.
#[derive(Debug)]
pub struct Tally {
    totals: &'static [AtomicU64],
    history: &'static [AtomicU64],
    ended: Vec<u64>,
    sampled: u64,
}

impl Tally {
    /// Takes new memory, all zero; None when it is too short.
    pub fn new(words: &'static [AtomicU64]) -> Option<Self> {
        let (totals, history) = words.split_at_checked(SUMMED)?;
        Some(Self {
            totals,
            history: history.get(..HISTORY_WORDS)?,
            ended: vec![0; SUMMED],
            sampled: 0,
        })
    }

    /// Keeps what a process counted that has ended.
    pub fn end(&mut self, process: &Sums) {
        for (at, (sum, more)) in self.ended.iter_mut().zip(&process.0).enumerate() {
            if !is_gauge(at) {
                *sum = sum.saturating_add(*more);
            }
        }
    }

    /// Publishes what all processes counted, those of `running` and those that have ended; `now` is in seconds since
    /// 1970. Each number is written once, so that no reader sees less than before.
    pub fn publish<'a>(&mut self, now: u64, running: impl Iterator<Item = &'a Sums>) {
        let mut sums = self.ended.clone();
        for process in running {
            for (sum, more) in sums.iter_mut().zip(&process.0) {
                *sum = sum.saturating_add(*more);
            }
        }
        for (word, sum) in self.totals.iter().zip(&sums) {
            if load(word) != *sum {
                store(word, *sum);
            }
        }
        let value = |counter: &Counter| sums.get(*counter as usize).copied().unwrap_or(0);
        history::append(self.history, now, &mut self.sampled, |what| {
            let counters = SAMPLED.get(what).copied().unwrap_or_default();
            if what == FAILURES {
                failures().fold(0, |sum: u64, counter| sum.saturating_add(value(&counter)))
            } else {
                counters.iter().map(value).fold(0, u64::saturating_add)
            }
        });
    }
}

/// The series of failed handshakes with clients.
pub fn failures() -> impl Iterator<Item = Counter> {
    let family = FAMILIES
        .iter()
        .find(|family| family.name == "handshake_failures_total");
    family
        .into_iter()
        .flat_map(|family| family.series)
        .map(|series| series.counter)
}

/// The published sums, for whoever reads; copying it copies the view.
#[derive(Debug, Clone, Copy)]
pub struct Totals {
    totals: &'static [AtomicU64],
    history: &'static [AtomicU64],
}

/// What a histogram holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// How many took at most so long; the last one is all of them.
    pub cumulative: Vec<u64>,
    /// Seconds of all together, in millionths.
    pub micros: u64,
}

impl Totals {
    /// A view of memory that the parent's [`Tally`] writes to.
    pub fn new(words: &'static [AtomicU64]) -> Option<Self> {
        let (totals, history) = words.split_at_checked(SUMMED)?;
        Some(Self {
            totals,
            history: history.get(..HISTORY_WORDS)?,
        })
    }

    /// The sum over all processes since the memory was made, as of a few seconds ago.
    pub fn of(&self, counter: Counter) -> u64 {
        self.at(counter as usize)
    }

    /// What was measured.
    pub fn measured(&self, histogram: Histogram) -> Measured {
        let first = histogram_at(histogram);
        let mut sum = 0u64;
        let cumulative = (first..=first + BUCKETS.len()).map(|at| {
            sum = sum.saturating_add(self.at(at));
            sum
        });
        Measured {
            cumulative: cumulative.collect(),
            micros: self.at(first + HISTOGRAM_WORDS - 1),
        }
    }

    /// Handshakes of a virtual host, completed and failed.
    pub fn host(&self, number: usize) -> (u64, u64) {
        let first = COUNTED + number * HOST_WORDS;
        (self.at(first), self.at(first + 1))
    }

    /// The last hour.
    pub fn history(&self) -> Vec<Sample> {
        history::read(self.history)
    }

    fn at(&self, place: usize) -> u64 {
        self.totals.get(place).map_or(0, load)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::page::{Counters, PAGE_WORDS};
    use super::*;
    use crate::ticket::keeper::testing::words;

    fn looked(counters: &Counters) -> Sums {
        let mut sums = Sums::default();
        sums.look(&counters.copy());
        sums
    }

    fn page() -> Counters {
        Counters::new(words(PAGE_WORDS)).unwrap()
    }

    #[test]
    fn sums_over_processes_that_run_and_that_have_ended() {
        let memory = words(PUBLISHED_WORDS);
        let (mut tally, totals) = (Tally::new(memory).unwrap(), Totals::new(memory).unwrap());
        let (one, two) = (page(), page());
        one.add(Counter::Issued, 3);
        two.add(Counter::Issued, 4);
        two.count_host(7, true);
        two.count_host(7, false);
        two.count_host(99_999, true);
        two.observe(Histogram::Handshake, Duration::from_micros(700));
        tally.publish(1000, [looked(&one), looked(&two)].iter());
        assert_eq!(totals.of(Counter::Issued), 7);
        tally.end(&looked(&one));
        two.add(Counter::Issued, 1);
        tally.publish(1006, [looked(&two)].iter());
        assert_eq!(totals.of(Counter::Issued), 8);
        tally.end(&looked(&two));
        tally.publish(1007, [].iter());
        assert_eq!(totals.of(Counter::Issued), 8);
        assert_eq!(totals.host(7), (1, 1));
        assert_eq!(totals.host(HOSTS - 1), (1, 0));
        let measured = totals.measured(Histogram::Handshake);
        assert_eq!(measured.micros, 700);
        assert_eq!(measured.cumulative[3..5], [0, 1]);
        assert_eq!(measured.cumulative.last(), Some(&1));
        assert_eq!(totals.history().len(), 1);
    }

    #[test]
    fn a_gauge_is_what_runs_and_what_a_killed_child_had_is_gone() {
        let memory = words(PUBLISHED_WORDS);
        let (mut tally, totals) = (Tally::new(memory).unwrap(), Totals::new(memory).unwrap());
        let (one, two) = (page(), page());
        one.add(Counter::UnderWay, 1);
        // Begun by one thread and ended by another.
        std::thread::scope(|scope| {
            scope.spawn(|| two.add(Counter::UnderWay, 3));
            scope.spawn(|| two.add(Counter::UnderWay, u64::MAX));
        });
        tally.publish(1, [looked(&one), looked(&two)].iter());
        assert_eq!(totals.of(Counter::UnderWay), 3);
        tally.end(&looked(&two));
        tally.publish(2, [looked(&one)].iter());
        assert_eq!(totals.of(Counter::UnderWay), 1);
    }

    #[test]
    fn what_the_parent_alone_counts_no_child_can_say() {
        let mut liar = Sums::default();
        liar.look_at_child(vec![1 << 20; PAGE_WORDS]);
        let memory = words(PUBLISHED_WORDS);
        let (mut tally, totals) = (Tally::new(memory).unwrap(), Totals::new(memory).unwrap());
        tally.publish(1, [&liar].into_iter());
        let seen = COUNTERS
            .iter()
            .filter(|(counter, _)| totals.of(*counter) == 0);
        let seen: Vec<_> = seen.map(|(counter, _)| *counter).collect();
        let parents: Vec<_> = of_parent().map(|series| series.counter).collect();
        assert_eq!(seen, parents);
        for known in [
            Counter::AgentRefusal,
            Counter::SignerReplaced,
            Counter::ReloadRefused,
            Counter::FetchAnswered,
            Counter::Serving,
        ] {
            assert!(parents.contains(&known), "{known:?}");
        }
    }

    #[test]
    fn a_child_that_writes_anything_spoils_nothing_but_sums() {
        let memory = words(PUBLISHED_WORDS);
        let (mut tally, totals) = (Tally::new(memory).unwrap(), Totals::new(memory).unwrap());
        let honest = page();
        honest.add(Counter::Accepted, 5);
        let mut liar = Sums::default();
        liar.look(&vec![u64::MAX; PAGE_WORDS]);
        tally.publish(1, [looked(&honest), Sums::default()].iter());
        for second in 2..9000 {
            tally.end(&liar);
            if second % 1000 == 0 {
                tally.publish(second, [looked(&honest)].iter());
            }
        }
        assert_eq!(
            totals.of(Counter::SentToClients),
            u64::MAX,
            "and no overflow"
        );
        assert!(
            totals.of(Counter::Accepted) <= 9000 << 40,
            "thousands of liars leave room for one more in a double"
        );
        assert_eq!(totals.of(Counter::UnderWay), 0);
        // What was counted is not taken back, and a page may be short.
        let before = totals.of(Counter::Issued);
        liar.look(&[]);
        liar.look(&[1; 3]);
        tally.publish(10_000, [liar].iter());
        assert!(totals.of(Counter::Issued) >= before);
    }
}
