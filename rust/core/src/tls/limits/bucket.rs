// SPDX-License-Identifier: Apache-2.0
//! A number of handshakes a second, as a bucket of tokens that fills as time goes by.

/// One token.
const TOKEN: i64 = 1_000_000;

/// Thousandths of a handshake a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate(u64);

impl Rate {
    /// A share of so many handshakes a second, split among `sharers`; 0 handshakes: no limit, `None`.
    pub(super) fn shared(per_second: u32, sharers: u64) -> Option<Self> {
        let whole = u64::from(per_second) * 1000;
        (whole > 0).then(|| Self((whole / sharers.max(1)).max(1)))
    }

    /// The rate of so many times as many.
    pub(super) fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    /// What a full bucket has: a second's handshakes, one at least.
    fn full(self) -> i64 {
        i64::try_from(self.0.saturating_mul(1000))
            .unwrap_or(i64::MAX)
            .max(TOKEN)
    }
}

/// Tokens of one address, or of one process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    /// What is missing until it is full, in millionths of a token.
    missing: i64,
    /// When that was counted, in milliseconds.
    at: u64,
}

impl Bucket {
    /// Threads read the clock before they get here, so that `now` may be older than what another one has counted to.
    fn refill(&mut self, rate: Rate, now: u64) {
        let gained = now.saturating_sub(self.at).saturating_mul(rate.0);
        let gained = i64::try_from(gained).unwrap_or(i64::MAX);
        self.missing = self.missing.saturating_sub(gained).max(0);
        self.at = self.at.max(now);
    }

    /// Takes a token where there is one.
    pub(super) fn take(&mut self, rate: Rate, now: u64) -> bool {
        self.refill(rate, now);
        let there = self.missing + TOKEN <= rate.full();
        if there {
            self.missing += TOKEN;
        }
        there
    }

    /// Puts a token back that was not used.
    pub(super) fn give_back(&mut self) {
        self.missing = (self.missing - TOKEN).max(0);
    }

    /// What is missing; 0 for a bucket of which nothing need be remembered.
    pub(super) fn missing(&mut self, rate: Rate, now: u64) -> i64 {
        self.refill(rate, now);
        self.missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bucket: &mut Bucket, rate: Rate, now: u64) -> usize {
        (0..1000).take_while(|_| bucket.take(rate, now)).count()
    }

    #[test]
    fn a_bucket_has_a_second_s_tokens_and_refills_at_its_rate() {
        let rate = Rate::shared(5, 1).unwrap();
        let mut bucket = Bucket::default();
        assert_eq!(taken(&mut bucket, rate, 10_000), 5);
        assert_eq!(taken(&mut bucket, rate, 10_199), 0);
        assert_eq!(taken(&mut bucket, rate, 10_200), 1);
        assert_eq!(taken(&mut bucket, rate, 99_000), 5, "and no more than full");
        bucket.give_back();
        assert_eq!(taken(&mut bucket, rate, 99_000), 1);
        assert_eq!(
            taken(&mut bucket, rate, 0),
            0,
            "a clock that goes back gives nothing"
        );
        assert_eq!(
            taken(&mut bucket, rate, 99_000),
            0,
            "and no time is counted twice"
        );
    }

    #[test]
    fn small_shares_are_not_lost() {
        let rate = Rate::shared(1, 150).unwrap();
        let mut bucket = Bucket::default();
        assert!(bucket.take(rate, 0), "one at least");
        let later = (1..=170_000).find(|now| bucket.take(rate, *now));
        assert_eq!(later, Some(166_667));
        assert_eq!(Rate::shared(0, 4), None);
    }
}
