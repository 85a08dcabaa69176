//! Time, as tickets see it: whole seconds, from a clock that tests can replace.

use core::fmt::Debug;
use std::time::{SystemTime, UNIX_EPOCH};

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
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::Clock;
    use core::sync::atomic::{AtomicU64, Ordering};
    use std::sync::Arc;

    /// A clock that a test turns by hand; clones show the same time.
    #[derive(Debug, Clone)]
    pub(crate) struct HandClock(Arc<AtomicU64>);

    impl HandClock {
        pub(crate) fn at(now: u64) -> Self {
            Self(Arc::new(AtomicU64::new(now)))
        }

        pub(crate) fn set(&self, now: u64) {
            self.0.store(now, Ordering::SeqCst);
        }

        pub(crate) fn advance(&self, seconds: u64) {
            self.0.fetch_add(seconds, Ordering::SeqCst);
        }
    }

    impl Clock for HandClock {
        fn now(&self) -> u64 {
            self.0.load(Ordering::SeqCst)
        }
    }
}
