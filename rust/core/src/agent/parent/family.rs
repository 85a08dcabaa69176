//! The children of httpd, as its parent knows them: what the MPM said it started, each with its channel.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::SendFlags;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::agent::channel::Way;
use crate::agent::children::{tell_began, tell_ended};
use crate::forks::Kept;

/// All children that live. A supervisor is told of each, and of its end.
#[derive(Default)]
pub struct Family {
    children: HashMap<i32, Own>,
    news: VecDeque<News>,
}

/// What the parent keeps of a child's channel, for signers to come.
struct Own {
    slots: usize,
    memory: Kept<OwnedFd>,
    bell: Kept<OwnedFd>,
}

enum News {
    Began(i32),
    Ended(i32),
}

impl Family {
    /// Makes a channel for a child that has just begun, and gives it its end over `line`.
    pub fn begin(&mut self, pid: i32, slots: usize, line: OwnedFd) -> io::Result<()> {
        let way = Way::new(slots)?;
        let own = Own {
            slots: way.slots,
            memory: Kept::new(way.memory)?,
            bell: Kept::new(way.bell)?,
        };
        let fds = [own.memory.as_fd(), own.bell.as_fd()];
        tell_began(&line, pid, own.slots, &fds, SendFlags::DONTWAIT)?;
        self.children.insert(pid, own);
        self.news.push_back(News::Began(pid));
        Ok(())
    }

    /// A child has ended; its channel goes with it.
    pub fn end(&mut self, pid: i32) {
        if self.children.remove(&pid).is_some() {
            self.news.push_back(News::Ended(pid));
        }
    }

    /// A new supervisor knows nobody.
    pub fn begin_anew(&mut self) {
        self.news = self.children.keys().copied().map(News::Began).collect();
    }

    /// Tells the supervisor what it does not know yet; what it has no room for now is told the next time.
    pub fn tell(&mut self, control: impl AsFd, flags: SendFlags) -> io::Result<()> {
        while let Some(news) = self.news.front() {
            match news {
                News::Began(pid) => {
                    if let Some(own) = self.children.get(pid) {
                        // It is a child until it has been waited for, of which `end` is told at once: the pid is its.
                        let raw = Pid::from_raw(*pid);
                        let pidfd = match raw.map(|pid| pidfd_open(pid, PidfdFlags::empty())) {
                            Some(Ok(pidfd)) => Some(pidfd),
                            // Linux before 5.3: the parent's wait alone tells of its end.
                            Some(Err(Errno::NOSYS)) => None,
                            // No descriptors at the moment: the next time.
                            Some(Err(Errno::MFILE | Errno::NFILE)) => return Ok(()),
                            // It has ended, whatever the MPM has been made to say: its pid may be another's by now.
                            _ => {
                                self.children.remove(pid);
                                self.news.pop_front();
                                continue;
                            }
                        };
                        let mut fds = vec![own.memory.as_fd(), own.bell.as_fd()];
                        fds.extend(pidfd.as_ref().map(AsFd::as_fd));
                        tell_began(&control, *pid, own.slots, &fds, flags)?;
                    }
                }
                News::Ended(pid) => tell_ended(&control, *pid, flags)?,
            }
            self.news.pop_front();
        }
        Ok(())
    }
}
