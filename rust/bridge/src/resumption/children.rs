//! What each child gets of resumption when it has been forked, and what it counts.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use mod_tls_core::forks::Kept;
use mod_tls_core::gift;
use mod_tls_core::metrics::Counters;
use mod_tls_core::pidfd::{self, Held};
use mod_tls_core::ticket::{Clock, SystemClock};

use super::{Parent, with_state};
use crate::counts::{self, Counting};
use crate::ech;
use crate::forks::{Line, claim_line, take_line};
use crate::guard::guard;
use crate::shared;

/// How long a child waits for what the parent gives it right after the fork.
const BIRTH: Duration = Duration::from_secs(5);

/// The children that live, and what all have counted.
pub struct Children {
    processes: HashMap<i32, Arc<Held>>,
    counting: Counting,
}

impl Children {
    /// None yet.
    pub fn new(counting: Counting) -> Self {
        Self {
            processes: HashMap::new(),
            counting,
        }
    }

    /// Where this process counts.
    pub fn counters(&self) -> Counters {
        self.counting.counters()
    }

    /// Gives a child that has just been forked the board's memory to read, a page to count in, and the sums to read.
    fn give(&mut self, board: &Kept<OwnedFd>, pid: i32, line: &OwnedFd) -> io::Result<()> {
        let now = SystemClock.now();
        self.forget(pid, now);
        self.processes.insert(pid, pidfd::hold(pid)?);
        let page = self.counting.begin(pid)?;
        self.counting.show(now);
        let sums = self.counting.published();
        ech::with_reader(|names| {
            let own = [board.as_fd(), page.as_fd(), sums];
            let memories: Vec<BorrowedFd<'_>> = own.into_iter().chain(names).collect();
            gift::give(line.as_fd(), b"k", &memories)
        })
    }

    /// The MPM says that a child has ended, and looks for that into the scoreboard, which all children write.
    fn end(&mut self, pid: i32) {
        let process = self.processes.get(&pid);
        if process.is_some_and(|process| process.has_ended() != Some(false)) {
            self.forget(pid, SystemClock.now());
        }
    }

    /// Publishes what all have counted by now, those that have ended for the last time.
    pub fn publish(&mut self, now: u64) {
        let ended = self.processes.iter();
        let ended = ended.filter(|(_, process)| process.has_ended() == Some(true));
        let ended: Vec<i32> = ended.map(|(pid, _)| *pid).collect();
        ended.into_iter().for_each(|pid| self.forget(pid, now));
        self.counting.publish(now);
    }

    fn forget(&mut self, pid: i32, now: u64) {
        self.processes.remove(&pid);
        self.counting.end(pid, now);
    }
}

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
            let _ = parent.children.give(&parent.board, pid, &line);
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
            let gift = match gift::take(line.as_fd(), BIRTH) {
                Ok(Some(gift)) => gift,
                _ => return false,
            };
            let mut descriptors = gift.descriptors.into_iter();
            let (Some(board), Some(page), Some(sums)) =
                (descriptors.next(), descriptors.next(), descriptors.next())
            else {
                return false;
            };
            ech::become_child(descriptors.next().as_ref());
            // SAFETY: whole pages; nothing of this process has read them since the fork.
            let mapped = unsafe { shared::replace(&board, parent.words, false) };
            shared::hide(parent.words);
            let counts = mapped.and_then(|()| counts::become_child(&page, &sums));
            counts.is_ok()
        },
    )
}
