// SPDX-License-Identifier: Apache-2.0
//! How a process that serves httpd's children finds that nobody is left who wants it.

use std::time::{Duration, Instant};

/// How long no child may live after the parent has given a configuration up: it reads another one between the last child and
/// the first at a restart.
const ALONE: Duration = Duration::from_secs(60);

/// Since when no child lives that there was. A restart may take the module out of httpd: its parent lives on then, and
/// neither tells nor ends anything any more. Children alone say nothing: somebody may have killed them all, and have kept
/// the parent from making others.
#[derive(Default)]
pub(crate) struct Alone {
    /// The parent has given up the configuration of its last order.
    released: bool,
    had_children: bool,
    since: Option<Instant>,
}

impl Alone {
    /// The parent gives up the configuration, for another one or for none.
    pub(crate) fn release(&mut self) {
        self.released = true;
    }

    /// The parent has given an order.
    pub(crate) fn order(&mut self) {
        self.released = false;
        self.since = None;
    }

    /// Whether this process has been alone for too long. `known`: it knows a child; `lives`: one that lives.
    pub(crate) fn for_too_long(&mut self, known: bool, lives: bool, now: Instant) -> bool {
        self.had_children |= known;
        if !self.released || !self.had_children || lives {
            self.since = None;
            return false;
        }
        now.duration_since(*self.since.get_or_insert(now)) >= ALONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alone_is_who_was_released_and_has_no_children_for_long() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut alone = Alone::default();
        // Before there was a child: a start reads its configuration twice.
        alone.release();
        assert!(!alone.for_too_long(false, false, at(0)));
        assert!(!alone.for_too_long(false, false, at(1000)));
        alone.order();
        assert!(!alone.for_too_long(true, true, at(1001)));
        // All have ended, and nobody has said that there will be no others.
        assert!(!alone.for_too_long(true, false, at(2000)));
        assert!(!alone.for_too_long(false, false, at(9000)));
        // A restart: those of before live for long.
        alone.release();
        assert!(!alone.for_too_long(true, true, at(9001)));
        assert!(!alone.for_too_long(true, true, at(9990)));
        // They have ended, whether or not somebody has said so.
        assert!(!alone.for_too_long(true, false, at(10_000)));
        assert!(!alone.for_too_long(false, false, at(10_059)));
        assert!(alone.for_too_long(false, false, at(10_060)));
        alone.order();
        assert!(!alone.for_too_long(false, false, at(20_000)));
        assert!(!alone.for_too_long(false, false, at(30_000)));
        alone.release();
        assert!(!alone.for_too_long(false, false, at(30_001)));
        assert!(!alone.for_too_long(false, false, at(30_060)));
        assert!(alone.for_too_long(false, false, at(30_061)));
    }
}
