// SPDX-License-Identifier: Apache-2.0
//! httpd's children as the supervisor is told of them.

use std::os::fd::OwnedFd;
use std::time::Instant;

use super::Supervisor;
use crate::agent::protocol::children::{self, ENDED, TOLD};
use crate::system::pidfd;

impl Supervisor {
    /// Whether nobody has been left for long who wants this process. A child of which the kernel does not tell the end
    /// (Linux before 5.3) lives until the parent says otherwise.
    pub(super) fn is_alone(&mut self, now: Instant) -> bool {
        let own = std::process::id();
        let others = || {
            let children = self.children.values();
            children.filter(|child| u32::try_from(child.pid) != Ok(own))
        };
        let known = others().next().is_some();
        let lives =
            others().any(|child| child.pidfd.as_ref().is_none_or(|fd| !pidfd::has_ended(fd)));
        self.alone.for_too_long(known, lives, now)
    }

    /// What the parent says of a child goes on to the signer; signers to come have it from this process.
    pub(super) fn take_child(&mut self, kind: u8, told: [u8; TOLD], fds: Vec<OwnedFd>) {
        let pid = children::pid_of(told);
        self.lost.remove(&pid);
        if kind == ENDED {
            self.children.remove(&pid);
        } else if let Some(child) = children::began(told, fds) {
            self.children.insert(pid, child);
        } else {
            self.lost.insert(pid);
            return;
        }
        if let Some(signer) = &mut self.signer {
            signer.tell(pid, &self.children);
        }
    }
}
