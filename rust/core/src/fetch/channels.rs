// SPDX-License-Identifier: Apache-2.0
//! The children that ask, each over a channel of its own.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};

use rustix::event::Timespec;
use rustix::event::epoll::{self, Event, EventData, EventFlags};

use super::frames::{self, Asked, LONGEST};
use super::results::Found;
use crate::agent::Os;
use crate::agent::channel::SignerEnd;
use crate::agent::protocol::children::Child;
use crate::system::lock;

/// Requests of one child that are taken in at a time.
const AT_ONCE: usize = 16;
/// Bells that are heard at a time.
const BELLS_AT_ONCE: usize = 64;

/// A request of a child, by slot and number.
#[derive(Clone, Debug)]
pub(super) struct Place {
    channel: Arc<Channel>,
    slot: usize,
    number: u32,
}

/// The fetcher's end of a child's channel.
pub(super) struct Channel {
    /// The child's pid.
    pub pid: i32,
    end: SignerEnd,
    bell: OwnedFd,
    pidfd: Option<OwnedFd>,
    /// The number of the request that each slot waits for, whatever the child writes.
    taken: Mutex<Vec<Option<u32>>>,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

/// The bells of all children. The description behind a bell is the child's as well, which may make it block, so nobody here
/// reads or writes one: each stroke is an event (epoll(7), EPOLLET).
#[derive(Debug)]
pub(super) struct Bells(OwnedFd);

impl Bells {
    /// None yet.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(epoll::CreateFlags::CLOEXEC)?))
    }

    /// Listens to a child's from now on. One that was ever rung is heard at once.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn add(&self, channel: &Channel) -> io::Result<()> {
        let data = EventData::new_u64(u64::from(channel.pid.unsigned_abs()));
        let flags = EventFlags::IN | EventFlags::ET;
        Ok(epoll::add(&self.0, &channel.bell, data, flags)?)
    }

    /// Listens to it no longer.
    pub(super) fn remove(&self, channel: &Channel) {
        let _ = epoll::delete(&self.0, &channel.bell);
    }

    /// The pids of those that have rung since they were heard last, some at a time. Never waits.
    pub(super) fn heard(&self) -> Vec<i32> {
        let mut events: Vec<Event> = Vec::with_capacity(BELLS_AT_ONCE);
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let _ = epoll::wait(
            &self.0,
            rustix::buffer::spare_capacity(&mut events),
            Some(&now),
        );
        let pid = |event: &Event| i32::try_from(event.data.u64()).ok();
        events.iter().filter_map(pid).collect()
    }
}

impl AsFd for Bells {
    /// Readable when one has been rung.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Channel {
    /// Serves a child.
    ///
    /// # Errors
    /// Its memory cannot be mapped.
    pub(super) fn new(child: Child, epoch: u32, os: &dyn Os) -> io::Result<Arc<Self>> {
        let Child { pid, way, pidfd } = child;
        let end = SignerEnd::new(way.slots, way.requests, &way.replies, epoch, os)?;
        Ok(Arc::new(Self {
            pid,
            taken: Mutex::new(vec![None; end.slots()]),
            end,
            bell: way.bell,
            pidfd,
        }))
    }

