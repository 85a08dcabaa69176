// SPDX-License-Identifier: Apache-2.0
//! The signer's process, as its supervisor sees it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{SendFlags, send};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, waitpid};

use crate::agent::Os;
use crate::agent::protocol::children::{self, AGAIN, Child, TOLD};
use crate::agent::signer::RETIRE;

/// How long an old one may take to go.
const LEAVE: Duration = Duration::from_secs(1);
/// After how long it is told again of a child that it could not serve: by then it may have room.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// The numbers by which signers that live at the same time are told apart: those of one supervisor, which makes one
/// before it ends another, and those of a supervisor and its successor.
pub(super) struct Epochs(u32);

impl Epochs {
    const OF_A_SUPERVISOR: u32 = 32;

    /// Those of supervisor `number`.
    pub(super) fn new(number: u32) -> Self {
        Self(number.wrapping_mul(Self::OF_A_SUPERVISOR))
    }

    pub(super) fn next(&mut self) -> u32 {
        let epoch = self.0;
        let within = epoch.wrapping_add(1) % Self::OF_A_SUPERVISOR;
        self.0 = epoch - epoch % Self::OF_A_SUPERVISOR + within;
        epoch
    }
}

/// A signer signer.
pub(super) struct SignerHandle {
    pid: Pid,
    pidfd: Option<OwnedFd>,
    line: OwnedFd,
    /// Children of which it is to be told, as soon as it listens, that they began or ended.
    untold: VecDeque<i32>,
    /// Those of which it asked to be told again, with the time when it is.
    again: BTreeMap<i32, Instant>,
    since: Instant,
}

impl SignerHandle {
    /// The signer `pid`, which has just been forked; `line` goes to it.
    pub(super) fn new(pid: Pid, line: OwnedFd) -> Self {
        Self {
            pid,
            pidfd: pidfd_open(pid, PidfdFlags::empty()).ok(),
            line,
            untold: VecDeque::new(),
            again: BTreeMap::new(),
            since: Instant::now(),
        }
    }

    /// Readable when it asks something.
    pub(super) fn line(&self) -> BorrowedFd<'_> {
        self.line.as_fd()
    }

    /// Whether something is to be told later, whatever happens until then.
    pub(super) fn is_asked(&self) -> bool {
        !self.again.is_empty()
    }

    /// Takes what it asks: to be told again of children that it could not serve.
    pub(super) fn hear(&mut self, os: &dyn Os, now: Instant) {
        let mut frame = [0; 1 + TOLD];
        while let Ok(received) = os.receive(self.line.as_fd(), &mut frame) {
            let [kind, told @ ..] = frame;
            if received.length == 0 {
                return;
            }
            if kind == AGAIN {
                self.again.insert(children::pid_of(told), now + PAUSE);
            }
        }
    }

    /// Readable when it has ended; `None` where the kernel has no such thing.
    pub(super) fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// How long it has lived.
    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Tells it whether a process is a child, now or as soon as it listens.
    pub(super) fn tell(&mut self, pid: i32, children: &HashMap<i32, Child>) {
        self.untold.push_back(pid);
        self.tell_on(children, Instant::now());
    }

    /// Tells it what it has no room for until now. One that never listens is one that does not answer, which is found
    /// out.
    pub(super) fn tell_on(&mut self, children: &HashMap<i32, Child>, now: Instant) {
        let untold = &mut self.untold;
        self.again.retain(|pid, due| {
            let is_due = *due <= now;
            if is_due {
                untold.push_back(*pid);
            }
            !is_due
        });
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

    /// Whether there is nothing that it has no room for now.
    pub(super) fn is_told(&self) -> bool {
        self.untold.is_empty()
    }

    /// Why it does not serve any more; `None` while it does. One that was stopped is killed: a new one serves.
    pub(super) fn ended(&mut self) -> Option<String> {
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
    pub(super) fn kill(&self) {
        let _ = kill_process(self.pid, Signal::KILL);
        // One that the kernel does not let go is not worth that nobody signs.
        self.wait();
    }

    /// Has it end, and waits until it has.
    pub(super) fn retire(self) {
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
    use crate::agent::channel::Way;
    use crate::agent::channel::slot::EPOCHS;
    use crate::agent::protocol::children::{BEGAN, ENDED};
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
            again: BTreeMap::new(),
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
        assert!(!signer.is_told(), "nobody listens");
        let mut heard = Vec::new();
        let mut frame = [0; 1 + TOLD];
        while heard.len() < 2000 {
            let received = TestOs.receive(far.as_fd(), &mut frame).unwrap();
            let [kind, told @ ..] = frame;
            heard.push((kind, children::pid_of(told), received.fds.len()));
            signer.tell_on(&children, Instant::now());
        }
        assert!(signer.is_told());
        for (place, (kind, pid, fds)) in (1..).zip(heard) {
            let wanted = if place % 100 == 0 {
                (BEGAN, 3)
            } else {
                (ENDED, 0)
            };
            assert_eq!((pid, kind, fds), (place, wanted.0, wanted.1));
        }
    }

    #[test]
    fn a_signer_that_could_not_serve_a_child_is_told_of_it_again() {
        let (line, far) = pair().unwrap();
        let mut signer = SignerHandle::new(rustix::process::getpid(), line);
        let (_, way) = Way::pair(1, &TestOs).unwrap();
        let child = Child {
            pid: 7,
            way,
            pidfd: None,
        };
        let children = HashMap::from([(7, child)]);
        let flags = SendFlags::empty();
        children::ask_again(&far, 7, flags).unwrap();
        children::ask_again(&far, 8, flags).unwrap();
        let now = Instant::now();
        signer.hear(&TestOs, now);
        signer.tell_on(&children, now);
        let mut frame = [0; 1 + TOLD];
        let mut heard = || {
            let received = TestOs.receive(far.as_fd(), &mut frame).ok()?;
            let [kind, told @ ..] = frame;
            let whole = children::began(told, received.fds).is_some();
            Some((kind, children::pid_of(told), whole))
        };
        assert!(heard().is_none() && signer.is_asked(), "not at once");
        signer.tell_on(&children, now + PAUSE);
        let ended = (ENDED, 8, false);
        assert_eq!([heard(), heard()], [Some((BEGAN, 7, true)), Some(ended)]);
        signer.tell_on(&children, now + PAUSE);
        assert!(heard().is_none() && !signer.is_asked(), "and once");
    }
}
