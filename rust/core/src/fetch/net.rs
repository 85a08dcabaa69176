// SPDX-License-Identifier: Apache-2.0
//! Sockets with a deadline. They never block by themselves: whoever waits does so in poll(2).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, getsockname, recv, send,
    socket_with, sockopt,
};

/// Waits until a descriptor is ready for `what`.
///
/// # Errors
/// `TimedOut` at the deadline.
pub(super) fn wait(fd: impl AsFd, what: PollFlags, deadline: Instant) -> io::Result<()> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let left: Timespec = left.try_into().map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&fd, what)], Some(&left)) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn socket(address: IpAddr, kind: SocketType) -> io::Result<OwnedFd> {
    let family = match address {
        IpAddr::V4(_) => AddressFamily::INET,
        IpAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(family, kind, flags, None)?)
}

/// A socket for datagrams to and from one address.
///
/// # Errors
/// What the system says.
pub(super) fn datagrams(to: SocketAddr) -> io::Result<OwnedFd> {
    let socket = socket(to.ip(), SocketType::DGRAM)?;
    connect(&socket, &to)?;
    Ok(socket)
}

/// Whether an address is one of this machine's: then what is sent there has it as its own address too. Nothing is sent
/// for that; connecting a socket for datagrams only looks for a route.
pub(super) fn is_own(address: IpAddr) -> bool {
    const ANY_PORT: u16 = 80;
    let local = || -> io::Result<SocketAddr> {
        let socket = datagrams(SocketAddr::new(address, ANY_PORT))?;
        Ok(SocketAddr::try_from(getsockname(&socket)?)?)
    };
    local().is_ok_and(|local| local.ip() == address)
}

/// Connects by TCP.
///
/// # Errors
/// What the system says; `TimedOut` at the deadline.
pub(super) fn stream(to: SocketAddr, deadline: Instant) -> io::Result<OwnedFd> {
    let socket = socket(to.ip(), SocketType::STREAM)?;
    match connect(&socket, &to) {
        Ok(()) => {}
        Err(Errno::INPROGRESS | Errno::INTR) => {
            wait(&socket, PollFlags::OUT, deadline)?;
            sockopt::socket_error(&socket)??;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(socket)
}

/// Sends all of it.
///
/// # Errors
/// What the system says; `TimedOut` at the deadline.
pub(super) fn send_all(socket: &OwnedFd, mut octets: &[u8], deadline: Instant) -> io::Result<()> {
    while !octets.is_empty() {
        match send(socket, octets, SendFlags::NOSIGNAL) {
            Ok(sent) => octets = octets.get(sent..).unwrap_or_default(),
            Err(Errno::AGAIN) => wait(socket, PollFlags::OUT, deadline)?,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Receives what there is, at least an octet where nothing ended; 0 at the end.
///
/// # Errors
/// What the system says; `TimedOut` at the deadline, also where octets come so fast that nobody ever has to wait for any.
pub(super) fn receive(socket: &OwnedFd, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
    loop {
        if Instant::now() >= deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match recv(socket, &mut *buffer, RecvFlags::empty()) {
            Ok((length, _)) => return Ok(length),
            Err(Errno::AGAIN) => wait(socket, PollFlags::IN, deadline)?,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The deadline for one of so many tries that are left.
pub(super) fn share(deadline: Instant, tries: usize) -> Instant {
    let now = Instant::now();
    let left = deadline.saturating_duration_since(now);
    let tries = u32::try_from(tries.max(1)).unwrap_or(u32::MAX);
    let share = left.checked_div(tries).unwrap_or(left);
    deadline.min(now + share.max(Duration::from_secs(1)))
}
