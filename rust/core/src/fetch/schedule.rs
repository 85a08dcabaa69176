// SPDX-License-Identifier: Apache-2.0
//! When something is fetched again.

use std::time::Duration;

/// No sooner than this, however short a life is.
const LEAST: i64 = 30;
/// A responder that gives the same answer again is asked no more often than this.
const AGAIN: i64 = 3600;
/// After the first failure; then twice as long each time.
const FIRST_RETRY: u32 = 5;

/// How long after `now` something that is of use from `from` until `until` is to be fetched anew (all in seconds since
/// 1970): at half of its life, or after `most` seconds where that is sooner. Past the half of its life it is tried again
/// in a quarter of what is left.
pub(super) fn refresh(now: i64, from: i64, until: i64, most: u32) -> Duration {
    let half = from.saturating_add(until.saturating_sub(from) / 2);
    let wait = match half.saturating_sub(now) {
        ahead @ 1.. => ahead,
        _ => (until.saturating_sub(now) / 4).min(AGAIN),
    };
    let wait = wait.min(i64::from(most)).max(LEAST);
    Duration::from_secs(wait.unsigned_abs())
}

/// How long after so many failures one after another the next try is; `most` seconds at most.
pub(super) fn retry(failures: u32, most: u32) -> Duration {
    let grown = FIRST_RETRY.saturating_mul(
        1u32.checked_shl(failures.saturating_sub(1))
            .unwrap_or(u32::MAX),
    );
    Duration::from_secs(grown.min(most.max(FIRST_RETRY)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_half_of_life() {
        let secs = |now, from, until, most| refresh(now, from, until, most).as_secs();
        assert_eq!(secs(0, 0, 1000, 10_000), 500);
        assert_eq!(secs(400, 0, 1000, 10_000), 100);
        assert_eq!(secs(0, 0, 1000, 100), 100);
        assert_eq!(secs(600, 0, 1000, 10_000), 100, "a quarter of what is left");
        assert_eq!(secs(999, 0, 1000, 10_000), 30);
        assert_eq!(secs(0, -1000, 100_000, u32::MAX), 49_500);
        assert_eq!(secs(60_000, 0, 100_000, u32::MAX), 3600);
        assert_eq!(secs(i64::MAX, i64::MIN, i64::MAX, u32::MAX), 30);
    }

    #[test]
    fn failures_are_tried_less_and_less_often() {
        let secs: Vec<u64> = (1..9).map(|n| retry(n, 600).as_secs()).collect();
        assert_eq!(secs, [5, 10, 20, 40, 80, 160, 320, 600]);
        assert_eq!(retry(u32::MAX, 600).as_secs(), 600);
        assert_eq!(retry(1, 0).as_secs(), 5);
    }
}
