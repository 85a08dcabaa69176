//! The shared memory of resumption: ticket keys and counters of all children of one httpd.
//!
//! It is a plain slice of atomic words, zero at birth. The bridge maps it before the first fork, so that it lives as long as
//! the parent process: through graceful and full restarts, not through a stop.

use super::clock::Clock;
use super::counters::{COUNTER_WORDS, Counter, Counters};
use super::lane::{KeyBytes, LANE_WORDS, Lane};
use core::sync::atomic::{AtomicU64, Ordering};

/// Words of shared memory that a board needs.
pub const BOARD_WORDS: usize = HEADER_WORDS + LANES * LANE_WORDS + COUNTER_WORDS;

/// Seconds that a key made at random is the newest.
pub const INTERVAL: u64 = 3600;

/// Seconds that two machines' clocks may differ.
pub const SKEW: u64 = 60;

/// No session may be resumed longer than this many seconds after its ticket was issued (RFC 8446 section 4.6.1).
pub const MAX_LIFETIME: u64 = 7 * 24 * 3600;

const HEADER_WORDS: usize = 8;
const RETENTION: usize = 0;
const ISSUING: usize = 1;
const REPORTED: usize = 2;

/// The lane of random keys, and two for secret files: the one in force and the one before it.
const LANES: usize = 3;
const RANDOM: usize = 0;

/// Which key sealed a ticket or a cache entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyName {
    /// The lane's identity.
    pub lane: u32,
    /// The interval's number.
    pub epoch: u32,
}

/// A view of the shared memory; copying it copies the view.
#[derive(Debug, Clone, Copy)]
pub struct Board {
    header: &'static [AtomicU64],
    lanes: [Lane; LANES],
    /// What has been counted.
    pub counters: Counters,
}

impl Board {
    /// A view of `words`; None when there are fewer than [`BOARD_WORDS`].
    pub fn new(words: &'static [AtomicU64]) -> Option<Self> {
        let (header, rest) = words.split_at_checked(HEADER_WORDS)?;
        let lane = |index: usize| rest.get(index * LANE_WORDS..).and_then(Lane::new);
        let counters = Counters::new(rest.get(LANES * LANE_WORDS..)?)?;
        Some(Self {
            header,
            lanes: [lane(0)?, lane(1)?, lane(2)?],
            counters,
        })
    }

    /// Gives a new board its identity; a board in use is left alone. For the parent, before it forks children.
    /// False when there is no randomness.
    pub fn prepare(&self) -> bool {
        let mut id = [0; 4];
        if self.lanes[RANDOM].id() == 0 {
            if aws_lc_rs::rand::fill(&mut id).is_err() {
                return false;
            }
            self.lanes[RANDOM].reset(u32::from_be_bytes(id) | 1, INTERVAL);
        }
        true
    }

    /// Seconds after which nothing sealed is accepted any more, so that keys older than that are erased.
    pub fn retention(&self) -> u64 {
        self.header[RETENTION]
            .load(Ordering::Acquire)
            .min(MAX_LIFETIME)
    }

    /// Sets the longest lifetime of all virtual hosts, in seconds. For the parent.
    pub fn retain_for(&self, seconds: u64) {
        self.header[RETENTION].store(seconds, Ordering::Release);
    }

    /// Has tickets issued under random keys from now on. For the parent.
    pub fn issue_from_random_keys(&self) {
        self.header[ISSUING].store(RANDOM as u64, Ordering::Release);
    }

    /// Has tickets issued under the keys of the secret `id`, in a lane of its own; returns the lane, and whether it is new. The
    /// lane in force before stays for one lifetime. For the parent.
    pub fn issue_from_secret(&self, id: u32, interval: u64, now: u64) -> (Lane, bool) {
        let known = (1..LANES).find(|index| self.lanes[*index].id() == id);
        let current = self.issuing_index();
        let index = known.unwrap_or(if current == 1 { 2 } else { 1 });
        let lane = self.lanes[index];
        if known.is_none() {
            lane.reset(id, interval);
        }
        lane.retire_at(0);
        self.header[ISSUING].store(index as u64, Ordering::Release);
        for other in (1..LANES).filter(|other| *other != index) {
            self.retire(self.lanes[other], now);
        }
        (lane, known.is_none())
    }

