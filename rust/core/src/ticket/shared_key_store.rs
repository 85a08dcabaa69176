// SPDX-License-Identifier: Apache-2.0
//! The shared memory of resumption, as everybody reads it: ticket keys of one httpd.
//!
//! It is a plain slice of atomic words, zero at first. httpd's parent alone can write to it ([`super::keeper`]); its
//! children have it mapped for reading. It lives as long as the parent process: through graceful and full restarts,
//! not through a stop.

use super::key_ring::{KEY_RING_WORDS, KeyBytes, KeyRing};
use crate::metrics::Counters;
use crate::system::words::load;
use core::sync::atomic::AtomicU64;

/// Words of shared memory that a key store needs.
pub const KEY_STORE_WORDS: usize = HEADER_WORDS + KEY_RINGS * KEY_RING_WORDS;

/// Seconds that a key made at random is the newest.
pub const INTERVAL: u64 = 3600;

/// Seconds that two machines' clocks may differ.
pub const SKEW: u64 = 60;

/// No session may be resumed longer than this many seconds after its ticket was issued (RFC 8446 section 4.6.1).
pub const MAX_LIFETIME: u64 = 7 * 24 * 3600;

/// Intervals ahead of now whose keys are there, so that a parent that is busy, or away for a while, is not late.
pub const AHEAD: u64 = 2;

pub(super) const HEADER_WORDS: usize = 8;
pub(super) const RETENTION: usize = 0;
pub(super) const ISSUING: usize = 1;

/// The key ring of random keys, and two for secret files: the one in force and the one before it.
pub(super) const KEY_RINGS: usize = 3;
pub(super) const RANDOM: usize = 0;

/// Which key sealed a ticket or a cache entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyName {
    /// The key ring's identity.
    pub key_ring: u32,
    /// The interval's number.
    pub epoch: u32,
}

/// A key that was found, and what may have been sealed with it.
#[derive(Debug)]
pub struct Found {
    /// The key.
    pub key: KeyBytes,
    /// Seconds that the clock it was used by may be ahead of ours.
    pub skew: u64,
    /// Seconds since 1970 of the interval in which it was the newest.
    pub interval: core::ops::Range<u64>,
}

/// A view of the shared memory; copying it copies the view.
#[derive(Debug, Clone, Copy)]
pub struct SharedKeyStore {
    header: &'static [AtomicU64],
    key_rings: [KeyRing; KEY_RINGS],
    /// What has been counted.
    pub counters: Counters,
}

impl SharedKeyStore {
    /// A view of `words`, whose users count in `counters`. None when there are too few.
    pub fn new(words: &'static [AtomicU64], counters: Counters) -> Option<Self> {
        let parts = Parts::of(words)?;
        let [a, b, c] = parts.key_rings.map(KeyRing::new);
        Some(Self {
            header: parts.header,
            key_rings: [a?, b?, c?],
            counters,
        })
    }

    /// Seconds after which nothing sealed is accepted any more.
    pub fn retention(&self) -> u64 {
        self.header(RETENTION).min(MAX_LIFETIME)
    }

    /// The newest key, to seal with at `now`. None when the parent did not publish this interval's key yet.
    pub fn newest(&self, now: u64) -> Option<(KeyName, KeyBytes)> {
        let index = usize::try_from(self.header(ISSUING)).unwrap_or(RANDOM);
        let key_ring = self.key_rings.get(index)?;
        let (id, epoch) = (key_ring.id(), key_ring.epoch(now));
        let name = KeyName {
            key_ring: id,
            epoch: u32::try_from(epoch).ok()?,
        };
        key_ring.read(id, epoch).map(|key| (name, key))
    }

    /// The key called `name`, if something sealed with it may still be accepted at `now`.
    pub fn find(&self, name: KeyName, now: u64) -> Option<Found> {
        let index = (0..KEY_RINGS).find(|at| {
            name.key_ring != 0 && self.key_rings.get(*at).map(KeyRing::id) == Some(name.key_ring)
        })?;
        let key_ring = self.key_rings.get(index)?;
        let (epoch, interval) = (u64::from(name.epoch), key_ring.interval());
        let first = now.saturating_sub(self.retention()).checked_div(interval)?;
        let last = now.saturating_add(SKEW).checked_div(interval)?;
        if !key_ring.is_alive(now) || !(first..=last).contains(&epoch) {
            return None;
        }
        let start = epoch.saturating_mul(interval);
        Some(Found {
            key: key_ring.read(name.key_ring, epoch)?,
            skew: if index == RANDOM { 0 } else { SKEW },
            interval: start..start.saturating_add(interval),
        })
    }

