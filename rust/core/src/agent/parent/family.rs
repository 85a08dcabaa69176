// SPDX-License-Identifier: Apache-2.0
//! The children of httpd, as its parent knows them: what the MPM said it started, each with its channel.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::net::SendFlags;

use crate::agent::Os;
use crate::agent::channel::Way;
use crate::agent::protocol::children::{tell_began, tell_ended};
use crate::system::forks::Kept;
use crate::system::pidfd;
use crate::system::pidfd::Held;

/// All children that live. A supervisor is told of each, and of its end.
#[derive(Default)]
pub(crate) struct Family {
    children: HashMap<i32, Own>,
    news: VecDeque<News>,
}

/// What the parent keeps of a child's channel, for signers to come.
struct Own {
    slots: usize,
    requests: Kept<OwnedFd>,
    replies: Kept<OwnedFd>,
    bell: Kept<OwnedFd>,
    process: Arc<Held>,
}

enum News {
    Began(i32),
    Ended(i32),
}

impl Family {
    /// Makes a channel for a child that this process has just forked, and gives it its end over `line`, where the fork made
    /// one.
    pub(crate) fn begin(
        &mut self,
        pid: i32,
        slots: usize,
        line: Option<OwnedFd>,
        os: &dyn Os,
    ) -> io::Result<()> {
        let line = line.ok_or_else(|| io::Error::other("there is no line to it"))?;
        self.reap();
        let process = pidfd::hold(pid)?;
        let (childs, signers) = Way::pair(slots, os)?;
        let own = Own {
            slots: signers.slots,
            requests: Kept::new(signers.requests)?,
            replies: Kept::new(signers.replies)?,
            bell: Kept::new(signers.bell)?,
            process,
        };
        let fds = [
            childs.requests.as_fd(),
            childs.replies.as_fd(),
            childs.bell.as_fd(),
        ];
        tell_began(line, pid, childs.slots, &fds, SendFlags::DONTWAIT)?;
        self.children.insert(pid, own);
        self.news.push_back(News::Began(pid));
        Ok(())
    }

    /// The MPM says that a child has ended; its channel goes with it. The MPM may say so of one that lives: it looks into
    /// the scoreboard, which all children write.
    pub(crate) fn end(&mut self, pid: i32) {
        let own = self.children.get(&pid);
        if own.is_some_and(|own| own.process.has_ended() != Some(false)) {
            self.forget(pid);
        }
    }

    /// Forgets those that have ended, whether the MPM has said so or not.
    pub(crate) fn reap(&mut self) {
        let ended =
            |(pid, own): (&i32, &Own)| (own.process.has_ended() == Some(true)).then_some(*pid);
        let ended: Vec<i32> = self.children.iter().filter_map(ended).collect();
        ended.into_iter().for_each(|pid| self.forget(pid));
    }

    /// Whether nobody is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    fn forget(&mut self, pid: i32) {
        self.children.remove(&pid);
        self.news.push_back(News::Ended(pid));
    }

    /// The supervisor has lost what it was told of a child.
    pub(crate) fn tell_again(&mut self, pid: i32) {
        if self.children.contains_key(&pid) {
            self.news.push_back(News::Began(pid));
        }
    }

    /// A new supervisor knows nobody.
    pub(crate) fn begin_anew(&mut self) {
        self.news = self.children.keys().copied().map(News::Began).collect();
    }

    /// Tells the supervisor what it does not know yet; what it has no room for now is told the next time.
    pub(crate) fn tell(&mut self, control: impl AsFd, flags: SendFlags) -> io::Result<()> {
        while let Some(news) = self.news.front() {
            match news {
                News::Began(pid) => {
                    if let Some(own) = self.children.get(pid) {
                        tell_began(&control, *pid, own.slots, &own.fds(), flags)?;
                    }
                }
                News::Ended(pid) => tell_ended(&control, *pid, flags)?,
            }
            self.news.pop_front();
        }
        Ok(())
    }
}

impl Own {
    /// What a signer gets.
    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        let always = [
            self.requests.as_fd(),
            self.replies.as_fd(),
            self.bell.as_fd(),
        ];
        always.into_iter().chain(self.process.as_fd()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::protocol::children::{self, TOLD};
    use crate::agent::protocol::log_relay::pair;
    use crate::agent::testing::TestOs;

    #[test]
    fn a_child_has_ended_when_the_kernel_says_so() {
        let mut family = Family::default();
        let mut process = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = process.id().cast_signed();
        let (line, _child) = pair().unwrap();
        family.begin(pid, 1, Some(line), &TestOs).unwrap();
        family.end(pid);
        assert_eq!(family.children.len(), 1, "whatever the MPM believes");
        process.kill().unwrap();
        process.wait().unwrap();
        family.reap();
        assert!(family.is_empty(), "whether the MPM knows or not");
        let said = |news: &News| match news {
            News::Began(pid) => (true, *pid),
            News::Ended(pid) => (false, *pid),
        };
        let news: Vec<_> = family.news.iter().map(said).collect();
        assert_eq!(news, [(true, pid), (false, pid)]);
        let (line, _child) = pair().unwrap();
        assert!(
            family.begin(pid, 1, Some(line), &TestOs).is_err(),
            "nobody is there"
        );
    }

    #[test]
    fn what_was_cut_off_on_the_way_is_told_again() {
        let mut family = Family::default();
        let pid = std::process::id().cast_signed();
        let (line, _child) = pair().unwrap();
        family.begin(pid, 1, Some(line), &TestOs).unwrap();
        let (control, far) = pair().unwrap();
        let tell = |family: &mut Family| family.tell(&control, SendFlags::DONTWAIT).unwrap();
        let heard = || {
            let mut frame = [0; 1 + TOLD];
            let received = TestOs.receive(far.as_fd(), &mut frame).ok()?;
            let [_, told @ ..] = frame;
            Some(children::began(told, received.fds).is_some())
        };
        tell(&mut family);
        assert_eq!((heard(), heard()), (Some(true), None));
        family.tell_again(pid);
        family.tell_again(pid + 1);
        tell(&mut family);
        assert_eq!((heard(), heard()), (Some(true), None), "nobody else");
    }
}
