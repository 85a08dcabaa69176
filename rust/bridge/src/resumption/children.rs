//! What each child gets of resumption when it has been forked, and what it counts.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use mod_tls_core::forks::Kept;
use mod_tls_core::gift;
use mod_tls_core::pidfd::{self, Held};
use mod_tls_core::ticket::counters::page_of;
use mod_tls_core::ticket::{Keeper, PAGE_WORDS};

use super::{BOARD, COUNTS, Parent, with_state};
use crate::forks::{Line, claim_line, take_line};
use crate::guard::guard;
use crate::shared::{self, Descriptors};

/// How long a child waits for what the parent gives it right after the fork.
const BIRTH: Duration = Duration::from_secs(5);

/// The children that live.
#[derive(Default)]
pub struct Children(HashMap<i32, Child>);

/// A child, by the memory that it counts in. That is read and never mapped: the child can free its pages at any moment.
struct Child {
    place: u16,
    page: Kept<OwnedFd>,
    process: Arc<Held>,
}

impl Children {
    /// Gives a child that has just been forked the board's memory to read, and a page to count in.
    fn give(
        &mut self,
        keeper: &mut Keeper,
        board: &Kept<OwnedFd>,
        pid: i32,
        line: &OwnedFd,
    ) -> io::Result<()> {
        self.forget(keeper, pid);
        let process = pidfd::hold(pid)?;
        // Each child counts in memory that no other can write to.
        let (page, memory) = shared::create(c"mod_tls counts", PAGE_WORDS, Descriptors::Write)?;
        // SAFETY: nobody but this function knows the mapping.
        unsafe { shared::unmap(page) };
        let page = Kept::new(shared::reader(memory.as_fd())?)?;
        let place = keeper.child_started();
        if let Some(place) = place {
            let child = Child {
                place,
                page,
                process,
            };
            self.0.insert(pid, child);
        }
        let octets = place.unwrap_or(0).to_be_bytes();
        gift::give(line.as_fd(), &octets, &[board.as_fd(), memory.as_fd()])
    }

    /// The MPM says that a child has ended, and looks for that into the scoreboard, which all children write.
    fn end(&mut self, keeper: &mut Keeper, pid: i32) {
        let child = self.0.get(&pid);
        if child.is_some_and(|child| child.process.has_ended() != Some(false)) {
            self.forget(keeper, pid);
        }
    }

    /// Takes what the children have counted by now, of those that have ended for the last time.
    pub fn collect(&mut self, keeper: &mut Keeper) {
        let mut ended = Vec::new();
        for (pid, child) in &self.0 {
            if child.process.has_ended() == Some(true) {
                ended.push(*pid);
            } else {
                keeper.child_counted(child.place, &page_of(child.page.as_fd()));
            }
        }
        ended.into_iter().for_each(|pid| self.forget(keeper, pid));
    }

    fn forget(&mut self, keeper: &mut Keeper, pid: i32) {
        if let Some(child) = self.0.remove(&pid) {
            keeper.child_ended(child.place, &page_of(child.page.as_fd()));
        }
    }
}

fn with_parent(use_it: impl FnOnce(&mut Parent)) {
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
    with_parent(|parent| {
        if let Some(line) = line {
            // A child that gets nothing waits for nothing either: its line has ended.
            let _ = parent
                .children
                .give(&mut parent.keeper, &parent.board, pid, &line);
        }
    });
}

/// See the bridge.
pub fn resumption_child_ended(pid: i32) {
    with_parent(|parent| parent.children.end(&mut parent.keeper, pid));
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
            let (Some(parent), Some(counts)) = (parent, COUNTS.get()) else {
                return true;
            };
            let gift = match gift::take(line.as_fd(), BIRTH) {
                Ok(Some(gift)) => gift,
                _ => return false,
            };
            let (Ok(place), Ok([board, page])) = (
                <[u8; 2]>::try_from(gift.octets),
                <[OwnedFd; 2]>::try_from(gift.descriptors),
            ) else {
                return false;
            };
            // SAFETY: whole pages; nothing of this process has read them since the fork.
            let mapped = unsafe {
                shared::replace(&board, parent.words, false)
                    .and_then(|()| shared::replace(&page, counts, true))
            };
            shared::hide(parent.words);
            if let Some(board) = BOARD.get() {
                board.counters.take_place(u16::from_be_bytes(place));
            }
            mapped.is_ok()
        },
    )
}
