// SPDX-License-Identifier: Apache-2.0
//! The key agent: private keys outside the processes that talk to the network.
//!
//! The *supervisor* reads certificate and key files; the *signer*, forked by it, answers the children of httpd;
//! the children hold public halves only ([`RemoteKey`](self::child::remote::RemoteKey)). Each child asks over a channel of its own,
//! memory that httpd's parent made for it and that it shares with the signer alone. Nothing here forks or changes the
//! process by itself: what needs `unsafe` is asked of [`Os`].

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use crate::system::words::Words;

pub mod channel;
pub mod child;
pub mod instance;
pub mod parent;
pub mod protocol;
pub mod signer;
pub(crate) mod supervisor;
#[cfg(test)]
pub(crate) mod testing;

use channel::words::ByPread;
use channel::{Distant, Shared};

/// One message from a local socket.
#[derive(Debug)]
pub struct Received {
    /// Length of the message; greater than the buffer when it did not fit.
    pub length: usize,
    /// Process that sent it, as the kernel says; 0 where the socket does not ask for that.
    pub pid: i32,
    /// The descriptors that came with it; four at most.
    pub fds: Vec<OwnedFd>,
}

/// Two views of one memory.
#[derive(Clone, Copy, Debug)]
pub struct SharedViews {
    /// To be written by one process.
    pub write: Words,
    /// To be read.
    pub read: Words,
}

/// What the agent needs of the operating system and safe Rust cannot give. The bridge implements it.
pub trait Os: Send + Sync {
    /// Receives one message without waiting, with the sender's pid and its descriptors.
    ///
    /// # Errors
    /// What the system says.
    fn receive(&self, socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Received>;

    /// Forks. The new process has default signal handlers, has none of the descriptors but `keep`, runs `child` and
    /// ends with its result; a panic ends it with 70. The calling process must have one thread. Returns the new
    /// process's pid.
    ///
    /// # Errors
    /// What the system says.
    fn fork(&self, keep: &[RawFd], child: &mut dyn FnMut() -> i32) -> io::Result<i32>;

    /// As [`Os::fork`], of the process that fetches: it inherits the memory of [`Os::results`] to write, and no other.
    ///
    /// # Errors
    /// What the system says.
    fn fork_fetcher(&self, keep: &[RawFd], child: &mut dyn FnMut() -> i32) -> io::Result<i32>;

    /// Ignores HUP, INT, TERM, USR1 and PIPE: httpd gets them for its whole group (prefork sends them so, and so does
    /// Ctrl-C).
    fn ignore_signals(&self);

    /// Makes the memory of an update log: mapped once to be written, which supervisors alone inherit, and once to be read,
    /// which every process forked inherits. Nobody can map it anew, or change its length.
    ///
    /// # Errors
    /// What the system says.
    fn update_log(&self) -> io::Result<SharedViews>;

    /// Makes the memory of what is fetched, which fetchers alone inherit to write; else as [`Os::update_log`].
    ///
    /// # Errors
    /// What the system says.
    fn results(&self) -> io::Result<SharedViews>;

    /// Makes the memory of so many revocation lists, or of as many less as leave room for children of so many threads; else
    /// as [`Os::results`].
    ///
    /// # Errors
    /// What the system says.
    fn lists(&self, count: usize, threads: usize) -> io::Result<SharedViews>;

    /// Maps the first `length` bytes of a memory that no one can make shorter, to read, or to `write` too, until the
    /// value is dropped.
    ///
    /// # Errors
    /// What the system says.
    fn share(
        &self,
        memory: BorrowedFd<'_>,
        length: usize,
        write: bool,
    ) -> io::Result<Box<dyn Shared>>;

    /// A memory that its writer may change, and free, at any moment.
    fn distant(&self, memory: OwnedFd) -> Box<dyn Distant> {
        Box::new(ByPread::new(memory))
    }

    /// Another descriptor of a memory, of its own in all, through which it can be read and neither written nor changed.
    ///
    /// # Errors
    /// What the system says.
    fn reader(&self, memory: BorrowedFd<'_>) -> io::Result<OwnedFd>;

    /// Gives memory that is free back to the system.
    fn trim(&self);

    /// Ends the process at once, without running anybody's exit handlers.
    fn exit(&self, code: i32) -> !;
}
