// SPDX-License-Identifier: Apache-2.0
//! Full handshakes and resumed ones have a bucket each: a resumption costs a key exchange too, and a ticket can be shown
//! again and again, so that it is not free; ten times as many leave room for whoever comes back.

use super::bucket::{Bucket, Rate};

/// Resumptions for one full handshake.
const RESUMED: u64 = 10;

/// What a handshake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Full,
    Resumed,
}

impl Kind {
    /// The rate of its bucket, where that of full handshakes is `rate`.
    pub(super) fn rate(self, rate: Rate) -> Rate {
        match self {
            Self::Full => rate,
            Self::Resumed => rate.times(RESUMED),
        }
    }
}

/// Tokens of one address, or of one process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Buckets {
    pub(super) full: Bucket,
    resumed: Bucket,
}

impl Buckets {
    pub(super) fn of(&mut self, kind: Kind) -> &mut Bucket {
        match kind {
            Kind::Full => &mut self.full,
            Kind::Resumed => &mut self.resumed,
        }
    }

    /// What is missing in both, counted as full handshakes; 0 where nothing need be remembered.
    pub(super) fn missing(&mut self, rate: Rate, now: u64) -> i64 {
        let resumed = self.resumed.missing(Kind::Resumed.rate(rate), now);
        let resumed = resumed / i64::try_from(RESUMED).unwrap_or(1);
        self.full.missing(rate, now).saturating_add(resumed)
    }
}
