// SPDX-License-Identifier: Apache-2.0
//! The line over which httpd's parent gives its orders: whatever the other end does, an order takes bounded time.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use super::process::ORDER;
use crate::agent::parent::family::Family;
use crate::agent::protocol::frame;

/// A stream that is written to until a moment, however little of it is taken at a time.
struct Until<'a> {
    stream: &'a UnixStream,
    end: Instant,
}

impl Until<'_> {
    fn left(&self) -> io::Result<Duration> {
        let left = self.end.saturating_duration_since(Instant::now());
        match left.is_zero() {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(left),
        }
    }

    /// Waits until there is room.
    fn wait(&self) -> io::Result<()> {
        let left: Timespec = self.left()?.try_into().map_err(io::Error::other)?;
        let mut room = [PollFd::new(self.stream, PollFlags::OUT)];
        match poll(&mut room, Some(&left)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Write for Until<'_> {
    /// What the kernel has room for now: one that blocks may go on for as long as some of it is taken each time.
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        loop {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match send(self.stream, octets, flags) {
                Err(Errno::AGAIN) => self.wait()?,
                other => return Ok(other?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Tells of children and gives an order, in `time` at most.
///
/// # Errors
/// The other end is gone, or did not take all of it in that time.
pub(super) fn give(
    control: &UnixStream,
    family: &mut Family,
    order: &[u8],
    time: Duration,
) -> io::Result<()> {
    let end = Instant::now() + time;
    let mut until = Until {
        stream: control,
        end,
    };
    while let Err(error) = family.tell(control, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
        if error.kind() != io::ErrorKind::WouldBlock {
            return Err(error);
        }
        until.wait()?;
    }
    until.write_all(&[ORDER])?;
    frame::write(&mut until, order)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn an_order_ends_in_time_however_little_of_it_is_taken() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let order = vec![7; 8 << 20];
        // As much as keeps each single write from its own end.
        let reader = std::thread::spawn(move || {
            let mut some = [0; 4096];
            while far.read(&mut some).is_ok_and(|length| length > 0) {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let given = give(
            &near,
            &mut Family::default(),
            &order,
            Duration::from_millis(300),
        );
        assert_eq!(given.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(near);
        reader.join().unwrap();
    }

    #[test]
    fn an_order_arrives() {
        let (near, mut far) = UnixStream::pair().unwrap();
        give(
            &near,
            &mut Family::default(),
            b"abc",
            Duration::from_secs(20),
        )
        .unwrap();
        let mut all = [0; 8];
        far.read_exact(&mut all).unwrap();
        assert_eq!(&all, b"O\0\0\0\x03abc");
    }
}
