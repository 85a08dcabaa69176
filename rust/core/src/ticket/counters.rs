//! Counters: what every process counts in memory of its own, and what the parent publishes of all of them.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::os::fd::AsFd;

use crate::words::read_distant;

/// Declares the counters: one row is one counter, its name and its explanation.
macro_rules! counters {
    ($($name:ident $label:literal $help:literal)*) => {
        /// One counter of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each has its explanation in the table")]
        pub enum Counter { $($name),* }

        /// Every counter: itself, its name and its explanation.
        pub const ROWS: &[(Counter, &str, &str)] = &[$((Counter::$name, $label, $help)),*];
    };
}

counters! {
    Issued "tickets_issued" "tickets sent to clients"
    Accepted "tickets_accepted" "tickets that resumed a session"
    Malformed "tickets_refused_malformed" "tickets too short, or of a format unknown here"
    UnknownKey "tickets_refused_unknown_key" "tickets of a key never known here, or erased since"
    Forged "tickets_refused_forged" "tickets changed on their way, or made up"
    Expired "tickets_refused_expired" "tickets older than their lifetime"
    Future "tickets_refused_future" "tickets from a time still to come"
    OtherPolicy "tickets_refused_other_policy" "tickets of another policy, or of one changed since"
    OtherHost "tickets_refused_other_host" "tickets of another virtual host"
    ClientCertificate "tickets_refused_client_certificate" "tickets whose client certificate expired, or must be judged again"
    TooMany "tickets_refused_too_many" "tickets beyond those looked at in one handshake"
    Rotations "ticket_keys_made" "ticket keys begun"
    CacheStored "cache_stored" "sessions put into the session cache"
    CacheHits "cache_hits" "sessions resumed from the session cache"
    CacheMisses "cache_misses" "sessions asked for that the session cache did not have"
    CacheRefused "cache_refused" "sessions found in the session cache and not accepted"
    CacheFailures "cache_failures" "calls to the session cache that failed"
    BackendFull "backend_handshakes_full" "full handshakes with backends"
    BackendResumed "backend_handshakes_resumed" "handshakes with backends that resumed a session"
    BackendUntrusted "backend_failures_certificate" "handshakes that ended because a backend's certificate was refused"
    BackendDisagreed "backend_failures_negotiation" "handshakes with backends that have no version, suite, group or protocol in common with us"
    BackendRefused "backend_failures_alert" "handshakes that backends ended by another alert"
    BackendClosed "backend_failures_closed" "handshakes during which backends closed the connection"
    BackendSlow "backend_failures_timeout" "handshakes that backends did not go on with in time"
    BackendBroken "backend_failures_protocol" "handshakes in which backends broke the protocol, and all other failures"
}

/// Threads count in their own part of the page, so that they do not pull the same line from each other.
const SHARDS: usize = 16;

/// Words of a part; whole cache lines.
const SHARD_WORDS: usize = 32;

/// Words of the memory that one process counts in.
pub const PAGE_WORDS: usize = SHARDS * SHARD_WORDS;

/// In the first part, which place among the processes the page has; 0 for none.
const PLACE: usize = SHARD_WORDS - 1;

const _: () = assert!(ROWS.len() < SHARD_WORDS && SHARD_WORDS.is_multiple_of(8));

/// Processes whose counts are published; those beyond count for themselves alone.
const PROCESSES: usize = 1024;

/// Words of what the parent publishes of all processes.
pub const CHILDREN_WORDS: usize = PROCESSES * SHARD_WORDS;

/// The place of children that have ended, together.
const ENDED: usize = 0;

/// A view of the counters; copying it copies the view.
///
/// A child writes to a page of its own, which nobody else believes more of than what that child says it counted. The
/// parent collects what all children counted every few seconds.
#[derive(Debug, Clone, Copy)]
pub struct Counters {
    own: &'static [AtomicU64],
    published: &'static [AtomicU64],
}

impl Counters {
    /// A view of this process's page and of what is published; None when either has too few words.
    pub fn new(own: &'static [AtomicU64], published: &'static [AtomicU64]) -> Option<Self> {
        Some(Self {
            own: own.get(..PAGE_WORDS)?,
            published: published.get(..CHILDREN_WORDS)?,
        })
    }

    /// Says which place the parent gave this process's page.
    pub fn take_place(&self, place: u16) {
        if let Some(word) = self.own.get(PLACE) {
            word.store(u64::from(place), Ordering::Relaxed);
        }
    }

