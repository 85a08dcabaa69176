//! The way from a child's threads to the signer: one socket per thread, made when it is first needed.

use std::cell::RefCell;
use std::fmt;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
    SocketType, recv, send, sendmsg, socketpair,
};
use rustls::SignatureScheme;

use super::wire::{self, KeyId, MAX_REPLY, Reply, Request, Role, Status};

/// How long a signature may take, all attempts together.
const DEADLINE: Duration = Duration::from_secs(1);
/// A signer that has answered nobody in this process for so long counts as stalled.
const STALL_MS: u64 = 100;
/// How often a thread beyond the quarter looks whether the signer has stalled.
const LOOK: Duration = Duration::from_millis(20);
/// A signer can be replaced in the middle of a handshake, by a reload or after a crash; more often means trouble.
const ATTEMPTS: u32 = 4;

static NEXT_TRANSPORT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static LINK: RefCell<Option<Link>> = const { RefCell::new(None) };
}

/// This thread's connection to the signer.
struct Link {
    transport: u64,
    pid: u32,
    socket: OwnedFd,
}

/// The way to the signer, shared by all remote keys of a process and inherited by fork.
///
/// At most a quarter of a process's threads wait for a signer that has stalled; a busy one that answers is waited
/// for by as many threads as ask, each for a second at most.
#[derive(Debug)]
pub struct Transport {
    id: u64,
    broker: OwnedFd,
    started: Instant,
    waiting: AtomicUsize,
    quarter: AtomicUsize,
    progress_ms: AtomicU64,
    number: AtomicU32,
}

/// Why there is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignError {
    /// No answer within a second.
    TimedOut,
    /// The signer has stalled and a quarter of the threads wait for it already.
    Crowded,
    /// The signer answered that it will not sign.
    Refused(Status),
    /// The signer's answer makes no sense, or it went away several times.
    Broken,
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "the key agent did not answer within a second",
            Self::Crowded => {
                "the key agent does not answer, and enough handshakes wait for it already"
            }
            Self::Refused(status) => status.words(),
            Self::Broken => "the connection to the key agent broke",
        })
    }
}

/// An attempt that failed; the first kind is worth another attempt.
enum Attempt {
    Gone,
    Final(SignError),
}

impl Transport {
    /// A transport over the children's end of the broker. `threads` is how many threads this process serves with.
    pub fn new(broker: OwnedFd, threads: usize) -> Arc<Self> {
        let transport = Self {
            id: NEXT_TRANSPORT.fetch_add(1, Ordering::Relaxed),
            broker,
            started: Instant::now(),
            waiting: AtomicUsize::new(0),
            quarter: AtomicUsize::new(1),
            progress_ms: AtomicU64::new(0),
            number: AtomicU32::new(1),
        };
        transport.set_threads(threads);
        Arc::new(transport)
    }

