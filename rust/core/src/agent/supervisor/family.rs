// SPDX-License-Identifier: Apache-2.0
//! httpd's children as the supervisor is told of them, and how it finds that nobody is left who wants it.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::Supervisor;
use crate::agent::protocol::children::{self, Child, ENDED, TOLD};
use crate::system::pidfd;

/// How long no child may live without an order of the parent, which reads a configuration between the last child and the
/// first at a restart.
const ALONE: Duration = Duration::from_secs(60);

/// Since when no child lives that there was. A restart may take the module out of httpd: its parent lives on then, and
/// neither tells nor ends anything any more.
#[derive(Default)]
pub(super) struct Alone {
    had_children: bool,
    since: Option<Instant>,
}

impl Alone {
    /// The parent has said something.
    pub(super) fn heard(&mut self) {
        self.since = None;
    }

    /// Whether this process, whose own pid is `own`, has been alone for too long. A child of which the kernel does not
    /// tell the end (Linux before 5.3) lives until the parent says otherwise.
    pub(super) fn for_too_long(
        &mut self,
        own: u32,
        children: &HashMap<i32, Child>,
        now: Instant,
    ) -> bool {
        let of_httpd = |child: &&Child| u32::try_from(child.pid) != Ok(own);
        let lives = |child: &Child| child.pidfd.as_ref().is_none_or(|fd| !pidfd::has_ended(fd));
        self.had_children |= children.values().any(|child| of_httpd(&child));
        if !self.had_children || children.values().filter(of_httpd).any(lives) {
            self.since = None;
            return false;
        }
        now.duration_since(*self.since.get_or_insert(now)) >= ALONE
    }
}

impl Supervisor {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::channel::Way;
    use crate::agent::testing::TestOs;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    use std::process::{Command, Stdio};

    fn child(pid: i32, pidfd: Option<OwnedFd>) -> Child {
        let (_, way) = Way::pair(1, &TestOs).unwrap();
        Child { pid, way, pidfd }
    }

    #[test]
    fn alone_is_who_had_children_that_have_all_ended_for_long() {
        let mut process = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let pid = i32::try_from(process.id()).unwrap();
        let held = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap();
        let begun = Instant::now();
        let mut alone = Alone::default();
        let mut children = HashMap::from([(7, child(7, None))]);
        let mut look = |children: &HashMap<_, _>, seconds| {
            alone.for_too_long(7, children, begun + Duration::from_secs(seconds))
        };
        // Itself alone, before there was a child of httpd's.
        assert!(!look(&children, 0) && !look(&children, 1000));
        children.insert(pid, child(pid, Some(held)));
        assert!(!look(&children, 1001) && !look(&children, 2000));
        drop(process.stdin.take());
        process.wait().unwrap();
        // It has ended, and nobody has said so.
        assert!(!look(&children, 2001) && !look(&children, 2060) && look(&children, 2061));
        // Nor is there one once that is said.
        children.remove(&pid);
        assert!(look(&children, 2062));
        // Where the kernel does not tell, the parent's word counts.
        children.insert(8, child(8, None));
        assert!(!look(&children, 2063) && !look(&children, 3000));
        children.remove(&8);
        assert!(!look(&children, 3001) && !look(&children, 3060) && look(&children, 3061));
        alone.heard();
        assert!(!alone.for_too_long(7, &children, begun + Duration::from_secs(3100)));
    }
}
