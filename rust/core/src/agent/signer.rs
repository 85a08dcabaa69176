// SPDX-License-Identifier: Apache-2.0
//! The signer: answers children that may be captured, on as many threads as there are cores, fairly by key and process.
//!
//! Each child has a channel of its own ([`super::channel`]). A slot of it has one request in the queue at most, whatever
//! the child writes, and what is refused stands in the queue too, so that memory and time for a child are bounded by its
//! slots and by its share; what a child asked for leaves the queue with it.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Barrier, Condvar, Mutex};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};

use super::Os;
use super::channel::SignerEnd;
use super::protocol::log_relay::LogKind;
use super::protocol::wire::{KeyId, REQUEST_HEAD, Role, Status};
use crate::system::lock;
use fair::FairQueue;
use keys::{Checked, KeyTable};

mod channels;
mod fair;
pub(super) mod keys;
pub mod message_check;
mod work;

pub use channels::RETIRE;

/// The event that wakes a thread; a channel's are its bell and its process's end.
const WAKE: u64 = 0;
const EVENTS: usize = 16;

/// What a signer is told at its start.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Threads that sign heavy signatures; one more is kept for the others.
    pub threads: usize,
    /// Tells it from signers that may live at the same time.
    pub epoch: u32,
}

/// What ends a signer, and tells it of children.
#[derive(Debug)]
pub struct Ends<'a> {
    /// Any of these becoming readable: the parent is gone, or has made another agent.
    pub parent: Vec<BorrowedFd<'a>>,
    /// The supervisor's word. Its mere end: the supervisor is gone.
    pub supervisor: BorrowedFd<'a>,
}

/// Where the signer says what an administrator should know: what it is about, and a line of text.
pub type Notice = Box<dyn Fn(LogKind, &str) + Send + Sync>;

/// A signer before and while it runs.
pub struct Signer {
    os: Arc<dyn Os>,
    keys: Arc<KeyTable>,
    settings: Settings,
    /// Bytes of the longest request that a key here could sign.
    longest: usize,
    notice: Notice,
    epoll: OwnedFd,
    wake: OwnedFd,
    channels: Mutex<Channels>,
    /// Children that cannot be served, of which the supervisor is to tell again.
    unserved: Mutex<BTreeSet<i32>>,
    work: Mutex<Work>,
    /// There may be a turn.
    turn: Condvar,
}

#[derive(Default)]
struct Channels {
    by_token: HashMap<u64, Arc<Channel>>,
    by_process: HashMap<i32, u64>,
    next: u64,
}

/// One child's.
struct Channel {
    token: u64,
    pid: i32,
    end: SignerEnd,
    bell: OwnedFd,
    pidfd: Option<OwnedFd>,
    /// Locked while words are looked at that the child may have the reader wait for: nobody waits for this lock.
    slots: Mutex<Vec<Slot>>,
    /// Rung, and nobody has looked since.
    rung: AtomicBool,
    /// Slots whose jobs are done, of which `slots` does not know yet.
    done: Mutex<Vec<usize>>,
    closed: AtomicBool,
}

/// What this signer knows of a slot, whatever the child writes.
#[derive(Clone, Copy, Default)]
struct Slot {
    /// The number of the request that was taken last.
    taken: Option<u32>,
    /// It is in the queue, or being served.
    busy: bool,
    /// Another one was seen meanwhile.
    again: bool,
}

#[derive(Default)]
struct Work {
    queue: FairQueue<u64, Option<(Role, KeyId)>, Job>,
    idle: usize,
    heavy: usize,
    /// Threads that listen, or serve what is not heavy.
    turns: usize,
    /// How many turns have been taken.
    taken: u64,
    /// Threads that wait for a turn while others listen, until nobody does.
    asleep: usize,
    /// How many jobs have been begun with.
    begun: u64,
}

struct Job {
    channel: Arc<Channel>,
    slot: usize,
    number: u32,
    task: Task,
    /// How many jobs had been begun with when it came.
    since: u64,
}

enum Task {
    Sign(Checked, Vec<u8>, (Role, KeyId)),
    Probe,
    /// Of so many bytes.
    Refuse(Status, usize),
}

impl Signer {
    /// A signer over `keys`; nothing runs yet.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(
        os: Arc<dyn Os>,
        keys: Arc<KeyTable>,
        settings: Settings,
        notice: Notice,
    ) -> io::Result<Arc<Self>> {
        let longest = REQUEST_HEAD + keys.longest_message();
        let signer = Self {
            os,
            longest,
            keys,
            settings,
            notice,
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            wake: eventfd(
                0,
                EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK | EventfdFlags::SEMAPHORE,
            )?,
            channels: Mutex::default(),
            unserved: Mutex::default(),
            work: Mutex::default(),
            turn: Condvar::new(),
        };
        epoll::add(
            &signer.epoll,
            &signer.wake,
            EventData::new_u64(WAKE),
            EventFlags::IN,
        )?;
        Ok(Arc::new(signer))
    }

    /// Starts the threads, calls `seal` when all of them have what they need of the system, then listens to the
    /// supervisor until it is to end. Returns while the threads still run: the caller ends the process.
    ///
    /// # Errors
    /// What the system says of the threads, or what `seal` does.
    pub fn run(
        self: &Arc<Self>,
        ends: &Ends<'_>,
        seal: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let threads = self.settings.threads.max(1) + 1;
        let warm = Arc::new(Barrier::new(threads + 1));
        let sealed = Arc::new(Barrier::new(threads + 1));
        for _ in 0..threads {
            let (signer, warm, sealed) = (Arc::clone(self), Arc::clone(&warm), Arc::clone(&sealed));
            std::thread::Builder::new()
                .stack_size(512 * 1024)
                .spawn(move || {
                    warm_up();
                    warm.wait();
                    sealed.wait();
                    let _ = catch_unwind(AssertUnwindSafe(|| signer.work()));
                    // A thread ends by a defect only; a whole new signer is better than one with a thread less.
                    signer.os.exit(70);
                })?;
        }
        warm.wait();
        seal()?;
        sealed.wait();
        self.attend(ends)
    }
}

/// Draws a random number, so that no client pays for seeding the thread's generator and nothing has to be opened
/// for it later.
fn warm_up() {
    let mut byte = [0; 1];
    let _ = aws_lc_rs::rand::fill(&mut byte);
}

#[cfg(test)]
mod tests;