    /// Counts one.
    pub fn add(&self, counter: Counter) {
        let at = shard() * SHARD_WORDS + counter as usize;
        if let Some(word) = self.own.get(at) {
            word.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The sum over all threads of all processes since the memory was made: of this one as it is, of the others as of
    /// a few seconds ago.
    pub fn sum(&self, counter: Counter) -> u64 {
        let own = self.own.get(PLACE);
        let own = own.map_or(0, |word| word.load(Ordering::Relaxed));
        let others = self.published.chunks_exact(SHARD_WORDS).zip(0u64..);
        let others = others.filter(|(_, place)| *place != own || own == 0);
        let others = others.filter_map(|(part, _)| part.get(counter as usize));
        let others = others.fold(0, |sum: u64, word| {
            sum.wrapping_add(word.load(Ordering::Relaxed))
        });
        let own = self.own.iter().map(|word| word.load(Ordering::Relaxed));
        others.wrapping_add(sum_of(own, counter as usize))
    }
}

fn sum_of(page: impl Iterator<Item = u64>, counter: usize) -> u64 {
    page.skip(counter)
        .step_by(SHARD_WORDS)
        .fold(0, u64::wrapping_add)
}

/// What stands in a child's page, which the child may write and free at any moment.
pub fn page_of(memory: impl AsFd) -> Vec<u64> {
    let mut octets = vec![0; PAGE_WORDS * size_of::<u64>()];
    read_distant(memory, 0, &mut octets);
    let word = |octets: &[u8]| u64::from_ne_bytes(octets.try_into().unwrap_or_default());
    octets.chunks_exact(size_of::<u64>()).map(word).collect()
}

/// The parent's record of what all processes counted.
#[derive(Debug)]
pub(super) struct Tally {
    published: &'static [AtomicU64],
    taken: Vec<bool>,
    ended: [u64; ROWS.len()],
}

impl Tally {
    pub fn new(published: &'static [AtomicU64]) -> Option<Self> {
        let mut taken = vec![false; PROCESSES];
        *taken.get_mut(ENDED)? = true;
        Some(Self {
            published: published.get(..CHILDREN_WORDS)?,
            taken,
            ended: [0; ROWS.len()],
        })
    }

    /// A place for a process.
    pub fn take(&mut self) -> Option<u16> {
        let place = self.taken.iter().position(|taken| !taken)?;
        *self.taken.get_mut(place)? = true;
        u16::try_from(place).ok()
    }

    /// Publishes what a process counted.
    pub fn publish(&self, place: u16, page: &[u64]) {
        let sum = |counter| sum_of(page.iter().copied(), counter);
        self.show(usize::from(place), sum);
    }

    /// Keeps what a process counted that has ended, and frees its place.
    pub fn fold(&mut self, place: u16, page: &[u64]) {
        for (counter, sum) in self.ended.iter_mut().enumerate() {
            *sum = sum.wrapping_add(sum_of(page.iter().copied(), counter));
        }
        self.show(usize::from(place), |_| 0);
        let ended = self.ended;
        self.show(ENDED, |counter| ended.get(counter).copied().unwrap_or(0));
        if let Some(taken) = self.taken.get_mut(usize::from(place)) {
            *taken = false;
        }
    }

    fn show(&self, place: usize, value: impl Fn(usize) -> u64) {
        let part = self.published.chunks_exact(SHARD_WORDS).nth(place);
        let words = part.unwrap_or_default().iter().take(ROWS.len());
        for (counter, word) in words.enumerate() {
            word.store(value(counter), Ordering::Relaxed);
        }
    }
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

    fn seen(page: &[AtomicU64]) -> Vec<u64> {
        page.iter()
            .map(|word| word.load(Ordering::Relaxed))
            .collect()
    }

    #[test]
    fn sums_over_threads() {
        let counters = Counters::new(words(PAGE_WORDS), words(CHILDREN_WORDS)).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| (0..100).for_each(|_| counters.add(Counter::Issued)));
            }
        });
        assert_eq!(counters.sum(Counter::Issued), 4000);
        assert_eq!(counters.sum(Counter::Accepted), 0);
    }

    #[test]
    fn sums_over_processes_that_live_and_that_have_ended() {
        let published = words(CHILDREN_WORDS);
        let mut tally = Tally::new(published).unwrap();
        let mut child = || {
            let (page, place) = (words(PAGE_WORDS), tally.take().unwrap());
            let counters = Counters::new(page, published).unwrap();
            counters.take_place(place);
            counters.add(Counter::Issued);
            (counters, place, page)
        };
        let (one, two) = (child(), child());
        tally.publish(one.1, &seen(one.2));
        tally.publish(two.1, &seen(two.2));
        one.0.add(Counter::Issued);
        assert_eq!(one.0.sum(Counter::Issued), 3, "its own at once");
        assert_eq!(
            two.0.sum(Counter::Issued),
            2,
            "the other's when the parent looked"
        );
        tally.fold(one.1, &seen(one.2));
        assert_eq!(two.0.sum(Counter::Issued), 3);
        assert_eq!(tally.take(), Some(one.1), "its place is free");
    }

    #[test]
    fn a_child_that_writes_anything_is_believed_for_itself_alone() {
        let published = words(CHILDREN_WORDS);
        let mut tally = Tally::new(published).unwrap();
        let (page, honest) = (words(PAGE_WORDS), words(PAGE_WORDS));
        let (liar, place) = (tally.take().unwrap(), tally.take().unwrap());
        page.iter()
            .for_each(|word| word.store(u64::MAX, Ordering::Relaxed));
        let counters = Counters::new(honest, published).unwrap();
        counters.take_place(place);
        counters.add(Counter::Accepted);
        tally.publish(place, &seen(honest));
        tally.publish(liar, &seen(page));
        let said = 16u64.wrapping_mul(u64::MAX);
        assert_eq!(counters.sum(Counter::Accepted), said.wrapping_add(1));
        tally.fold(liar, &seen(page));
        assert_eq!(tally.take(), Some(liar));
    }

    #[test]
    fn places_run_out_without_harm() {
        let mut tally = Tally::new(words(CHILDREN_WORDS)).unwrap();
        assert_eq!(
            (0..2000).filter_map(|_| tally.take()).count(),
            PROCESSES - 1
        );
    }

    #[test]
    fn rows_stand_in_the_order_of_the_counters() {
        for (index, (counter, label, help)) in ROWS.iter().enumerate() {
            assert_eq!(*counter as usize, index);
            assert!(!label.is_empty() && !help.is_empty());
        }
    }
}
