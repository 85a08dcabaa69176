//! What a thread of the signer does.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::event::Timespec;
use rustix::event::epoll::{self, Event};

use super::channels::{BELL, END};
use super::{Channel, EVENTS, Job, Signer, Task, WAKE, lock};
use crate::agent::wire::{self, Reply, Request, Status};

/// How often a slot is looked at for one stroke of the bell.
const LOOKS: usize = 3;
/// What a probe costs in the queue's measure.
const PROBE_COST: u32 = 1;

impl Signer {
    /// A thread: takes in what has been asked, then serves the job that is next.
    pub(super) fn work(&self) {
        loop {
            let arrived = self.arrivals();
            self.enqueue(arrived);
            let mut work = lock(&self.work);
            let allow_heavy = work.heavy < self.settings.threads.max(1);
            let Some((job, heavy)) = work.queue.pop(allow_heavy) else {
                continue;
            };
            work.heavy += usize::from(heavy);
            let allow_heavy = work.heavy < self.settings.threads.max(1);
            let more = work.idle > 0 && work.queue.can_pop(allow_heavy);
            drop(work);
            if more {
                self.wake();
            }
            self.serve(&job);
            lock(&self.work).heavy -= usize::from(heavy);
            self.done(&job.channel, job.slot);
        }
    }

    /// Wakes a thread.
    pub(super) fn wake(&self) {
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }

    /// Waits only when there is no job that may be served.
    fn arrivals(&self) -> Vec<Job> {
        let block = {
            let mut work = lock(&self.work);
            let block = !work
                .queue
                .can_pop(work.heavy < self.settings.threads.max(1));
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
            lock(&self.work).idle -= 1;
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
                let asked = channel.end.requests();
                self.take_in(&channel, asked)
            }
            (Some(channel), END) => {
                self.close(&channel);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Takes the requests of some slots; those that are refused are answered.
    pub(super) fn take_in(
        &self,
        channel: &Arc<Channel>,
        slots: impl IntoIterator<Item = usize>,
    ) -> Vec<Job> {
        let mut frame = Vec::new();
        let take = |slot| self.take_one(channel, slot, &mut frame);
        slots.into_iter().filter_map(take).collect()
    }

    /// The request of a slot as a job, unless one of the slot is under way.
    fn take_one(&self, channel: &Arc<Channel>, slot: usize, frame: &mut Vec<u8>) -> Option<Job> {
        let busy = channel.busy.get(slot)?;
        for _ in 0..LOOKS {
            if busy.swap(true, Ordering::AcqRel) {
                return None;
            }
            if let Some(number) = channel.end.take(slot, frame) {
                match self.task(frame, number) {
                    Ok(task) => {
                        return Some(Job {
                            channel: Arc::clone(channel),
                            slot,
                            number,
                            task,
                        });
                    }
                    Err(status) => {
                        if status == Status::Malformed {
                            self.say_of(channel, "asked for what is no signature");
                        }
                        reply(channel, slot, number, status, &[]);
                    }
                }
            }
            // Another thread that meanwhile heard the bell for this slot has left it to this one.
            busy.swap(false, Ordering::AcqRel);
            if !channel.end.is_asked(slot) {
                break;
            }
        }
        None
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
        for job in jobs {
            if job.channel.closed.load(Ordering::Acquire) {
                continue;
            }
            let (key, cost, heavy) = match &job.task {
                Task::Sign(checked, _, key) => (Some(*key), checked.cost, checked.heavy()),
                Task::Probe => (None, PROBE_COST, false),
            };
            work.queue.push(job.channel.token, key, cost, heavy, job);
        }
    }

    fn serve(&self, job: &Job) {
        let Job {
            channel,
            slot,
            number,
            task,
        } = job;
        // What nobody waits for any more is not worth a signature.
        if channel.closed.load(Ordering::Acquire) || !channel.end.is_wanted(*slot, *number) {
            return;
        }
        match task {
            Task::Probe => reply(channel, *slot, *number, Status::Present, &[]),
            Task::Sign(checked, message, _) => match checked.sign(message) {
                Ok(signature) => reply(channel, *slot, *number, Status::Done, &signature),
                Err(status) => reply(channel, *slot, *number, status, &[]),
            },
        }
    }

    /// A slot's job is done. Its child may have given that one up long ago and asked for another.
    fn done(&self, channel: &Arc<Channel>, slot: usize) {
        if let Some(busy) = channel.busy.get(slot) {
            busy.swap(false, Ordering::AcqRel);
        }
        if !channel.closed.load(Ordering::Acquire) {
            self.enqueue(self.take_in(channel, [slot]));
        }
    }
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
