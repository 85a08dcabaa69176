// SPDX-License-Identifier: Apache-2.0
//! Keeps a cache that is down or slow from slowing every handshake.

use core::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Seconds that a cache is left alone after it failed.
const PAUSE: u64 = 5;

/// A call that takes longer counts as a failure of the next ones, though its answer is taken.
const SLOW: Duration = super::cache::TIMEOUT;

/// Open after a failure, for a few seconds; closed again when they are over. One per process.
#[derive(Debug, Default)]
pub(super) struct CircuitBreaker {
    open_until: AtomicU64,
}

impl CircuitBreaker {
    /// Whether calls are made at `now` (seconds since 1970). A clock set back ends a pause, too.
    pub(super) fn closed(&self, now: u64) -> bool {
        let until = self.open_until.load(Ordering::Relaxed);
        now >= until || until > now.saturating_add(PAUSE)
    }

    /// Makes the call, which returns success and its result, unless the circuit_breaker is open. None when it was not made or failed.
    pub(super) fn call<R>(&self, now: u64, call: impl FnOnce() -> (bool, R)) -> Option<R> {
        if !self.closed(now) {
            return None;
        }
        let start = Instant::now();
        let (good, result) = call();
        let took = start.elapsed();
        if !good || took > SLOW {
            let until = now.saturating_add(took.as_secs()).saturating_add(PAUSE);
            self.open_until.store(until, Ordering::Relaxed);
        }
        good.then_some(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_pauses_the_cache() {
        let circuit_breaker = CircuitBreaker::default();
        assert_eq!(circuit_breaker.call(100, || (true, 1)), Some(1));
        assert_eq!(circuit_breaker.call(100, || (false, 2)), None);
        assert_eq!(
            circuit_breaker.call(104, || -> (bool, i32) {
                unreachable!("the circuit_breaker is open")
            }),
            None
        );
        assert_eq!(circuit_breaker.call(105, || (true, 3)), Some(3));
    }

    #[test]
    fn a_clock_set_back_ends_the_pause() {
        let circuit_breaker = CircuitBreaker::default();
        assert_eq!(circuit_breaker.call(1_000_000, || (false, 1)), None);
        assert!(circuit_breaker.closed(10));
    }
}
