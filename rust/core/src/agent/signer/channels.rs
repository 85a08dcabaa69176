// SPDX-License-Identifier: Apache-2.0
//! Who may ask: the supervisor tells of each child, and a child's end takes away all that was its.

use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::SendFlags;

use super::{Channel, Ends, Signer, Slot, lock};
use crate::agent::channel::SignerEnd;
use crate::agent::protocol::children::{self, BEGAN, Child, ENDED, TOLD, ask_again};
use crate::agent::protocol::log_relay::LogKind;
use crate::system::pidfd::has_ended;

/// What the supervisor says to have a signer end.
pub const RETIRE: u8 = b'R';

/// How long it takes at most until a question goes for which the supervisor's line had no room.
const PAUSE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

impl Signer {
    /// Listens to the supervisor until it is time to end.
    pub(super) fn attend(&self, ends: &Ends<'_>) -> io::Result<()> {
        let mut supervised = true;
        loop {
            let asked = self.ask_again(ends);
            let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(ends.parent.len() + 1);
            fds.extend(ends.parent.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
            if supervised {
                fds.push(PollFd::new(&ends.supervisor, PollFlags::IN));
            }
            match poll(&mut fds, if asked { None } else { Some(&PAUSE) }) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let seen: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            let (parent, supervisor) = seen.split_at(ends.parent.len());
            if parent.contains(&true) {
                return Ok(());
            }
            if supervisor.contains(&true) {
                match self.listen(ends) {
                    Heard::Child => {}
                    Heard::Retire => return Ok(()),
                    // The supervisor died. Its successor makes a new signer and the parent then ends this one.
                    Heard::Nothing => supervised = false,
                }
            }
        }
    }

    /// Takes one message of the supervisor.
    fn listen(&self, ends: &Ends<'_>) -> Heard {
        let mut frame = [0; 1 + TOLD];
        let received = match self.os.receive(ends.supervisor.as_fd(), &mut frame) {
            Ok(received) => received,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Heard::Child,
            Err(_) => return Heard::Nothing,
        };
        let [kind, told @ ..] = frame;
        match (kind, received.length) {
            (_, 0) => return Heard::Nothing,
            (RETIRE, _) => return Heard::Retire,
            (BEGAN, _) => match children::began(told, received.fds) {
                Some(child) => self.serve_child(child),
                None => self.cannot_serve(children::pid_of(told), "its channel was cut off"),
            },
            (ENDED, _) => {
                let pid = children::pid_of(told);
                lock(&self.unserved).remove(&pid);
                self.detach(pid);
            }
            _ => {}
        }
        Heard::Child
    }

    /// Asks the supervisor to be told again of those that could not be served: memory or descriptors that are missing
    /// now are there a moment later. Says whether all has been asked.
    fn ask_again(&self, ends: &Ends<'_>) -> bool {
        let line = ends.supervisor;
        let mut unserved = lock(&self.unserved);
        unserved.retain(|pid| match ask_again(line, *pid, SendFlags::DONTWAIT) {
            Ok(()) => false,
            // A supervisor that is gone has a successor, which makes a new signer.
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        });
        unserved.is_empty()
    }

    /// Serves a child from now on, and what it has asked for already. None of its memory is touched here.
    pub fn serve_child(&self, child: Child) {
        let pid = child.pid;
        if let Err(error) = self.attach(child) {
            self.cannot_serve(pid, &format!("its channel does not open: {error}"));
        }
    }

    fn cannot_serve(&self, pid: i32, why: &str) {
        lock(&self.unserved).insert(pid);
        let line = format!("process {pid} cannot be served yet, {why}");
        (self.notice)(LogKind::Trouble, &line);
    }

    fn attach(&self, child: Child) -> io::Result<()> {
        let Child { pid, way, pidfd } = child;
        // Nothing is taken from one that has ended already.
        if pidfd.as_ref().is_some_and(has_ended) {
            return Ok(());
        }
        let epoch = self.settings.epoch;
        let end = SignerEnd::new(way.slots, way.requests, &way.replies, epoch, &*self.os)?;
        self.detach(pid);
        let mut channels = lock(&self.channels);
        let token = channels.next + 1;
        channels.next = token;
        let channel = Arc::new(Channel {
            token,
            pid,
            slots: Mutex::new(vec![Slot::default(); end.slots()]),
            rung: AtomicBool::new(false),
            done: Mutex::default(),
            end,
            bell: way.bell,
            pidfd,
            closed: AtomicBool::new(false),
        });
        channels.by_token.insert(token, Arc::clone(&channel));
        channels.by_process.insert(pid, token);
        drop(channels);
        let add = |fd, bit, flags| {
            epoll::add(&self.epoll, fd, EventData::new_u64(token << 1 | bit), flags)
        };
        let end = match &channel.pidfd {
            Some(pidfd) => add(pidfd.as_fd(), END, EventFlags::IN),
            None => Ok(()),
        };
        // A bell that was ever rung is an event at once: nobody empties it, so that what was asked before is found.
        let added = end.and_then(|()| add(channel.bell.as_fd(), BELL, RUNG));
        if let Err(error) = added {
            self.close(&channel);
            return Err(error.into());
        }
        Ok(())
    }

    /// Makes an event of a channel's bell again, for a thread to look there that waits for nobody.
    pub(super) fn look_again(&self, channel: &Channel) {
        let data = EventData::new_u64(channel.token << 1 | BELL);
        // One that has been closed meanwhile is not there.
        let _ = epoll::modify(&self.epoll, &channel.bell, data, RUNG);
    }

    fn detach(&self, pid: i32) {
        let token = lock(&self.channels).by_process.get(&pid).copied();
        if let Some(channel) = token.and_then(|token| self.channel(token)) {
            self.close(&channel);
        }
    }

    pub(super) fn channel(&self, token: u64) -> Option<Arc<Channel>> {
        lock(&self.channels).by_token.get(&token).map(Arc::clone)
    }

    /// Forgets a channel; what was asked over it leaves the queue.
    pub(super) fn close(&self, channel: &Channel) {
        let mut channels = lock(&self.channels);
        if channels.by_token.remove(&channel.token).is_none() {
            return;
        }
        if channels.by_process.get(&channel.pid) == Some(&channel.token) {
            channels.by_process.remove(&channel.pid);
        }
        drop(channels);
        let _ = epoll::delete(&self.epoll, &channel.bell);
        if let Some(pidfd) = &channel.pidfd {
            let _ = epoll::delete(&self.epoll, pidfd);
        }
        // Whoever adds to the queue looks at this under the queue's lock.
        channel.closed.store(true, Ordering::Release);
        lock(&self.work).queue.remove(channel.token);
    }

    /// What no child does that is httpd's.
    pub(super) fn say_of(&self, channel: &Channel, what: &str) {
        let line = format!("process {} {what}", channel.pid);
        (self.notice)(LogKind::ClientRefused, &line);
    }
}

/// When a bell is an event.
const RUNG: EventFlags = EventFlags::IN.union(EventFlags::ET);

/// The lowest bit of an event's number: which descriptor of the channel.
pub(super) const BELL: u64 = 0;
pub(super) const END: u64 = 1;

enum Heard {
    Child,
    Retire,
    Nothing,
}
