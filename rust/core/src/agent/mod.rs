//! The key agent: private keys outside the processes that talk to the network.
//!
//! The *supervisor* reads certificate and key files; the *signer*, forked by it, answers the children of httpd;
//! the children hold public halves only ([`RemoteKey`]). Every connection of a child begins with a socket that it
//! sends to the signer through the *broker*, a socket pair made by httpd's parent, inherited by its children and
//! closed on exec: who does not have it cannot ask. Nothing here forks or changes the process by itself: what needs
//! `unsafe` is asked of [`Os`].

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

mod admit;
mod broker;
mod fair;
mod keys;
mod remote;
mod shape;
mod signer;
#[cfg(test)]
mod testing;
mod transport;
pub mod wire;

pub use admit::Children;
pub use broker::{Broker, broker};
pub use keys::{KeyTable, PublicHalf};
pub use remote::RemoteKey;
pub use signer::{Limits, Signer};
pub use transport::{SignError, Transport};

/// One message from a socket that passes credentials.
#[derive(Debug)]
pub struct Received {
    /// Length of the message; greater than the buffer when it did not fit.
    pub length: usize,
    /// Process that sent it, as the kernel says; 0 when the kernel does not say.
    pub pid: i32,
    /// The descriptor that came with it.
    pub fd: Option<OwnedFd>,
}

/// What the agent needs of the operating system and safe Rust cannot give. The bridge implements it.
pub trait Os: Send + Sync {
    /// Receives one message without waiting, with the sender's pid and at most one descriptor.
    fn receive(&self, socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Received>;
    /// Ends the process at once, without running anybody's exit handlers.
    fn exit(&self, code: i32) -> !;
}
