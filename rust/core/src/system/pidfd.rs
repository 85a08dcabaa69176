// SPDX-License-Identifier: Apache-2.0
//! Processes held by a pidfd: what a number says of them may be another process's by now, or somebody's lie.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::forks::Kept;

/// A child of httpd's parent. No process that is forked has the descriptor.
#[derive(Debug)]
pub struct Held {
    /// `None` where the kernel has no such thing (Linux before 5.3).
    pidfd: Option<Kept<OwnedFd>>,
}

/// One for each process, whoever asks for it.
static HELD: Mutex<Option<HashMap<i32, Weak<Held>>>> = Mutex::new(None);

/// Holds a child that this process has forked and not waited for. For httpd's parent, which has one thread.
///
/// # Errors
/// There is no such process, or no descriptor left.
pub fn hold(pid: i32) -> io::Result<Arc<Held>> {
    let mut all = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let all = all.get_or_insert_default();
    let known = all.get(&pid).and_then(Weak::upgrade);
    // A number of before is not the process of now.
    if let Some(known) = known.filter(|held| held.has_ended() == Some(false)) {
        return Ok(known);
    }
    let raw = Pid::from_raw(pid.max(0)).ok_or(io::ErrorKind::InvalidInput)?;
    let pidfd = match pidfd_open(raw, PidfdFlags::empty()) {
        Ok(pidfd) => Some(Kept::new(pidfd)?),
        Err(Errno::NOSYS) => None,
        Err(error) => return Err(error.into()),
    };
    let held = Arc::new(Held { pidfd });
    all.retain(|_, held| held.strong_count() > 0);
    all.insert(pid, Arc::downgrade(&held));
    Ok(held)
}

impl Held {
    /// Whether it has ended, as the kernel says; `None` where it does not tell.
    pub fn has_ended(&self) -> Option<bool> {
        self.pidfd.as_deref().map(has_ended)
    }

    /// The pidfd.
    pub fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(|pidfd| pidfd.as_fd())
    }
}

/// Whether the process of a pidfd has ended (pidfd_open(2): it is readable from then on).
pub fn has_ended(pidfd: &OwnedFd) -> bool {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
    poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_process_is_held_once_and_its_end_is_seen() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id().cast_signed();
        let (one, two) = (hold(pid).unwrap(), hold(pid).unwrap());
        assert!(Arc::ptr_eq(&one, &two) && one.as_fd().is_some());
        assert_eq!(one.has_ended(), Some(false));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(two.has_ended(), Some(true));
        assert!(hold(pid).is_err(), "whom nobody has");
        assert!(hold(0).is_err() && hold(-1).is_err());
    }
}