    /// Readable when the child has ended.
    pub(super) fn ending(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// Takes in what it asks, `AT_ONCE` requests at most: each goes to `heard` with its place. Says whether there may
    /// be more.
    pub(super) fn take_in(self: &Arc<Self>, mut heard: impl FnMut(Place, Asked<'_>)) -> bool {
        let mut frame = Vec::new();
        let mut more = false;
        let mut count = 0;
        for (slot, number) in self.end.waiting() {
            if count == AT_ONCE {
                more = true;
                break;
            }
            let mut taken = lock(&self.taken);
            let Some(known) = taken.get_mut(slot) else {
                continue;
            };
            if *known == Some(number) || self.end.is_answered(slot, number) {
                continue;
            }
            *known = Some(number);
            drop(taken);
            count += 1;
            self.end.take(slot, LONGEST, &mut frame);
            let place = Place {
                channel: Arc::clone(self),
                slot,
                number,
            };
            match frames::asked(&frame) {
                Some(asked) => heard(place, asked),
                None => place.refuse(),
            }
        }
        more
    }

    /// Answers what the slot waits for, if that still is it.
    fn answer(&self, slot: usize, number: u32, reply: &[u8]) {
        let taken = lock(&self.taken);
        // One answer at a time, and only the one that is waited for, so that no two write into one another.
        if taken.get(slot).copied().flatten() == Some(number) {
            self.end.answer(slot, number, reply);
        }
    }
}

impl Place {
    /// The child's pid.
    pub(super) fn pid(&self) -> i32 {
        self.channel.pid
    }

    /// Its slot.
    pub(super) fn slot(&self) -> usize {
        self.slot
    }

    /// Whether somebody still waits there.
    pub(super) fn is_waited_for(&self) -> bool {
        self.channel.end.wanted(self.slot) == Some(self.number)
    }

    /// Says what was found.
    pub(super) fn answer(&self, found: &Found) {
        self.channel
            .answer(self.slot, self.number, &frames::answer(found));
    }

    /// Says that nothing will be.
    pub(super) fn refuse(&self) {
        self.channel.answer(self.slot, self.number, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::channel::slot::Progress;
    use crate::agent::channel::{ChildEnd, Way};
    use crate::agent::testing::TestOs;

    #[test]
    fn a_child_is_heard_a_little_at_a_time_whatever_it_asks() {
        const MANY: usize = 100;
        let (childs, way) = Way::pair(MANY, &TestOs).unwrap();
        let child = Child {
            pid: 7,
            way,
            pidfd: None,
        };
        let channel = Channel::new(child, 0, &TestOs).unwrap();
        let end = ChildEnd::new(childs, &TestOs).unwrap();
        let mut claims: Vec<_> = (0..MANY).map(|_| end.claim().unwrap()).collect();
        let question = frames::question(&[1; 32], b"leaf", b"issuer").unwrap();
        for claim in &mut claims {
            claim.ask(|_| question.clone());
        }
        let bells = Bells::new().unwrap();
        bells.add(&channel).unwrap();
        assert_eq!(bells.heard(), [7], "it rings");
        assert_eq!(bells.heard(), []);
        let mut all = Vec::new();
        for round in 1..=MANY.div_ceil(AT_ONCE) {
            let more = channel.take_in(|place, _| all.push(place));
            assert_eq!(all.len(), MANY.min(round * AT_ONCE));
            assert_eq!(more, all.len() < MANY);
        }
        // The same again is nothing new; another question in its place is, and the first one's answer is nobody's.
        channel.take_in(|_, _| panic!("asked before"));
        claims[0].ask(|_| question.clone());
        let old = all.remove(0);
        channel.take_in(|place, _| all.push(place));
        assert_eq!(all.len(), MANY);
        assert!(!old.is_waited_for() && all.iter().all(Place::is_waited_for));
        old.refuse();
        assert!(matches!(claims[0].progress(), Progress::Waiting(_)));
        let garbage = |number: u32| number.to_be_bytes().to_vec();
        claims[1].ask(garbage);
        channel.take_in(|_, _| panic!("it asks nothing"));
        assert_eq!(claims[1].progress(), Progress::Done);
    }

    #[test]
    fn whatever_a_child_does_to_its_bell_the_fetcher_goes_on() {
        use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
        let pair = |pid| {
            let (childs, way) = Way::pair(4, &TestOs).unwrap();
            let child = Child {
                pid,
                way,
                pidfd: None,
            };
            let end = ChildEnd::new(childs, &TestOs).unwrap();
            (end, Channel::new(child, 0, &TestOs).unwrap())
        };
        let ((bad_end, bad), (good_end, good)) = (pair(1), pair(2));
        let bells = Bells::new().unwrap();
        bells.add(&bad).unwrap();
        bells.add(&good).unwrap();
        assert_eq!(bells.heard(), []);
        let question = frames::question(&[1; 32], b"leaf", b"issuer").unwrap();
        let mut claims = [bad_end.claim().unwrap(), good_end.claim().unwrap()];
        for claim in &mut claims {
            claim.ask(|_| question.clone());
        }
        // It takes its stroke back, and makes whoever reads the bell wait for the next one.
        rustix::io::read(bad_end.bell(), &mut [0u8; 8]).unwrap();
        let flags = fcntl_getfl(bad_end.bell()).unwrap();
        fcntl_setfl(bad_end.bell(), flags - OFlags::NONBLOCK).unwrap();
        let (done, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut asked = Vec::new();
            for channel in [&bad, &good] {
                channel.take_in(|place, _| asked.push(place.pid()));
            }
            let rung = bells.heard();
            bells.remove(&good);
            done.send((asked, rung, bells, good))
        });
        let long = std::time::Duration::from_secs(30);
        let (asked, rung, bells, _good) = heard.recv_timeout(long).expect("it is not held up");
        assert_eq!(asked, [1, 2]);
        assert!(rung.contains(&2));
        claims[1].ask(|_| question.clone());
        assert_eq!(bells.heard(), [], "removed");
    }
}
