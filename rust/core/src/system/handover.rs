// SPDX-License-Identifier: Apache-2.0
//! What a process hands to another over a socket pair that keeps message borders: a few octets and a few descriptors.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// Descriptors of one message at most.
const MOST: usize = 5;
/// Octets of one message at most.
const LENGTH: usize = 16;

/// A message.
#[derive(Debug)]
pub struct Handover {
    /// Its octets.
    pub octets: Vec<u8>,
    /// Its descriptors, closed on exec.
    pub descriptors: Vec<OwnedFd>,
}

/// Sends a message, without waiting.
///
/// # Errors
/// What the system says.
pub fn give(line: BorrowedFd<'_>, octets: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    sendmsg(line, &[IoSlice::new(octets)], &mut control, flags)?;
    Ok(())
}

/// Waits for a message for so long at most; `None` when the other end is closed and nothing is left.
///
/// # Errors
/// What the system says, or nothing came in time.
pub fn take(line: BorrowedFd<'_>, timeout: Duration) -> io::Result<Option<Handover>> {
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = left.try_into().map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&line, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => break,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut octets = [0; LENGTH];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let length = {
        let mut parts = [IoSliceMut::new(&mut octets)];
        recvmsg(line, &mut parts, &mut control, flags)?.bytes
    };
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    let octets = octets.get(..length).unwrap_or_default().to_vec();
    let ended = octets.is_empty() && descriptors.is_empty();
    Ok((!ended).then_some(Handover {
        octets,
        descriptors,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    use std::os::fd::AsFd;

    #[test]
    fn messages_arrive_with_their_descriptors_and_then_the_end() {
        let flags = SocketFlags::CLOEXEC;
        let (near, far) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        let soon = Duration::from_millis(1);
        assert!(take(far.as_fd(), soon).is_err(), "nothing yet");
        give(near.as_fd(), &[1, 2], &[far.as_fd(), far.as_fd()]).unwrap();
        give(near.as_fd(), &[3], &[]).unwrap();
        drop(near);
        let first = take(far.as_fd(), soon).unwrap().unwrap();
        assert_eq!((first.octets, first.descriptors.len()), (vec![1, 2], 2));
        let second = take(far.as_fd(), soon).unwrap().unwrap();
        assert_eq!((second.octets, second.descriptors.len()), (vec![3], 0));
        assert!(take(far.as_fd(), soon).unwrap().is_none());
    }
}
