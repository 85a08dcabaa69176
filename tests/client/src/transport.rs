// SPDX-License-Identifier: Apache-2.0
//! Bytes to and from the server, with or without TLS.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use rustls::ClientConnection;

use crate::records::Records;

/// A TCP stream that can cut what it sends into pieces, and counts the records that come.
pub(crate) struct Socket {
    pub tcp: TcpStream,
    /// At most that many bytes go into one segment.
    pub segment: Option<usize>,
    /// None without TLS.
    pub records: Option<Records>,
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.tcp.read(buf)?;
        if let Some(records) = &mut self.records {
            records.see(buf.get(..read).unwrap_or_default());
        }
        Ok(read)
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let size = self.segment.unwrap_or(buf.len()).min(buf.len());
        self.tcp.write(buf.get(..size).unwrap_or(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// One connection.
pub(crate) struct Connection {
    pub socket: Socket,
    /// None without TLS.
    pub tls: Option<ClientConnection>,
}

impl Connection {
    /// Runs the handshake to its end.
    pub(crate) fn handshake(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            return Ok(());
        };
        while tls.is_handshaking() {
            tls.complete_io(&mut self.socket)?;
        }
        while tls.wants_write() {
            tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }

    /// Queues plaintext for `flush`; a full queue leaves first, so that records are full ones.
    pub(crate) fn send(&mut self, mut data: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            return self.socket.write_all(data);
        };
        while !data.is_empty() {
            let taken = tls.writer().write(data)?;
            data = data.get(taken..).unwrap_or_default();
            if taken == 0 {
                while tls.wants_write() {
                    tls.write_tls(&mut self.socket)?;
                }
            }
        }
        Ok(())
    }

    /// Sends everything queued.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() {
                tls.write_tls(&mut self.socket)?;
            }
        }
        self.socket.flush()
    }

    /// Queues a close_notify (without TLS: nothing).
    pub(crate) fn close_notify(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
    }

    /// Reads until the server closes; true when it said close_notify (always, without TLS).
    pub(crate) fn drain(&mut self) -> io::Result<bool> {
        let mut scratch = [0; 4096];
        loop {
            match self.read(&mut scratch) {
                Ok(0) => return Ok(true),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }
}

impl Read for Connection {
    /// Plaintext; 0 is the server's close_notify, `UnexpectedEof` an end without one.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            return self.socket.read(buf);
        };
        loop {
            match tls.reader().read(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
            if tls.wants_write() {
                tls.write_tls(&mut self.socket)?;
                continue;
            }
            tls.read_tls(&mut self.socket)?;
            tls.process_new_packets()
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
    }
}
