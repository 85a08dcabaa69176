//! What a thread of the signer does.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::event::Timespec;
use rustix::event::epoll::{self, Event};
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};

use super::{Client, EVENTS, Job, Signer, WAKE, lock};
use crate::agent::wire::{KeyId, MAX_REQUEST, Reply, Request, Role, Status};

impl Signer {
    /// A thread: takes in what has arrived, then serves the job whose key has had least.
    pub(super) fn work(&self) {
        let mut buffer = vec![0; MAX_REQUEST + 1];
        loop {
            let arrived = self.arrivals(&mut buffer);
            let mut work = lock(&self.work);
            for (cost, heavy, job, key) in arrived {
                work.queue.push(key, cost, heavy, job);
            }
            let allow_heavy = work.heavy < self.limits.threads.max(1);
            let Some((job, heavy)) = work.queue.pop(allow_heavy) else {
                continue;
            };
            work.heavy += usize::from(heavy);
            let more = work.idle > 0 && work.queue.can_pop(work.heavy < self.limits.threads.max(1));
            drop(work);
            if more {
                let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
            }
            self.serve(&job);
            lock(&self.work).heavy -= usize::from(heavy);
        }
    }

    /// Waits only when there is no job that may be served.
    fn arrivals(&self, buffer: &mut [u8]) -> Vec<(u32, bool, Job, (Role, KeyId))> {
        let block = {
            let mut work = lock(&self.work);
            let block = !work.queue.can_pop(work.heavy < self.limits.threads.max(1));
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
            .filter_map(|event| self.arrival(event.data.u64(), buffer))
            .collect()
    }

    fn arrival(&self, token: u64, buffer: &mut [u8]) -> Option<(u32, bool, Job, (Role, KeyId))> {
        if token == WAKE {
            let _ = rustix::io::read(&self.wake, &mut [0u8; 8]);
            return None;
        }
        let client = lock(&self.clients).by_token.get(&token).map(Arc::clone)?;
        let received = match self.os.receive(client.socket.as_fd(), buffer) {
            Ok(received) => received,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Err(_) => {
                self.forget(&client);
                return None;
            }
        };
        if received.length == 0 {
            self.forget(&client);
            return None;
        }
        let hostile = if received.pid != client.pid {
            Some("its connection was used by another process")
        } else if client.busy.swap(true, Ordering::AcqRel) {
            Some("a request while another was under way")
        } else {
            None
        };
        if let Some(why) = hostile {
            self.drop_hostile(&client, why);
            return None;
        }
        let frame = buffer.get(..received.length).unwrap_or_default();
        let Ok(request) = Request::parse(frame) else {
            self.drop_hostile(&client, "a malformed request");
            return None;
        };
        match self.keys.check(&request) {
            Ok(checked) => {
                let (cost, heavy, number) = (checked.cost, checked.heavy(), request.number);
                let key = (request.role, request.key);
                let job = Job {
                    client,
                    checked,
                    number,
                    message: request.message.to_vec(),
                };
                Some((cost, heavy, job, key))
            }
            Err(status) => {
                self.reply(
                    &client,
                    &Reply {
                        status,
                        number: request.number,
                        signature: &[],
                    },
                );
                None
            }
        }
    }

    fn serve(&self, job: &Job) {
        let number = job.number;
        match job.checked.sign(&job.message) {
            Ok(signature) => self.reply(
                &job.client,
                &Reply {
                    status: Status::Done,
                    number,
                    signature: &signature,
                },
            ),
            Err(status) => self.reply(
                &job.client,
                &Reply {
                    status,
                    number,
                    signature: &[],
                },
            ),
        }
    }

    fn reply(&self, client: &Client, reply: &Reply<'_>) {
        // First, since the client may ask again as soon as it has the answer.
        client.busy.store(false, Ordering::Release);
        let head = reply.head();
        let parts = [IoSlice::new(&head), IoSlice::new(reply.signature)];
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        if sendmsg(
            &client.socket,
            &parts,
            &mut SendAncillaryBuffer::default(),
            flags,
        )
        .is_err()
        {
            self.forget(client);
        }
    }
}
