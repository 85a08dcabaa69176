//! The signer's process, as its supervisor sees it.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{SendFlags, send};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, waitpid};

use crate::agent::protocol::children;
use crate::agent::protocol::children::Child;
use crate::agent::signer::RETIRE;

/// How long an old one may take to go.
const LEAVE: Duration = Duration::from_secs(1);

/// The numbers by which signers that live at the same time are told apart: those of one supervisor, which makes one
/// before it ends another, and those of a supervisor and its successor.
pub struct Epochs(u32);

impl Epochs {
    const OF_A_SUPERVISOR: u32 = 32;

    /// Those of supervisor `number`.
    pub fn new(number: u32) -> Self {
        Self(number.wrapping_mul(Self::OF_A_SUPERVISOR))
    }

    pub fn next(&mut self) -> u32 {
        let epoch = self.0;
        let within = epoch.wrapping_add(1) % Self::OF_A_SUPERVISOR;
        self.0 = epoch - epoch % Self::OF_A_SUPERVISOR + within;
        epoch
    }
}

/// A running signer.
pub struct SignerHandle {
    pid: Pid,
    pidfd: Option<OwnedFd>,
    line: OwnedFd,
    /// Children of which it is to be told, as soon as it listens, that they began or ended.
    untold: VecDeque<i32>,
    since: Instant,
}

impl SignerHandle {
    /// The signer `pid`, which has just been forked; `line` goes to it.
    pub fn new(pid: Pid, line: OwnedFd) -> Self {
        Self {
            pid,
            pidfd: pidfd_open(pid, PidfdFlags::empty()).ok(),
            line,
            untold: VecDeque::new(),
            since: Instant::now(),
        }
    }

    /// Readable when it has ended; `None` where the kernel has no such thing.
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// How long it has lived.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Tells it whether a process is a child, now or as soon as it listens.
    pub fn tell(&mut self, pid: i32, children: &HashMap<i32, Child>) {
        self.untold.push_back(pid);
        self.tell_on(children);
    }

    /// Tells it what it has no room for until now. One that never listens is one that does not answer, which is found
    /// out.
    pub fn tell_on(&mut self, children: &HashMap<i32, Child>) {
        let flags = SendFlags::DONTWAIT;
        while let Some(pid) = self.untold.front() {
            let told = match children.get(pid) {
                Some(child) => {
                    let (slots, fds) = (child.way.slots, child.fds());
                    children::tell_began(&self.line, *pid, slots, &fds, flags)
                }
                None => children::tell_ended(&self.line, *pid, flags),
            };
            if told.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
                return;
            }
            self.untold.pop_front();
        }
    }

    /// Can be written to when it listens again, where it is to be told something.
    pub fn untold(&self) -> Option<BorrowedFd<'_>> {
        (!self.untold.is_empty()).then(|| self.line.as_fd())
    }

    /// Why it does not serve any more; `None` while it does. One that was stopped is killed: a new one serves.
    pub fn ended(&mut self) -> Option<String> {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
        let (_, status) = waitpid(Some(self.pid), options).ok()??;
        if status.stopped() {
            self.kill();
            return Some("it had been stopped".to_owned());
        }
        let signal = status
            .terminating_signal()
            .map(|signal| format!("signal {signal}"));
        let code = status.exit_status().map(|code| format!("exit code {code}"));
        Some(signal.or(code).unwrap_or_else(|| "it ended".to_owned()))
    }

    /// Ends it at once.
    pub fn kill(&self) {
        let _ = kill_process(self.pid, Signal::KILL);
        // One that the kernel does not let go is not worth that nobody signs.
        self.wait();
    }

    /// Has it end, and waits until it has.
    pub fn retire(self) {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let _ = send(&self.line, &[RETIRE], flags);
        if !self.wait() {
            self.kill();
        }
    }

    /// Waits until it has ended; false where that takes too long.
    fn wait(&self) -> bool {
        let deadline = Instant::now() + LEAVE;
        while let Ok(None) = waitpid(Some(self.pid), WaitOptions::NOHANG) {
            if Instant::now() > deadline {
                return false;
            }
            match self.pidfd() {
                Some(fd) => {
                    let step = Duration::from_millis(50).try_into().ok();
                    let _ = poll(
                        &mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)],
                        step.as_ref(),
                    );
                }
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Os;
    use crate::agent::channel::Way;
    use crate::agent::channel::slot::EPOCHS;
    use crate::agent::protocol::children::{BEGAN, ENDED, TOLD};
    use crate::agent::protocol::log_relay::pair;
    use crate::agent::testing::TestOs;
    use std::collections::HashSet;

    #[test]
    fn signers_that_may_live_at_the_same_time_have_different_epochs() {
        let (mut old, mut new) = (Epochs::new(5), Epochs::new(6));
        let pairs: Vec<(u32, u32)> = (0..100).map(|_| (old.next(), new.next())).collect();
        let of_both = pairs.windows(2).flatten();
        let of_both: HashSet<u32> = of_both.flat_map(|(old, new)| [*old, *new]).collect();
        assert_eq!(of_both.len(), 64);
        for two in pairs.windows(2) {
            let four = [two[0].0, two[0].1, two[1].0, two[1].1];
            assert_eq!(HashSet::from(four.map(|epoch| epoch % EPOCHS)).len(), 4);
        }
        let mut last = Epochs::new(u32::MAX);
        let of_the_last: HashSet<u32> = (0..100).map(|_| last.next()).collect();
        assert_eq!(of_the_last.len(), 32, "where numbers end, too");
    }

    #[test]
    fn a_signer_is_told_everything_once_it_listens() {
        let (line, far) = pair().unwrap();
        let mut signer = SignerHandle {
            pid: rustix::process::getpid(),
            pidfd: None,
            line,
            untold: VecDeque::new(),
            since: Instant::now(),
        };
        let mut children = HashMap::new();
        for pid in 1..=2000 {
            if pid % 100 == 0 {
                let (_, way) = Way::pair(1, &TestOs).unwrap();
                children.insert(
                    pid,
                    Child {
                        pid,
                        way,
                        pidfd: None,
                    },
                );
            }
            signer.tell(pid, &children);
        }
        assert!(signer.untold().is_some(), "nobody listens");
        let mut heard = Vec::new();
        let mut frame = [0; 1 + TOLD];
        while heard.len() < 2000 {
            let received = TestOs.receive(far.as_fd(), &mut frame).unwrap();
            let [kind, told @ ..] = frame;
            heard.push((kind, children::pid_of(told), received.fds.len()));
            signer.tell_on(&children);
        }
        assert!(signer.untold().is_none());
        for (place, (kind, pid, fds)) in (1..).zip(heard) {
            let wanted = if place % 100 == 0 {
                (BEGAN, 3)
            } else {
                (ENDED, 0)
            };
            assert_eq!((pid, kind, fds), (place, wanted.0, wanted.1));
        }
    }
}