    fn header(&self, place: usize) -> u64 {
        self.header.get(place).map_or(0, load)
    }
}

/// The memory, cut up.
pub(super) struct Parts {
    pub header: &'static [AtomicU64],
    pub key_rings: [&'static [AtomicU64]; KEY_RINGS],
}

impl Parts {
    pub(super) fn of(words: &'static [AtomicU64]) -> Option<Self> {
        let (header, rest) = words.split_at_checked(HEADER_WORDS)?;
        let (key_rings, _) = rest.split_at_checked(KEY_RINGS * KEY_RING_WORDS)?;
        let key_ring = |index: usize| key_rings.get(index.saturating_mul(KEY_RING_WORDS)..);
        Some(Self {
            header,
            key_rings: [key_ring(0)?, key_ring(1)?, key_ring(2)?],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::clock::Clock;
    use crate::system::clock::testing::HandClock;
    use crate::ticket::keeper::testing::{Keys, counters};

    const START: u64 = 1_790_000_000;
    const HOUR: u64 = 3600;

    #[test]
    fn rotates_once_an_interval_for_weeks() {
        let clock = HandClock::at(START);
        let keys = Keys::new(12 * HOUR, &clock);
        let mut seen: Vec<(u64, KeyName, [u8; 32])> = Vec::new();
        for hour in 0..24 * 7 * 5 {
            let now = START + hour * HOUR;
            clock.set(now);
            let (name, key) = keys.key_store.newest(now).unwrap();
            assert!(
                seen.iter().all(|(_, _, old)| *old != *key),
                "a key of its own in hour {hour}"
            );
            seen.push((now, name, *key));
            for (then, name, key) in seen.iter().rev().take(40) {
                let found = keys.key_store.find(*name, now);
                if now - then <= 12 * HOUR {
                    let found = found.unwrap();
                    assert_eq!(*found.key, *key, "hour {hour}: known for a lifetime");
                    assert!(found.interval.contains(then));
                } else if now - then > 13 * HOUR {
                    assert!(found.is_none(), "hour {hour}: erased after a lifetime");
                }
            }
        }
    }

    #[test]
    fn a_quiet_server_erases_too() {
        let clock = HandClock::at(START);
        let keys = Keys::new(HOUR, &clock);
        let (name, _) = keys.key_store.newest(START).unwrap();
        clock.set(START + 3 * HOUR);
        assert!(
            keys.key_store.find(name, START).is_none(),
            "even should the clock be set back"
        );
    }

    #[test]
    fn survives_a_clock_that_is_set_back() {
        let clock = HandClock::at(START);
        let keys = Keys::new(HOUR, &clock);
        clock.advance(1000 * HOUR);
        let (future, _) = keys.key_store.newest(clock.now()).unwrap();
        clock.set(START + 5);
        let (name, key) = keys.key_store.newest(clock.now()).unwrap();
        assert_eq!(*keys.key_store.find(name, START + 6).unwrap().key, *key);
        assert!(keys.key_store.find(future, START + 6).is_none());
    }

    #[test]
    fn keys_are_there_for_a_while_without_the_parent() {
        let clock = HandClock::at(START);
        let key_store = Keys::new(HOUR, &clock).key_store;
        assert!(key_store.newest(START + AHEAD * HOUR).is_some());
        assert!(key_store.newest(START + (AHEAD + 2) * HOUR).is_none());
    }

    #[test]
    fn what_the_memory_held_before_the_parent_wrote_is_no_key() {
        let words: Vec<AtomicU64> = (0..KEY_STORE_WORDS).map(|_| AtomicU64::new(0)).collect();
        let words: &'static [AtomicU64] = Box::leak(words.into_boxed_slice());
        let key_store = SharedKeyStore::new(words, counters()).unwrap();
        assert!(key_store.newest(START).is_none());
        let name = KeyName {
            key_ring: 0,
            epoch: 0,
        };
        assert!(key_store.find(name, START).is_none());
        assert!(
            SharedKeyStore::new(&words[1..], counters()).is_none(),
            "too little memory"
        );
    }
}
