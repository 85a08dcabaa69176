//! The signer: answers children that may be captured, on as many threads as there are cores, fairly by key.
//!
//! A client has one request under way at most; a second one, a frame that does not parse or an answer that is not
//! read costs it its connection. So the memory for a client is bounded by one frame, whatever it sends.

use std::collections::HashMap;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::net::{SendFlags, send};

use super::Os;
use super::fair::FairQueue;
use super::keys::{Checked, KeyTable};
use super::wire::{KeyId, Role};

mod clients;
mod work;

const WAKE: u64 = 0;
const FIRST_CLIENT: u64 = 1;
const EVENTS: usize = 16;

/// Bounds of a signer.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Threads that sign heavy signatures; one more is kept for the others.
    pub threads: usize,
    /// Connections that one process may hold.
    pub per_process: usize,
    /// Connections in all.
    pub total: usize,
}

/// What ends a signer.
#[derive(Debug)]
pub struct Ends<'a> {
    /// Any of these becoming readable: the parent is gone, or has made another agent.
    pub parent: Vec<BorrowedFd<'a>>,
    /// A byte in this pipe: the supervisor has made another signer. Its mere end: the supervisor is gone.
    pub retire: BorrowedFd<'a>,
}

/// Who may connect, by pid.
pub type Admit = Box<dyn Fn(i32) -> bool + Send + Sync>;

/// Where the signer says what an administrator should know: one line of text.
pub type Notice = Box<dyn Fn(&str) + Send + Sync>;

/// A signer before and while it runs.
pub struct Signer {
    os: Arc<dyn Os>,
    keys: Arc<KeyTable>,
    limits: Limits,
    admit: Admit,
    notice: Notice,
    epoll: OwnedFd,
    wake: OwnedFd,
    clients: Mutex<Clients>,
    work: Mutex<Work>,
}

#[derive(Default)]
struct Clients {
    by_token: HashMap<u64, Arc<Client>>,
    by_process: HashMap<i32, usize>,
    next: u64,
}

struct Client {
    token: u64,
    pid: i32,
    socket: OwnedFd,
    busy: AtomicBool,
}

#[derive(Default)]
struct Work {
    queue: FairQueue<(Role, KeyId), Job>,
    idle: usize,
    heavy: usize,
}

struct Job {
    client: Arc<Client>,
    checked: Checked,
    number: u32,
    message: Vec<u8>,
}

impl Signer {
    /// A signer over `keys`; nothing runs yet.
    pub fn new(
        os: Arc<dyn Os>,
        keys: Arc<KeyTable>,
        limits: Limits,
        admit: Admit,
        notice: Notice,
    ) -> io::Result<Arc<Self>> {
        let signer = Self {
            os,
            keys,
            limits,
            admit,
            notice,
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            wake: eventfd(
                0,
                EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK | EventfdFlags::SEMAPHORE,
            )?,
            clients: Mutex::new(Clients {
                next: FIRST_CLIENT,
                ..Clients::default()
            }),
            work: Mutex::new(Work::default()),
        };
        epoll::add(
            &signer.epoll,
            &signer.wake,
            EventData::new_u64(WAKE),
            EventFlags::IN,
        )?;
        Ok(Arc::new(signer))
    }

    /// Starts the threads, calls `seal` when all of them have what they need of the system, then admits clients
    /// from `broker` until it is to end. Returns while the threads still run: the caller ends the process.
    pub fn run(
        self: &Arc<Self>,
        broker: BorrowedFd<'_>,
        ends: &Ends<'_>,
        seal: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let threads = self.limits.threads.max(1) + 1;
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
        self.admit_clients(broker, ends)
    }
}

/// Draws a random number, so that no client pays for seeding the thread's generator and nothing has to be opened
/// for it later.
fn warm_up() {
    let mut byte = [0; 1];
    let _ = aws_lc_rs::rand::fill(&mut byte);
}

fn send_frame(socket: BorrowedFd<'_>, frame: &[u8]) -> rustix::io::Result<usize> {
    send(socket, frame, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
