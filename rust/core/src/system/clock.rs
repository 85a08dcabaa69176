// SPDX-License-Identifier: Apache-2.0
//! The clock that people set, in whole seconds: for validity, lifetimes and ages. Tests can replace it.

use core::fmt::Debug;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970 (UTC); 0 where the clock stands before that.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// The time that is so far ahead, by the clock that nobody sets: some seconds or minutes, which any time has before it.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "the clock counts from the start of the machine"
)]
pub(crate) fn within(wait: Duration) -> Instant {
    Instant::now() + wait
}

/// Where lifetimes and key intervals get their time from.
pub trait Clock: Debug + Send + Sync {
    /// Seconds since 1970-01-01, UTC.
    fn now(&self) -> u64;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        now().cast_unsigned()
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::Clock;
    use core::fmt;
    use core::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex};

    type Watcher = Box<dyn Fn(u64) + Send>;

    /// A clock that a test turns by hand; clones show the same time.
    #[derive(Clone)]
    pub(crate) struct HandClock(Arc<AtomicU64>, Arc<Mutex<Vec<Watcher>>>);

    impl fmt::Debug for HandClock {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "HandClock({})", self.now())
        }
    }

    impl HandClock {
        pub(crate) fn at(now: u64) -> Self {
            Self(Arc::new(AtomicU64::new(now)), Arc::default())
        }

        /// Has `watcher` told whenever the clock is turned.
        pub(crate) fn when_turned(&self, watcher: impl Fn(u64) + Send + 'static) {
            self.1.lock().unwrap().push(Box::new(watcher));
        }

        pub(crate) fn set(&self, now: u64) {
            self.0.store(now, Ordering::SeqCst);
            self.1.lock().unwrap().iter().for_each(|tell| tell(now));
        }

        pub(crate) fn advance(&self, seconds: u64) {
            self.set(self.now() + seconds);
        }
    }

    impl Clock for HandClock {
        fn now(&self) -> u64 {
            self.0.load(Ordering::SeqCst)
        }
    }
}
