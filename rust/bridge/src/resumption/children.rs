// SPDX-License-Identifier: Apache-2.0
//! What each child gets of resumption when it has been forked, and what it counts.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use mod_tls_core::metrics::Counters;
use mod_tls_core::system::clock::{Clock, SystemClock};
use mod_tls_core::system::forks::Kept;
use mod_tls_core::system::handover;
use mod_tls_core::system::pidfd;
use mod_tls_core::system::pidfd::Held;

use crate::counts::Counting;
use crate::ech;
use crate::key_log;

/// Octets of the message to a child: the keys of Encrypted ClientHello are in it, the key log is, or neither.
pub(super) const NAMES: u8 = b'n';
pub(super) const LOG: u8 = b'l';
const NOTHING: u8 = b'-';

/// The children that live, and what all have counted.
pub(super) struct Children {
    processes: HashMap<i32, Arc<Held>>,
    counting: Counting,
}

impl Children {
    /// None yet.
    pub(super) fn new(counting: Counting) -> Self {
        Self {
            processes: HashMap::new(),
            counting,
        }
    }

    /// Where this process counts.
    pub(super) fn counters(&self) -> Counters {
        self.counting.counters()
    }

    /// Gives a child that has just been forked the key store's memory to read, a page to count in, and the sums to read.
    pub(super) fn give(
        &mut self,
        key_store: &Kept<OwnedFd>,
        (pid, generation): (i32, i32),
        line: &OwnedFd,
    ) -> io::Result<()> {
        let now = SystemClock.now();
        self.forget(pid, now);
        self.processes.insert(pid, pidfd::hold(pid)?);
        let page = self.counting.begin(pid, generation)?;
        self.counting.show(now);
        let sums = self.counting.published();
        let log = key_log::held();
        let log = log.as_ref().and_then(|log| log.descriptor());
        ech::with_reader(|names| {
            let own = [key_store.as_fd(), page.as_fd(), sums];
            let all: Vec<BorrowedFd<'_>> = own.into_iter().chain(names).chain(log).collect();
            // What stands behind the first three.
            let what = [
                names.map_or(NOTHING, |_| NAMES),
                log.map_or(NOTHING, |_| LOG),
            ];
            handover::give(line.as_fd(), &what, &all)
        })
    }

    /// The MPM says that a child has ended, and looks for that into the scoreboard, which all children write.
    pub(super) fn end(&mut self, pid: i32) {
        let process = self.processes.get(&pid);
        if process.is_some_and(|process| process.has_ended() != Some(false)) {
            self.forget(pid, SystemClock.now());
        }
    }

    /// Publishes what all have counted by now, those that have ended for the last time.
    pub(super) fn publish(&mut self, now: u64) {
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
