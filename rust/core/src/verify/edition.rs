// SPDX-License-Identifier: Apache-2.0
//! Which of two lists from one address counts.

/// What a list is among those that came from one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edition {
    /// Canonical name of who signed it.
    pub(crate) issuer: Vec<u8>,
    /// Its IssuingDistributionPoint as it stands there.
    pub(crate) partition: Vec<u8>,
    /// When it was made, in seconds since 1970.
    pub(crate) from: i64,
    /// When there is to be another; `i64::MAX` where it does not say.
    pub(crate) until: i64,
}

impl Edition {
    fn is_in_force(&self, now: i64) -> bool {
        (self.from..=self.until).contains(&now)
    }

    /// Whether the other one is of the same issuer, about the same certificates.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (&self.issuer, &self.partition) == (&other.issuer, &other.partition)
    }

    /// Whether the other one takes its place at `now`: of its like the one that is in force, then the later one; another
    /// only when this one is in force no more, whatever its times are: whoever answers for the address chooses it.
    pub(crate) fn yields_to(&self, other: &Self, now: i64) -> bool {
        let (own, others) = (self.is_in_force(now), other.is_in_force(now));
        match self.is_like(other) {
            true => (others, other.from) > (own, self.from),
            false => others && !own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edition(issuer: u8, partition: u8, from: i64, until: i64) -> Edition {
        Edition {
            issuer: vec![issuer],
            partition: vec![partition],
            from,
            until,
        }
    }

    #[test]
    fn of_its_like_the_later_in_force_counts_and_no_other_while_one_is() {
        let now = 50;
        let is = edition(1, 1, 10, 100);
        for (other, yields) in [
            (edition(1, 1, 20, 100), true),
            (edition(1, 1, 10, 200), false),
            (edition(1, 1, 9, 200), false),
            (edition(1, 1, 40, 45), false),
            (edition(1, 1, 60, 100), false),
            (edition(2, 1, 20, 100), false),
            (edition(1, 2, 20, 100), false),
        ] {
            assert_eq!(is.yields_to(&other, now), yields, "{other:?}");
        }
        let expired = edition(1, 1, 40, 45);
        for (other, yields) in [
            (edition(1, 1, 10, 100), true),
            (edition(1, 1, 41, 46), true),
            (edition(1, 1, 39, 49), false),
            (edition(2, 1, 10, 100), true),
            (edition(2, 1, 46, 49), false),
        ] {
            assert_eq!(expired.yields_to(&other, now), yields, "{other:?}");
        }
    }
}
