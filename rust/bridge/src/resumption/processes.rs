// SPDX-License-Identifier: Apache-2.0
//! What becomes of resumption as children begin and end.

use std::os::fd::AsFd;
use std::time::Duration;

use mod_tls_core::system::handover;

use super::children::{LOG, NAMES};
use super::{Parent, with_state};
use crate::counts;
use crate::ech;
use crate::forks::{Line, claim_line, take_line};
use crate::guard::guard;
use crate::key_log;
use crate::shared;

/// How long a child waits for what the parent gives it right after the fork.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(5);

fn guard_parent(use_it: impl FnOnce(&mut Parent)) {
    guard(
        || (),
        || {
            with_state(|state| {
                if let Some(parent) = &mut state.parent {
                    use_it(parent);
                }
            });
        },
    );
}

/// See the bridge.
pub fn resumption_child_began(pid: i32) {
    // Taken even where nobody wants it: the child waits for nothing then.
    let line = claim_line(Line::Sessions);
    guard_parent(|parent| {
        if let Some(line) = line {
            // A child that gets nothing waits for nothing either: its line has ended.
            let _ = parent.children.give(&parent.key_store, pid, &line);
        }
    });
}

/// See the bridge.
pub fn resumption_child_ended(pid: i32) {
    guard_parent(|parent| parent.children.end(pid));
}

/// See the bridge.
pub fn resumption_become_child() -> bool {
    guard(
        || false,
        || {
            let (parent, secret) = with_state(|state| (state.parent.take(), state.secret.take()));
            drop(secret);
            // httpd -X: the parent serves by itself.
            let Some(line) = take_line(Line::Sessions) else {
                let alone = parent.is_some();
                with_state(|state| state.parent = parent);
                return alone;
            };
            let Some(parent) = parent else {
                return true;
            };
            let handover = match handover::take(line.as_fd(), HANDOVER_TIMEOUT) {
                Ok(Some(handover)) => handover,
                _ => return false,
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
            let mapped = unsafe { shared::replace(&key_store, parent.words, false) };
            shared::hide(parent.words);
            let counts = mapped.and_then(|()| counts::become_child(&page, &sums));
            counts.is_ok()
        },
    )
}
