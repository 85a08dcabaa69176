//! The signer: answers children that may be captured, on as many threads as there are cores, fairly by key.
//!
//! A client has one request under way at most; a second one, a frame that does not parse or an answer that is not
//! read costs it its connection. So the memory for a client is bounded by one frame, whatever it sends.

use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendFlags, SocketType, send, sendmsg, sockopt,
};

use super::Os;
use super::fair::FairQueue;
use super::keys::{Checked, KeyTable};
use super::wire::{self, KeyId, MAX_REQUEST, Reply, Request, Role, Status, VERSION};

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

    fn admit_clients(&self, broker: BorrowedFd<'_>, ends: &Ends<'_>) -> io::Result<()> {
        let mut supervised = true;
        loop {
            let mut fds = vec![PollFd::new(&broker, PollFlags::IN)];
            fds.extend(ends.parent.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
            if supervised {
                fds.push(PollFd::new(&ends.retire, PollFlags::IN));
            }
            match poll(&mut fds, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let seen: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
            let (parent, retire) = seen
                .get(1..)
                .unwrap_or_default()
                .split_at(ends.parent.len());
            if parent.iter().any(|events| !events.is_empty()) {
                return Ok(());
            }
            match retire.first() {
                Some(events) if events.contains(PollFlags::IN) => return Ok(()),
                // The supervisor died. Its successor makes a new signer and the parent then ends this one.
                Some(events) if !events.is_empty() => supervised = false,
                _ => {}
            }
            if seen
                .first()
                .is_some_and(|events| events.contains(PollFlags::IN))
            {
                self.admit_one(broker);
            }
        }
    }

    /// Takes one message of the broker: a hello with the client's socket.
    fn admit_one(&self, broker: BorrowedFd<'_>) {
        let mut frame = [0; 8];
        let Ok(received) = self.os.receive(broker, &mut frame) else {
            return;
        };
        let Some(socket) = received.fd else {
            return;
        };
        if sockopt::socket_domain(&socket) != Ok(AddressFamily::UNIX)
            || sockopt::socket_type(&socket) != Ok(SocketType::SEQPACKET)
        {
            return;
        }
        let status = match wire::parse_hello(frame.get(..received.length).unwrap_or_default()) {
            Ok(VERSION) if (self.admit)(received.pid) => self.register(received.pid),
            Ok(VERSION) => Err(Status::Refused),
            Ok(_) => Err(Status::OtherVersion),
            Err(_) => return,
        };
        let client = match status {
            Ok(client) => client,
            Err(status) => {
                (self.notice)(&format!(
                    "process {} was refused: {}",
                    received.pid,
                    status.words()
                ));
                let _ = send_frame(socket.as_fd(), &wire::welcome(status));
                return;
            }
        };
        let client = Arc::new(Client {
            token: client,
            pid: received.pid,
            socket,
            busy: AtomicBool::new(false),
        });
        // Before the welcome, so that every frame of an honest client carries its sender's credentials.
        let ready = sockopt::set_socket_passcred(&client.socket, true).is_ok();
        lock(&self.clients)
            .by_token
            .insert(client.token, Arc::clone(&client));
        let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        let data = EventData::new_u64(client.token);
        let added = ready && epoll::add(&self.epoll, &client.socket, data, flags).is_ok();
        if !added || send_frame(client.socket.as_fd(), &wire::welcome(Status::Done)).is_err() {
            self.forget(&client);
        }
    }

    /// Counts a client of `pid`; gives its token.
    fn register(&self, pid: i32) -> Result<u64, Status> {
        let mut clients = lock(&self.clients);
        if clients.by_token.len() >= self.limits.total {
            return Err(Status::Refused);
        }
        let held = clients.by_process.entry(pid).or_insert(0);
        if *held >= self.limits.per_process {
            return Err(Status::Refused);
        }
        *held += 1;
        let token = clients.next;
        clients.next += 1;
        Ok(token)
    }

    fn forget(&self, client: &Client) {
        let mut clients = lock(&self.clients);
        if clients.by_token.remove(&client.token).is_none() {
            return;
        }
        if let Some(held) = clients.by_process.get_mut(&client.pid) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                clients.by_process.remove(&client.pid);
            }
        }
        drop(clients);
        let _ = epoll::delete(&self.epoll, &client.socket);
    }

    fn drop_hostile(&self, client: &Client, why: &str) {
        self.forget(client);
        let _ = rustix::net::shutdown(&client.socket, rustix::net::Shutdown::Both);
        (self.notice)(&format!("process {} was cut off: {why}", client.pid));
    }

    /// A thread: takes in what has arrived, then serves the job whose key has had least.
    fn work(&self) {
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
