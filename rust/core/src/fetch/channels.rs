//! The children that ask, each over a channel of its own.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::frames::{self, Asked, LONGEST};
use super::results::Found;
use crate::agent::Os;
use crate::agent::channel::SignerEnd;
use crate::agent::protocol::children::Child;

/// Requests of one child that are taken in at a time.
const AT_ONCE: usize = 16;
/// How long a child that has just been listened to is not listened to again.
const QUIET: Duration = Duration::from_millis(2);

/// A request of a child, by slot and number.
#[derive(Clone, Debug)]
pub struct Place {
    channel: Arc<Channel>,
    slot: usize,
    number: u32,
}

/// The fetcher's end of a child's channel.
pub struct Channel {
    /// The child's pid.
    pub pid: i32,
    end: SignerEnd,
    bell: OwnedFd,
    pidfd: Option<OwnedFd>,
    state: Mutex<State>,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

struct State {
    /// The number of the request that each slot waits for, whatever the child writes.
    taken: Vec<Option<u32>>,
    watch: Option<usize>,
    quiet_until: Instant,
}

impl Channel {
    /// Serves a child.
    ///
    /// # Errors
    /// Its memory cannot be mapped.
    pub fn new(child: Child, epoch: u32, os: &dyn Os) -> io::Result<Arc<Self>> {
        let Child { pid, way, pidfd } = child;
        let end = SignerEnd::new(way.slots, way.requests, &way.replies, epoch, os)?;
        let state = State {
            taken: vec![None; end.slots()],
            watch: None,
            quiet_until: Instant::now(),
        };
        Ok(Arc::new(Self {
            pid,
            end,
            bell: way.bell,
            pidfd,
            state: Mutex::new(state),
        }))
    }

    /// Readable when the child has ended.
    pub fn ending(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// Readable when it has rung; `Err` where it is to wait for so long.
    pub fn bell(&self, now: Instant) -> Result<BorrowedFd<'_>, Duration> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.quiet_until.saturating_duration_since(now) {
            left if left.is_zero() => Ok(self.bell.as_fd()),
            left => Err(left),
        }
    }

    /// Takes in what it asks, `AT_ONCE` requests at most: each goes to `heard` with its place, and with the place's number
    /// of before, for which nobody waits any more.
    pub fn take_in(self: &Arc<Self>, now: Instant, mut heard: impl FnMut(Place, Asked<'_>)) {
        let _ = rustix::io::read(&self.bell, &mut [0u8; 8]);
        let mut frame = Vec::new();
        let mut more = false;
        let mut taken = 0;
        for (slot, number) in self.end.waiting() {
            if taken == AT_ONCE {
                more = true;
                break;
            }
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(known) = state.taken.get_mut(slot) else {
                continue;
            };
            if *known == Some(number) || self.end.is_answered(slot, number) {
                continue;
            }
            *known = Some(number);
            taken += 1;
            self.end.take(slot, LONGEST, &mut frame);
            let asked = frames::asked(&frame);
            if asked == Some(Asked::Watch) {
                state.watch = Some(slot);
                continue;
            }
            drop(state);
            let place = Place {
                channel: Arc::clone(self),
                slot,
                number,
            };
            match asked {
                Some(asked) => heard(place, asked),
                None => place.refuse(),
            }
        }
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .quiet_until = now + QUIET;
        if more {
            let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
        }
    }

    /// Answers what the slot waits for, if that still is it.
    fn answer(&self, slot: usize, number: u32, reply: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // One answer at a time, and only the one that is waited for, so that no two write into one another.
        if state.taken.get(slot).copied().flatten() == Some(number) {
            self.end.answer(slot, number, reply);
        }
        if let Some(watch) = state.watch.take()
            && let Some(number) = state.taken.get(watch).copied().flatten()
        {
            self.end.answer(watch, number, &[]);
        }
    }
}

impl Place {
    /// The child's pid.
    pub fn pid(&self) -> i32 {
        self.channel.pid
    }

    /// Whether somebody still waits there.
    pub fn is_waited_for(&self) -> bool {
        self.channel.end.wanted(self.slot) == Some(self.number)
    }

    /// Says what was found.
    pub fn answer(&self, found: &Found) {
        self.channel
            .answer(self.slot, self.number, &frames::answer(found));
    }

    /// Says that nothing will be.
    pub fn refuse(&self) {
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
        let mut now = Instant::now();
        let mut all = Vec::new();
        for round in 1..=MANY.div_ceil(AT_ONCE) {
            let bell = channel.bell(now).unwrap();
            assert!(rustix::io::read(bell, &mut [0u8; 8]).is_ok(), "it rings");
            channel.take_in(now, |place, _| all.push(place));
            assert_eq!(all.len(), MANY.min(round * AT_ONCE));
            assert!(channel.bell(now).is_err(), "others are listened to first");
            now += QUIET;
        }
        // The same again is nothing new; another question in its place is, and the first one's answer is nobody's.
        channel.take_in(now, |_, _| panic!("asked before"));
        claims[0].ask(|_| question.clone());
        let old = all.remove(0);
        channel.take_in(now, |place, _| all.push(place));
        assert_eq!(all.len(), MANY);
        assert!(!old.is_waited_for() && all.iter().all(Place::is_waited_for));
        old.refuse();
        assert!(matches!(claims[0].progress(), Progress::Waiting(_)));
        let garbage = |number: u32| number.to_be_bytes().to_vec();
        claims[1].ask(garbage);
        channel.take_in(now, |_, _| panic!("it asks nothing"));
        assert_eq!(claims[1].progress(), Progress::Done);
    }
}
