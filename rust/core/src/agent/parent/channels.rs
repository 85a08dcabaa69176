// SPDX-License-Identifier: Apache-2.0
//! Channels of httpd's children: each new child gets one, and the agent is told of it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::SendFlags;

use super::{CHILD_TIMEOUT, Parent};
use crate::agent::Os;
use crate::agent::channel::ChildEnd;
use crate::agent::protocol::children::{self, TOLD};
use crate::agent::protocol::log_relay::{LogKind, LogLine};

impl Parent {
    /// The MPM has just forked a child: gives it a channel, over the line that the fork made. Says whether somebody
    /// should look after the agent at once.
    pub fn child_began(&mut self, pid: i32, line: Option<OwnedFd>) -> bool {
        if !self.order.serve || self.supervisor.is_none() {
            return false;
        }
        let began = self.family.begin(pid, self.slots, line, &*self.os);
        if let Err(error) = began {
            self.troubles.push(LogLine {
                kind: LogKind::Trouble,
                text: format!("child {pid} has no way to the key agent: {error}"),
            });
        }
        self.tell_of_children() || !self.troubles.is_empty()
    }

    /// The MPM has waited for a child.
    pub fn child_ended(&mut self, pid: i32) {
        self.family.end(pid);
        self.tell_of_children();
    }

    /// Whether a child lives that the agent signs for.
    pub fn has_children(&mut self) -> bool {
        self.family.reap();
        !self.family.is_empty()
    }

    /// Says whether the supervisor does not listen.
    pub(super) fn tell_of_children(&mut self) -> bool {
        let Some(supervisor) = &self.supervisor else {
            return false;
        };
        let told = self
            .family
            .tell(&*supervisor.process.control, SendFlags::DONTWAIT);
        told.is_err() || supervisor.process.is_stopped()
    }

    /// Makes this process, forked by the parent, a child that serves with `threads` threads. All that it keeps is
    /// what its remote keys hold: the way to the signer, which comes over `line`, and a view of the update log. False where
    /// there is an agent and no way to it comes.
    pub fn become_child(self, threads: usize, line: Option<OwnedFd>) -> bool {
        self.transport.set_threads(threads);
        if !self.order.serve || self.supervisor.is_none() {
            return true;
        }
        let end = line.and_then(|line| receive_channel(self.os.as_ref(), &line).ok());
        let has_way = end.is_some();
        self.transport.set_channel(end);
        has_way
    }
}

/// Waits for what the parent says of this child to itself.
pub(crate) fn receive_channel(os: &dyn Os, line: &OwnedFd) -> io::Result<Arc<ChildEnd>> {
    let timeout = CHILD_TIMEOUT.try_into().map_err(io::Error::other)?;
    let mut line_in = [PollFd::new(line, PollFlags::IN)];
    while poll(&mut line_in, Some(&timeout)) == Err(Errno::INTR) {}
    let mut frame = [0; 1 + TOLD];
    let received = os.receive(line.as_fd(), &mut frame)?;
    let [_, told @ ..] = frame;
    let me = children::began(told, received.fds).ok_or(io::ErrorKind::InvalidData)?;
    ChildEnd::new(me.way, os)
}
