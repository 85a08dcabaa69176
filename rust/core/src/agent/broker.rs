//! The socket pair over which children hand their connections to the signer.

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair, sockopt};

/// Both ends of a broker. httpd's parent keeps both, so that a new signer finds what the last one left in the queue.
#[derive(Debug)]
pub struct Broker {
    /// The children's end: inherited by fork, closed on exec.
    pub children: OwnedFd,
    /// The signer's end: each message carries the pid of its sender.
    pub signer: OwnedFd,
}

/// Makes a broker.
pub fn broker() -> io::Result<Broker> {
    let (children, signer) = pair()?;
    sockopt::set_socket_passcred(&signer, true)?;
    Ok(Broker { children, signer })
}

/// A socket pair that keeps message borders, closed on exec.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (flags, kind) = (SocketFlags::CLOEXEC, SocketType::SEQPACKET);
    Ok(socketpair(AddressFamily::UNIX, kind, flags, None)?)
}
