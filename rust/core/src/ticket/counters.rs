//! Counters in shared memory: what the status page sums over all children.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

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

/// Threads count in their own part of the memory, so that they do not pull the same line from each other.
const SHARDS: usize = 16;

/// Words of a part; whole cache lines.
const SHARD_WORDS: usize = 32;

const _: () = assert!(ROWS.len() <= SHARD_WORDS && SHARD_WORDS.is_multiple_of(8));

/// Words of shared memory that the counters take.
pub const COUNTER_WORDS: usize = SHARDS * SHARD_WORDS;

/// A view of the counters; copying it copies the view.
#[derive(Debug, Clone, Copy)]
pub struct Counters {
    words: &'static [AtomicU64],
}

impl Counters {
    /// A view of `words`, of which [`COUNTER_WORDS`] are used; None when there are fewer.
    pub fn new(words: &'static [AtomicU64]) -> Option<Self> {
        words.get(..COUNTER_WORDS).map(|words| Self { words })
    }

    /// Counts one.
    pub fn add(&self, counter: Counter) {
        let at = shard() * SHARD_WORDS + counter as usize;
        if let Some(word) = self.words.get(at) {
            word.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The sum over all threads of all processes since the memory was made.
    pub fn sum(&self, counter: Counter) -> u64 {
        let words = self
            .words
            .iter()
            .skip(counter as usize)
            .step_by(SHARD_WORDS);
        words.fold(0, |sum, word| {
            sum.wrapping_add(word.load(Ordering::Relaxed))
        })
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

    #[test]
    fn sums_over_threads() {
        let words: Vec<AtomicU64> = (0..COUNTER_WORDS).map(|_| AtomicU64::new(0)).collect();
        let counters = Counters::new(Box::leak(words.into_boxed_slice())).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| (0..100).for_each(|_| counters.add(Counter::Issued)));
            }
        });
        assert_eq!(counters.sum(Counter::Issued), 4000);
        assert_eq!(counters.sum(Counter::Accepted), 0);
    }

    #[test]
    fn rows_stand_in_the_order_of_the_counters() {
        for (index, (counter, label, help)) in ROWS.iter().enumerate() {
            assert_eq!(*counter as usize, index);
            assert!(!label.is_empty() && !help.is_empty());
        }
    }
}
