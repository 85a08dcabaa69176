// SPDX-License-Identifier: Apache-2.0
//! What one process knows of the addresses that shake hands with it: a table of a fixed size.
//!
//! An address stands in it by a keyed hash, so that nobody can choose addresses that fall together, and none is kept.
//! Where all places of a set are taken, the address of which least need be remembered gives way; one with handshakes
//! under way never does. A newcomer for which there is no place is admitted uncounted: whoever fills the table has
//! thousands of addresses, against which limits for each of them are no help, and those for the process are.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::bucket::Rate;
use super::buckets::Buckets;

/// Addresses of one set, each looked at.
const WAYS: usize = 8;

/// Sets; with [`WAYS`] 4,096 addresses, some 130 KiB.
const SETS: usize = 512;

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Hash of the address; 0 for nobody.
    who: u64,
    under_way: u32,
    buckets: Buckets,
}

/// The table; any thread.
#[derive(Debug)]
pub(super) struct Table {
    sets: Box<[Mutex<[Place; WAYS]>]>,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            sets: (0..SETS).map(|_| Mutex::default()).collect(),
        }
    }

    /// Counts a handshake that begins; false, and nothing counted, where `limit` are under way; none where there is no
    /// place to count it.
    pub(super) fn begin(&self, who: u64, limit: u32, rate: Option<Rate>, now: u64) -> Option<bool> {
        self.with(who, rate, now, |place| {
            let free = place.under_way < limit;
            if free {
                place.under_way += 1;
            }
            free
        })
    }

    /// A handshake that was counted has ended.
    pub(super) fn end(&self, who: u64) {
        if let Some(mut set) = self.set(who)
            && let Some(place) = set.iter_mut().find(|place| place.who == who)
        {
            place.under_way = place.under_way.saturating_sub(1);
        }
    }

    /// Lets `act` have the buckets of an address, of full handshakes at this rate; none where there is no place for it.
    pub(super) fn buckets<R>(
        &self,
        who: u64,
        rate: Rate,
        now: u64,
        act: impl FnOnce(&mut Buckets) -> R,
    ) -> Option<R> {
        self.with(who, Some(rate), now, |place| act(&mut place.buckets))
    }

    fn with<R>(
        &self,
        who: u64,
        rate: Option<Rate>,
        now: u64,
        act: impl FnOnce(&mut Place) -> R,
    ) -> Option<R> {
        let mut set = self.set(who)?;
        let known = set.iter().position(|place| place.who == who);
        let at = known.or_else(|| Self::make_room(&mut set, rate, now))?;
        let place = set.get_mut(at)?;
        if place.who != who {
            *place = Place {
                who,
                ..Place::default()
            };
        }
        Some(act(place))
    }

    /// The place of which least is lost.
    fn make_room(set: &mut [Place; WAYS], rate: Option<Rate>, now: u64) -> Option<usize> {
        let mut idle: Vec<(i64, usize)> = Vec::with_capacity(WAYS);
        for (at, place) in set.iter_mut().enumerate() {
            if place.who == 0 {
                return Some(at);
            }
            if place.under_way == 0 {
                let missing = rate.map_or(0, |rate| place.buckets.missing(rate, now));
                idle.push((missing, at));
            }
        }
        idle.into_iter().min().map(|(_, at)| at)
    }

    fn set(&self, who: u64) -> Option<MutexGuard<'_, [Place; WAYS]>> {
        let at = usize::try_from(who >> 32).unwrap_or(0) % SETS;
        let set = self.sets.get(at)?;
        Some(set.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Small numbers are hashes of one set.

    #[test]
    fn handshakes_under_way_are_counted_by_address() {
        let table = Table::new();
        let begin = |who| table.begin(who, 2, None, 0);
        assert_eq!(
            [begin(1), begin(1), begin(1)],
            [Some(true), Some(true), Some(false)]
        );
        assert_eq!(begin(2), Some(true), "another address");
        table.end(1);
        assert_eq!(begin(1), Some(true));
        table.end(7);
    }

    #[test]
    fn who_has_handshakes_under_way_or_took_many_is_not_forgotten() {
        let table = Table::new();
        let rate = Rate::shared(10, 1).unwrap();
        for who in 1..=6 {
            assert_eq!(table.begin(who, 1, Some(rate), 0), Some(true));
        }
        let take = |who| table.buckets(who, rate, 0, |buckets| buckets.full.take(rate, 0));
        let greedy = 7;
        assert_eq!((0..99).filter(|_| take(greedy) == Some(true)).count(), 10);
        assert!((100..10_000).all(|who| take(who) == Some(true)));
        assert_eq!(take(greedy), Some(false), "others gave way before it");
        assert!((1..=6).all(|who| table.begin(who, 1, Some(rate), 0) == Some(false)));
    }

    #[test]
    fn a_full_set_admits_uncounted_and_the_table_does_not_grow() {
        let table = Table::new();
        let begun = (1..=100).filter(|who| table.begin(*who, 1, None, 0) == Some(true));
        assert_eq!(begun.count(), WAYS);
        assert_eq!(table.begin(50, 1, None, 0), None);
        table.end(50);
        assert_eq!(
            table.begin(1, 1, None, 0),
            Some(false),
            "nobody else's was ended"
        );
    }
}