    /// Lets the lanes of secret files run out one lifetime from now. For the parent.
    pub fn retire_secrets(&self, now: u64) {
        self.lanes[1..]
            .iter()
            .for_each(|lane| self.retire(*lane, now));
    }

    /// The lane of the secret `id`, while it is not retired.
    pub fn secret_lane(&self, id: u32, now: u64) -> Option<Lane> {
        self.lanes[1..]
            .iter()
            .find(|lane| lane.id() == id && alive(lane, now))
            .copied()
    }

    /// The newest key, to seal with. The first caller of an interval makes it, whichever process it is in. None when there is
    /// no randomness, or when the parent did not publish this interval's key yet.
    pub fn newest(&self, clock: &dyn Clock) -> Option<(KeyName, KeyBytes)> {
        let index = self.issuing_index();
        let lane = self.lanes[index];
        let now = clock.now();
        let epoch = lane.epoch(now);
        let name = KeyName {
            lane: lane.id(),
            epoch: u32::try_from(epoch).ok()?,
        };
        if index != RANDOM {
            return lane.read(epoch).map(|key| (name, key));
        }
        let (key, began) = lane.agree(epoch, |out| aws_lc_rs::rand::fill(out).is_ok())?;
        if began {
            self.counters.add(Counter::Rotations);
            self.erase_old(now);
        }
        Some((name, key))
    }

    /// The key called `name`, if something sealed with it may still be accepted at `now`; with it, how many seconds ahead the
    /// clock that it was sealed by may be.
    pub fn find(&self, name: KeyName, now: u64) -> Option<(KeyBytes, u64)> {
        let index = (0..LANES).find(|at| name.lane != 0 && self.lanes[*at].id() == name.lane)?;
        let lane = &self.lanes[index];
        let epoch = u64::from(name.epoch);
        let (first, last) = self.window(lane, now);
        if !alive(lane, now) || !(first..=last).contains(&epoch) {
            return None;
        }
        lane.read(epoch)
            .map(|key| (key, if index == RANDOM { 0 } else { SKEW }))
    }

    /// Erases keys that nothing acceptable can be sealed with. Any process may; the parent does so every few seconds, so that
    /// keys do not outlive their time in a server that nobody visits.
    pub fn erase_old(&self, now: u64) {
        for lane in &self.lanes {
            if !alive(lane, now) {
                lane.reset(0, 1);
            }
            let (first, last) = self.window(lane, now);
            lane.keep_only(first, last.saturating_add(2));
        }
    }

