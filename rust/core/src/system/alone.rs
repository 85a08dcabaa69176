// SPDX-License-Identifier: Apache-2.0
//! How a process that serves httpd's children finds that nobody is left who wants it.

use std::time::{Duration, Instant};

/// How long no child may live without a word of the parent, which reads a configuration between the last child and the
/// first at a restart.
const ALONE: Duration = Duration::from_secs(60);

/// Since when no child lives that there was. A restart may take the module out of httpd: its parent lives on then, and
/// neither tells nor ends anything any more.
#[derive(Default)]
pub(crate) struct Alone {
    had_children: bool,
    since: Option<Instant>,
}

impl Alone {
    /// The parent has said something.
    pub(crate) fn heard(&mut self) {
        self.since = None;
    }

    /// Whether this process has been alone for too long. `known`: it knows a child; `lives`: one that lives.
    pub(crate) fn for_too_long(&mut self, known: bool, lives: bool, now: Instant) -> bool {
        self.had_children |= known;
        if !self.had_children || lives {
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
    fn alone_is_who_had_children_and_has_none_for_long() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut alone = Alone::default();
        // Before there was a child.
        assert!(!alone.for_too_long(false, false, at(0)));
        assert!(!alone.for_too_long(false, false, at(1000)));
        assert!(!alone.for_too_long(true, true, at(1001)));
        assert!(!alone.for_too_long(true, true, at(2000)));
        // It has ended, whether or not somebody has said so.
        assert!(!alone.for_too_long(true, false, at(2001)));
        assert!(!alone.for_too_long(false, false, at(2060)));
        assert!(alone.for_too_long(false, false, at(2061)));
        alone.heard();
        assert!(!alone.for_too_long(false, false, at(3000)));
        assert!(!alone.for_too_long(true, true, at(3059)));
        assert!(!alone.for_too_long(false, false, at(3100)));
        assert!(alone.for_too_long(false, false, at(3160)));
    }
}
