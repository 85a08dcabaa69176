// SPDX-License-Identifier: Apache-2.0
//! What a thread of the signer does.

use std::mem::MaybeUninit;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, Event};

use super::channels::{BELL, END};
use super::{Channel, EVENTS, Job, Settings, Signer, Slot, Task, WAKE, Work, lock};
use crate::agent::protocol::wire;
use crate::agent::protocol::wire::{Reply, Request, Status};

/// What a probe costs in the queue's measure, microseconds.
const PROBE_COST: u32 = 1;
/// What a refusal costs.
const REFUSAL_COST: u32 = 5;
/// Bytes that are copied, looked at and hashed for one more.
const BYTES_PER_COST: usize = 1024;
/// How long a turn may be about one thing before others no longer wait for it.
const STUCK: Duration = Duration::from_millis(20);
/// A child whose job had to wait for no more than so many others is taken to wait for it still.
const FRESH: u64 = 8;

impl Work {
    /// Whether there is a job that may be served.
    fn can_pop(&self, settings: Settings) -> bool {
        self.queue.can_pop(self.heavy < settings.threads.max(1))
    }

    /// The job that is next, and whether it is heavy.
    fn pop(&mut self, settings: Settings) -> Option<(Job, bool)> {
        self.queue.pop(self.heavy < settings.threads.max(1))
    }
}

impl Signer {
    /// A thread: takes in what has been asked, then serves the job that is next.
    ///
    /// As many threads as there are cores have a *turn*: they listen, or serve what is not heavy. The one more waits
    /// for a turn, and gets one when another thread begins with a heavy job; so a bell that rings while a thread serves
    /// wakes nobody who would only find that somebody else is about to do it.
    pub(super) fn work(&self) {
        loop {
            self.await_turn();
            let arrived = self.arrivals();
            self.enqueue(arrived);
            let mut work = lock(&self.work);
            let Some((job, heavy)) = work.pop(self.settings) else {
                work.turns -= 1;
                continue;
            };
            work.begun += 1;
            let is_fresh = work.begun - job.since <= FRESH;
            if heavy {
                work.heavy += 1;
                work.turns -= 1;
            }
            let more = work.idle > 0 && work.can_pop(self.settings);
            drop(work);
            if heavy {
                self.turn.notify_one();
            }
            if more {
                self.wake();
            }
            self.serve(&job, is_fresh);
            let mut work = lock(&self.work);
            if heavy {
                work.heavy -= 1;
            } else {
                work.turns -= 1;
            }
            drop(work);
            lock(&job.channel.done).push(job.slot);
            self.enqueue(self.look(&job.channel));
        }
    }