    /// Whether nobody asked this in the minute before `now`, in whichever process; for reports that would flood the log.
    pub fn first_of_minute(&self, now: u64) -> bool {
        let word = &self.header[REPORTED];
        let last = word.load(Ordering::Relaxed);
        let due = now >= last.saturating_add(60) || last > now;
        due && word
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// The intervals of `lane` whose keys may be needed at `now`.
    pub fn window(&self, lane: &Lane, now: u64) -> (u64, u64) {
        (
            lane.epoch(now.saturating_sub(self.retention())),
            lane.epoch(now.saturating_add(SKEW)),
        )
    }

    fn issuing_index(&self) -> usize {
        let index = usize::try_from(self.header[ISSUING].load(Ordering::Acquire)).unwrap_or(RANDOM);
        index.min(LANES - 1)
    }

    fn retire(&self, lane: Lane, now: u64) {
        if lane.id() != 0 && lane.retires() == 0 {
            lane.retire_at(now.saturating_add(self.retention()).max(1));
        }
    }
}

fn alive(lane: &Lane, now: u64) -> bool {
    lane.retires() == 0 || now < lane.retires()
}

#[cfg(test)]
pub(crate) fn board_for_test(retention: u64) -> Board {
    let words: Vec<AtomicU64> = (0..BOARD_WORDS).map(|_| AtomicU64::new(0)).collect();
    let board = Board::new(Box::leak(words.into_boxed_slice())).unwrap();
    assert!(board.prepare());
    board.retain_for(retention);
    board
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::clock::testing::HandClock;
    use std::sync::Barrier;

    const START: u64 = 1_790_000_000;
    const HOUR: u64 = 3600;

    #[test]
    fn rotates_once_an_interval_for_weeks() {
        let (board, clock) = (board_for_test(12 * HOUR), HandClock::at(START));
        let mut seen: Vec<(u64, KeyName, [u8; 32])> = Vec::new();
        for hour in 0..24 * 7 * 5 {
            let now = START + hour * HOUR;
            clock.set(now);
            let (name, key) = board.newest(&clock).unwrap();
            assert!(
                seen.iter().all(|(_, _, old)| *old != *key),
                "a key of its own in hour {hour}"
            );
            seen.push((now, name, *key));
            for (then, name, key) in seen.iter().rev().take(40) {
                let found = board.find(*name, now);
                if now - then <= 12 * HOUR {
                    assert_eq!(*found.unwrap().0, *key, "hour {hour}: known for a lifetime");
                } else if now - then > 13 * HOUR {
                    assert!(found.is_none(), "hour {hour}: erased after a lifetime");
                }
            }
        }
        assert_eq!(board.counters.sum(Counter::Rotations), 24 * 7 * 5);
    }

    #[test]
    fn one_rotation_an_interval_however_many_threads_race() {
        let (board, clock) = (board_for_test(HOUR), HandClock::at(START));
        for _ in 0..100 {
            let before = board.counters.sum(Counter::Rotations);
            clock.advance(HOUR);
            let barrier = Barrier::new(16);
            std::thread::scope(|scope| {
                for _ in 0..16 {
                    scope.spawn(|| {
                        barrier.wait();
                        board.newest(&clock).unwrap();
                    });
                }
            });
            assert_eq!(board.counters.sum(Counter::Rotations), before + 1);
        }
    }

    #[test]
    fn a_quiet_server_erases_too() {
        let (board, clock) = (board_for_test(HOUR), HandClock::at(START));
        let (name, _) = board.newest(&clock).unwrap();
        board.erase_old(START + 3 * HOUR);
        assert!(
            board.find(name, START).is_none(),
            "even should the clock be set back"
        );
    }

    #[test]
    fn survives_a_clock_that_is_set_back() {
        let (board, clock) = (board_for_test(HOUR), HandClock::at(START));
        board.newest(&clock).unwrap();
        clock.advance(1000 * HOUR);
        let (future, _) = board.newest(&clock).unwrap();
        clock.set(START + 5);
        let (name, key) = board.newest(&clock).unwrap();
        assert_eq!(*board.find(name, START + 6).unwrap().0, *key);
        assert!(board.find(future, START + 6).is_none());
    }

    #[test]
    fn prepare_leaves_a_board_in_use_alone() {
        let (board, clock) = (board_for_test(HOUR), HandClock::at(START));
        let (name, key) = board.newest(&clock).unwrap();
        assert!(board.prepare());
        assert_eq!(*board.find(name, START).unwrap().0, *key);
    }

    #[test]
    fn reports_come_once_a_minute() {
        let board = board_for_test(HOUR);
        let asked: Vec<bool> = [0, 1, 59, 60, 61, 119, 120]
            .iter()
            .map(|s| board.first_of_minute(START + s))
            .collect();
        assert_eq!(asked, [true, false, false, true, false, false, true]);
    }

    #[test]
    fn too_little_memory_is_refused() {
        let words: Vec<AtomicU64> = (0..BOARD_WORDS - 1).map(|_| AtomicU64::new(0)).collect();
        assert!(Board::new(Box::leak(words.into_boxed_slice())).is_none());
    }
}
