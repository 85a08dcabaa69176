// SPDX-License-Identifier: Apache-2.0
//! The line on which a supervisor takes orders: from one process, and what anybody else writes to it is not read.
//!
//! The kernel names the sender of everything that comes (unix(7), SO_PASSCRED), and gives out of one recvmsg(2) only
//! what one process has sent. So leaving out what is not the parent's leaves the parent's own bytes as it wrote them.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::agent::{Os, Received};

/// A supervisor's end of the line.
pub(crate) struct Orders {
    os: Arc<dyn Os>,
    socket: UnixStream,
    /// Who spoke last, and counts.
    parent: i32,
    /// Nobody else counts any more.
    settled: bool,
}

impl Orders {
    /// A line whose socket passes credentials.
    pub(crate) fn new(os: Arc<dyn Os>, socket: UnixStream) -> Self {
        Self {
            os,
            socket,
            parent: 0,
            settled: false,
        }
    }

    /// From now on the process that spoke last is the parent, and no other. Until httpd serves it may become another one, for
    /// httpd detaches; nobody else has the line then.
    pub(crate) fn settle(&mut self) {
        self.settled = self.parent > 0;
    }

    /// Takes what has come; `None` where nothing of the parent's has. A length of zero is the end of the line.
    pub(crate) fn next(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        let received = match self.os.receive(self.socket.as_fd(), buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            received => received?,
        };
        if received.length != 0 && self.settled && received.pid != self.parent {
            return Ok(None);
        }
        if received.length != 0 {
            self.parent = received.pid;
        }
        Ok(Some(received))
    }
}

impl AsFd for Orders {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Read for Orders {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(received) = self.next(buffer)? {
                return Ok(received.length);
            }
            match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Write for Orders {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
