// SPDX-License-Identifier: Apache-2.0
//! What becomes of resumption as children begin and end.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use mod_tls_core::system::handover;
use mod_tls_core::system::words::Words;

use super::children::{LOG, NAMES};
use super::{Parent, State, with_state};
use crate::counts;
use crate::ech;
use crate::forks::{Line, claim_line, take_line};
use crate::guard::guard;
use crate::key_log;
use crate::shared;

/// How long a child waits for what the parent gives it right after the fork.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(5);

fn guard_parent(use_it: impl FnOnce(&mut Parent)) {
    let with_parent = |state: &mut State| state.parent.as_mut().map(use_it);
    guard(|| None, || with_state(with_parent));
}

/// A child of the MPM has begun; see the boundary.
pub(crate) fn resumption_child_began(pid: i32, generation: i32) {
    // Taken even where nobody wants it: the child waits for nothing then.
    let line = claim_line(Line::Sessions);
    guard_parent(|parent| {
        // A child that gets nothing waits for nothing either: its line has ended.
        line.map(|line| {
            let child = (pid, generation);
            parent.children.give(&parent.key_store, child, &line)
        });
    });
}

/// A child of the MPM has ended.
pub(crate) fn resumption_child_ended(pid: i32) {
    guard_parent(|parent| parent.children.end(pid));
}

/// Takes what the parent gave; see the boundary.
pub(crate) fn resumption_become_child() -> bool {
    guard(
        || false,
        || match take_line(Line::Sessions) {
            Some(line) => with_state(State::leave_to_parent).is_none_or(|words| take(&line, words)),
            // httpd -X: the parent serves by itself.
            None => with_state(State::serve_alone),
        },
    )
}

impl State {
    fn leave_to_parent(&mut self) -> Option<Words> {
        self.resuming.forget_secret();
        self.parent.take().map(|parent| parent.words)
    }

    fn serve_alone(&mut self) -> bool {
        self.resuming.forget_secret();
        self.parent.is_some()
    }
}

/// Puts what `line` brings in the place of the parent's memory.
fn take(line: &OwnedFd, words: Words) -> bool {
    let Ok(Some(handover)) = handover::take(line.as_fd(), HANDOVER_TIMEOUT) else {
        return false;
    };
    let has = |what| handover.octets.contains(&what);
    let (names, log) = (has(NAMES), has(LOG));
    let mut descriptors = handover.descriptors.into_iter();
    let (Some(key_store), Some(page), Some(sums)) =
        (descriptors.next(), descriptors.next(), descriptors.next())
    else {
        return false;
    };
    let names = names.then(|| descriptors.next()).flatten();
    ech::become_child(names.as_ref());
    key_log::become_child(log.then(|| descriptors.next()).flatten());
    // SAFETY: whole pages; nothing of this process has read them since the fork.
    let mapped = unsafe { shared::replace(&key_store, words, false) };
    shared::hide(words);
    let counts = mapped.and_then(|()| counts::become_child(&page, &sums));
    counts.is_ok()
}
