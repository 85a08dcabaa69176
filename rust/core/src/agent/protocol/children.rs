// SPDX-License-Identifier: Apache-2.0
//! What httpd's parent tells of its children, to the supervisor and through it to the signer.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::agent::channel::Way;

/// First byte of what is said of a child that began: its end of a channel comes with it, to a signer its pidfd too.
pub(crate) const BEGAN: u8 = b'B';
/// First byte of what is said of a child that ended.
pub(crate) const ENDED: u8 = b'E';
/// First byte of what a signer says of a child that it cannot serve: it is to be told of it again.
pub(crate) const AGAIN: u8 = b'A';

/// Bytes after the first: pid, slots, and how many descriptors come with it.
pub(crate) const TOLD: usize = 9;

/// A child of httpd, which the MPM said it started, held by its pidfd where the kernel has one (Linux 5.3).
#[derive(Debug)]
pub struct Child {
    /// Its pid.
    pub pid: i32,
    /// The signer's end of its channel, or to the child itself its own.
    pub way: Way,
    /// Becomes readable when it ends.
    pub pidfd: Option<OwnedFd>,
}

impl Child {
    /// Its descriptors: requests, replies, bell, and pidfd where there is one.
    pub fn fds(&self) -> Vec<BorrowedFd<'_>> {
        let way = &self.way;
        let always = [way.requests.as_fd(), way.replies.as_fd(), way.bell.as_fd()];
        let pidfd = self.pidfd.as_ref().map(AsFd::as_fd);
        always.into_iter().chain(pidfd).collect()
    }
}

/// Says that a child began: its pid, how many slots its channel has, and descriptors in the order of [`Child::fds`].
pub(crate) fn tell_began(
    socket: impl AsFd,
    pid: i32,
    slots: usize,
    fds: &[BorrowedFd<'_>],
    flags: SendFlags,
) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(fds));
    let frame = frame(BEGAN, pid, slots, fds.len());
    let flags = flags | SendFlags::NOSIGNAL;
    sendmsg(socket, &[io::IoSlice::new(&frame)], &mut ancillary, flags)?;
    Ok(())
}

/// Says that a child ended.
pub(crate) fn tell_ended(socket: impl AsFd, pid: i32, flags: SendFlags) -> io::Result<()> {
    rustix::net::send(
        socket,
        &frame(ENDED, pid, 0, 0),
        flags | SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

/// Asks to be told of a child again.
pub(crate) fn ask_again(socket: impl AsFd, pid: i32, flags: SendFlags) -> io::Result<()> {
    rustix::net::send(
        socket,
        &frame(AGAIN, pid, 0, 0),
        flags | SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

fn frame(kind: u8, pid: i32, slots: usize, fds: usize) -> [u8; 1 + TOLD] {
    let mut frame = [kind; 1 + TOLD];
    let slots = u32::try_from(slots).unwrap_or(0);
    frame[1..5].copy_from_slice(&pid.to_be_bytes());
    frame[5..9].copy_from_slice(&slots.to_be_bytes());
    frame[9] = u8::try_from(fds).unwrap_or(0);
    frame
}

/// The pid in what was told.
pub(crate) fn pid_of(told: [u8; TOLD]) -> i32 {
    let [p0, p1, p2, p3, ..] = told;
    i32::from_be_bytes([p0, p1, p2, p3])
}

/// The child that began. `None` where descriptors were cut off on the way: the kernel gives those alone that the process
/// has room for (unix(7), EMFILE), and a channel of which a part is missing is none.
pub(crate) fn began(told: [u8; TOLD], fds: Vec<OwnedFd>) -> Option<Child> {
    let [.., s0, s1, s2, s3, sent] = told;
    if fds.len() != usize::from(sent) {
        return None;
    }
    let slots = usize::try_from(u32::from_be_bytes([s0, s1, s2, s3])).ok()?;
    let mut fds = fds.into_iter();
    Some(Child {
        pid: pid_of(told),
        way: Way {
            slots,
            requests: fds.next()?,
            replies: fds.next()?,
            bell: fds.next()?,
        },
        pidfd: fds.next(),
    })
}