    /// Waits for a turn, but not while there is a job that may be served, nor for one that has not got on for long: what
    /// a child wrote may be slow to read, and where there is one core nobody else would listen meanwhile. As long as
    /// somebody listens nothing is waited for, and no time is kept.
    fn await_turn(&self) {
        let mut work = lock(&self.work);
        while work.turns >= self.settings.threads.max(1) && !work.can_pop(self.settings) {
            if work.idle > 0 {
                work.asleep += 1;
                work = self.turn.wait(work).unwrap_or_else(PoisonError::into_inner);
                work.asleep -= 1;
                continue;
            }
            let taken = work.taken;
            let waited = self.turn.wait_timeout(work, STUCK);
            let (locked, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            work = locked;
            if waited.timed_out() && work.idle == 0 && work.taken == taken {
                break;
            }
        }
        work.turns += 1;
        work.taken = work.taken.wrapping_add(1);
    }

    /// Wakes a thread.
    pub(super) fn wake(&self) {
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }

    /// Waits only when there is no job that may be served.
    fn arrivals(&self) -> Vec<Job> {
        let block = {
            let mut work = lock(&self.work);
            let block = !work.can_pop(self.settings);
            work.idle += usize::from(block);
            block
        };
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let mut events = [MaybeUninit::<Event>::uninit(); EVENTS];
        // One event per wake-up while idle, so that a burst wakes several threads.
        let room = if block {
            &mut events[..1]
        } else {
            &mut events[..]
        };
        let ready = epoll::wait(&self.epoll, room, if block { None } else { Some(&now) });
        if block {
            let mut work = lock(&self.work);
            work.idle -= 1;
            if work.idle == 0 && work.asleep > 0 {
                self.turn.notify_one();
            }
        }
        let Ok((ready, _)) = ready else {
            return Vec::new();
        };
        ready
            .iter()
            .flat_map(|event| self.arrival(event.data.u64()))
            .collect()
    }

    fn arrival(&self, event: u64) -> Vec<Job> {
        if event == WAKE {
            let _ = rustix::io::read(&self.wake, &mut [0u8; 8]);
            return Vec::new();
        }
        match (self.channel(event >> 1), event & 1) {
            (Some(channel), BELL) => {
                channel.rung.store(true, Ordering::SeqCst);
                self.look(&channel)
            }
            (Some(channel), END) => {
                self.close(&channel);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Takes in what waits in a child's slots. One thread looks at a time; the others leave it what they came for and
    /// go on, for what the child wrote may be slow to read.
    pub(super) fn look(&self, channel: &Arc<Channel>) -> Vec<Job> {
        // Who has the lock looks for what was left behind once it has given it back.
        fence(Ordering::SeqCst);
        let Some(mut slots) = try_lock(&channel.slots) else {
            return Vec::new();
        };
        let mut frame = Vec::new();
        let mut jobs = Vec::new();
        let done = std::mem::take(&mut *lock(&channel.done));
        for slot in done {
            jobs.extend(self.follow(channel, &mut slots, slot, &mut frame));
        }
        if channel.rung.swap(false, Ordering::SeqCst) {
            let waiting = channel.end.waiting().into_iter();
            let take =
                |(slot, number)| self.take(channel, slots.get_mut(slot)?, slot, number, &mut frame);
            jobs.extend(waiting.filter_map(take));
        }
        drop(slots);
        fence(Ordering::SeqCst);
        if channel.rung.load(Ordering::SeqCst) || !lock(&channel.done).is_empty() {
            self.look_again(channel);
        }
        jobs
    }

    /// A slot's job is done. Its child may have given that one up long ago and asked for another.
    fn follow(
        &self,
        channel: &Arc<Channel>,
        slots: &mut [Slot],
        slot: usize,
        frame: &mut Vec<u8>,
    ) -> Option<Job> {
        let known = slots.get_mut(slot)?;
        known.busy = false;
        if !std::mem::take(&mut known.again) || channel.closed.load(Ordering::Acquire) {
            return None;
        }
        let next = channel.end.wanted(slot)?;
        self.take(channel, known, slot, next, frame)
    }

    /// The request of a slot as a job, unless it is none that is new, or another one of the slot is under way.
    fn take(
        &self,
        channel: &Arc<Channel>,
        known: &mut Slot,
        slot: usize,
        number: u32,
        frame: &mut Vec<u8>,
    ) -> Option<Job> {
        if known.taken == Some(number) || channel.end.is_answered(slot, number) {
            return None;
        }
        if known.busy {
            known.again = true;
            return None;
        }
        known.taken = Some(number);
        known.busy = true;
        channel.end.take(slot, self.longest, frame);
        let task = self.task(frame, number);
        Some(Job {
            channel: Arc::clone(channel),
            slot,
            number,
            task: task.unwrap_or_else(|status| Task::Refuse(status, frame.len())),
            since: 0,
        })
    }

    fn task(&self, frame: &[u8], number: u32) -> Result<Task, Status> {
        if wire::parse_probe(frame) == Ok(number) {
            return Ok(Task::Probe);
        }
        let request = Request::parse(frame).map_err(|_| Status::Malformed)?;
        if request.number != number {
            return Err(Status::Malformed);
        }
        let checked = self.keys.check(&request)?;
        let key = (request.role, request.key);
        Ok(Task::Sign(checked, request.message.to_vec(), key))
    }

    pub(super) fn enqueue(&self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let mut work = lock(&self.work);
        for mut job in jobs {
            job.since = work.begun;
            if job.channel.closed.load(Ordering::Acquire) {
                continue;
            }
            let (key, cost, heavy) = match &job.task {
                Task::Sign(checked, message, key) => {
                    let cost = checked.cost.saturating_add(cost_of(message.len()));
                    (Some(*key), cost, checked.heavy())
                }
                Task::Probe => (None, PROBE_COST, false),
                Task::Refuse(_, length) => {
                    (None, REFUSAL_COST.saturating_add(cost_of(*length)), false)
                }
            };
            work.queue.push(job.channel.token, key, cost, heavy, job);
        }
    }

    fn serve(&self, job: &Job, is_fresh: bool) {
        let Job {
            channel,
            slot,
            number,
            task,
            ..
        } = job;
        if channel.closed.load(Ordering::Acquire) {
            return;
        }
        let is_wanted = || channel.end.wanted(*slot) == Some(*number);
        match task {
            Task::Probe => reply(channel, *slot, *number, Status::Present, &[]),
            // What was copied while its child gave it up for another request may be torn.
            Task::Refuse(status, _) if is_wanted() => {
                if *status == Status::Malformed {
                    self.say_of(channel, "asked for what is no signature");
                }
                reply(channel, *slot, *number, *status, &[]);
            }
            // What nobody waits for any more is not worth a signature.
            Task::Sign(checked, message, _) if is_fresh || is_wanted() => {
                match checked.sign(message) {
                    Ok(signature) => reply(channel, *slot, *number, Status::Done, &signature),
                    Err(status) => reply(channel, *slot, *number, status, &[]),
                }
            }
            Task::Sign(..) | Task::Refuse(..) => {}
        }
    }
}

fn try_lock<T>(mutex: &std::sync::Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

fn cost_of(bytes: usize) -> u32 {
    u32::try_from(bytes / BYTES_PER_COST).unwrap_or(u32::MAX)
}

fn reply(channel: &Channel, slot: usize, number: u32, status: Status, signature: &[u8]) {
    let reply = Reply {
        status,
        number,
        signature,
    };
    let frame = [&reply.head()[..], signature].concat();
    channel.end.answer(slot, number, &frame);
}