    /// Says how many threads this process serves with (called in child_init, before any of them runs).
    pub fn set_threads(&self, threads: usize) {
        self.quarter.store((threads / 4).max(1), Ordering::Relaxed);
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn stalled(&self) -> bool {
        self.now_ms()
            .saturating_sub(self.progress_ms.load(Ordering::Relaxed))
            > STALL_MS
    }

    /// Has `message` signed. Blocks the calling thread for at most a second.
    pub fn sign(
        &self,
        role: Role,
        key: KeyId,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<Vec<u8>, SignError> {
        let place = Place::take(self);
        if place.crowded && self.stalled() {
            return Err(SignError::Crowded);
        }
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let request = Request {
            role,
            number,
            scheme,
            key,
            message,
        };
        let deadline = Instant::now() + DEADLINE;
        for _ in 0..ATTEMPTS {
            match self.attempt(&request, &place, deadline) {
                Ok(signature) => {
                    self.progress_ms.store(self.now_ms(), Ordering::Relaxed);
                    return Ok(signature);
                }
                Err(Attempt::Gone) => {}
                Err(Attempt::Final(error)) => return Err(error),
            }
        }
        Err(SignError::Broken)
    }

    fn attempt(
        &self,
        request: &Request<'_>,
        place: &Place<'_>,
        deadline: Instant,
    ) -> Result<Vec<u8>, Attempt> {
        let socket = match self.take_link() {
            Some(socket) => socket,
            None => self.connect(place, deadline)?,
        };
        send_request(socket.as_fd(), request)?;
        place.wait(socket.as_fd(), deadline)?;
        let mut frame = [0; MAX_REPLY + 1];
        let length = receive(socket.as_fd(), &mut frame)?;
        let frame = frame.get(..length).unwrap_or_default();
        let reply = Reply::parse(frame).map_err(|_| Attempt::Final(SignError::Broken))?;
        if reply.number != request.number {
            return Err(Attempt::Final(SignError::Broken));
        }
        LINK.set(Some(Link {
            transport: self.id,
            pid: std::process::id(),
            socket,
        }));
        match reply.status {
            Status::Done => Ok(reply.signature.to_vec()),
            other => Err(Attempt::Final(SignError::Refused(other))),
        }
    }

    /// Takes the thread's link out: it is put back only after a good exchange, so no late reply is ever read.
    fn take_link(&self) -> Option<OwnedFd> {
        let link = LINK.take()?;
        (link.transport == self.id && link.pid == std::process::id()).then_some(link.socket)
    }

    fn connect(&self, place: &Place<'_>, deadline: Instant) -> Result<OwnedFd, Attempt> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (near, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
            .map_err(|_| Attempt::Final(SignError::Broken))?;
        loop {
            match self.offer(far.as_fd()) {
                Ok(()) => break,
                Err(Errno::INTR) => {}
                // The queue of the broker is full: the signer is slow, stopped or being replaced.
                Err(Errno::AGAIN) => {
                    if Instant::now() >= deadline || (place.crowded && self.stalled()) {
                        return Err(Attempt::Final(SignError::TimedOut));
                    }
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(_) => return Err(Attempt::Final(SignError::Broken)),
            }
        }
        drop(far);
        place.wait(near.as_fd(), deadline)?;
        let mut frame = [0; 8];
        let length = receive(near.as_fd(), &mut frame)?;
        match wire::parse_welcome(frame.get(..length).unwrap_or_default()) {
            Ok(Status::Done) => Ok(near),
            Ok(status) => Err(Attempt::Final(SignError::Refused(status))),
            Err(_) => Err(Attempt::Final(SignError::Broken)),
        }
    }

    #[cfg(test)]
    pub(super) fn send_raw(&self, bytes: &[u8], control: &mut SendAncillaryBuffer<'_, '_, '_>) {
        sendmsg(
            &self.broker,
            &[IoSlice::new(bytes)],
            control,
            SendFlags::NOSIGNAL,
        )
        .unwrap();
    }

    fn offer(&self, socket: BorrowedFd<'_>) -> rustix::io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let fds = [socket];
        control.push(SendAncillaryMessage::ScmRights(&fds));
        let hello = wire::hello();
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        sendmsg(&self.broker, &[IoSlice::new(&hello)], &mut control, flags).map(|_| ())
    }
}

fn send_request(socket: BorrowedFd<'_>, request: &Request<'_>) -> Result<(), Attempt> {
    let mut frame = Vec::with_capacity(wire::REQUEST_HEAD + request.message.len());
    frame.extend_from_slice(&request.head());
    frame.extend_from_slice(request.message);
    loop {
        match send(socket, &frame, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(_) => return Err(Attempt::Gone),
        }
    }
}

/// One message; the peer's end is [`Attempt::Gone`].
fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<usize, Attempt> {
    loop {
        match recv(socket, &mut *buffer, RecvFlags::DONTWAIT) {
            Ok((0, _)) => return Err(Attempt::Gone),
            Ok((length, _)) => return Ok(length),
            Err(Errno::INTR) => {}
            Err(_) => return Err(Attempt::Gone),
        }
    }
}

/// A thread's place among those that wait; given back on drop.
struct Place<'a> {
    transport: &'a Transport,
    /// Beyond the quarter of the threads that may wait for a signer that does not answer.
    crowded: bool,
}

impl<'a> Place<'a> {
    fn take(transport: &'a Transport) -> Self {
        let before = transport.waiting.fetch_add(1, Ordering::Relaxed);
        if before == 0 {
            transport
                .progress_ms
                .store(transport.now_ms(), Ordering::Relaxed);
        }
        Self {
            transport,
            crowded: before >= transport.quarter.load(Ordering::Relaxed),
        }
    }

    /// Waits until `socket` can be read.
    fn wait(&self, socket: BorrowedFd<'_>, deadline: Instant) -> Result<(), Attempt> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Attempt::Final(SignError::TimedOut));
            }
            let step = if self.crowded { left.min(LOOK) } else { left };
            let timeout = step
                .try_into()
                .map_err(|_| Attempt::Final(SignError::Broken))?;
            match poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&timeout)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(_) => return Err(Attempt::Final(SignError::Broken)),
            }
            if self.crowded && self.transport.stalled() {
                return Err(Attempt::Final(SignError::Crowded));
            }
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.transport.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
