// SPDX-License-Identifier: Apache-2.0
//! Processes that were made and not yet seen dead, as httpd's parent holds them.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{SendFlags, send};
use rustix::process::{Pid, Signal, kill_process};

use crate::agent::protocol::RELEASED;
use crate::agent::protocol::certificate_codec::Known;
use crate::system::forks::Kept;

/// A process that takes the parent's orders.
pub(crate) struct ProcessHandle {
    pub pid: i32,
    /// The line that orders go over.
    pub control: Kept<UnixStream>,
}

/// What the parent has of a supervisor.
pub(crate) struct SupervisorHandle {
    pub process: ProcessHandle,
    pub notices: Kept<OwnedFd>,
    /// The pairs of its last answer.
    pub known: Known,
    /// Closing it ends the supervisor and its signers.
    #[expect(dead_code, reason = "held, for its end to be seen")]
    pub life: Kept<io::PipeWriter>,
}

impl ProcessHandle {
    /// Whether it has ended, or given its work up.
    pub(crate) fn has_hung_up(&self) -> bool {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let mut fds = [PollFd::new(&*self.control, PollFlags::RDHUP)];
        poll(&mut fds, Some(&now)).is_ok() && !fds[0].revents().is_empty()
    }

    /// Whether somebody has stopped it (SIGSTOP): it does nothing.
    pub(crate) fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        // proc(5): the name stands in parentheses and may hold any, the state follows.
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
            && !self.has_hung_up()
    }

    /// Says that the configuration of the last order is given up. One that does not listen stays until the parent ends.
    pub(crate) fn say_released(&self) {
        let _ = send(
            &*self.control,
            &[RELEASED],
            SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
        );
    }

    /// Kills it while it holds the line, and so its pid.
    pub(crate) fn kill(&self) {
        if let Some(pid) = Pid::from_raw(self.pid)
            && !self.has_hung_up()
        {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
