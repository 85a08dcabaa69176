// SPDX-License-Identifier: Apache-2.0
//! The file into which connections' secrets are written, in the format of NSS, for whoever looks at recorded traffic.
//!
//! Only policies that ask for it have a hand on it. httpd's parent opens the file, so that its children need no right to
//! it; a child gets the descriptor when the MPM has named it, and what other modules fork has none.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::KeyLog;
use zeroize::Zeroizing;

use crate::system::file::{LogFault, open_log};
use crate::system::forks::Kept;

/// The open file. Made by the parent; policies of parent and children hold it.
#[derive(Debug)]
pub struct KeyLogFile {
    /// The parent's.
    opened: Kept<File>,
    /// What a child was given.
    given: OnceLock<File>,
}

/// What the configuration in force writes to.
static CURRENT: Mutex<Option<Arc<KeyLogFile>>> = Mutex::new(None);

/// Why there is no such file.
#[derive(Debug)]
pub enum KeyLogFault {
    /// It cannot be used.
    File(LogFault),
    /// Its descriptor cannot be kept from processes that are forked.
    Descriptor(io::Error),
}

impl fmt::Display for KeyLogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(why) => why.fmt(f),
            Self::Descriptor(why) => why.fmt(f),
        }
    }
}

impl Error for KeyLogFault {}

/// Opens the file for policies to come, in place of the one before. Parent only.
///
/// # Errors
/// What is wrong with it; then there is none.
pub fn open(path: &Path) -> Result<(), KeyLogFault> {
    set(None);
    let opened = open_log(path).map_err(KeyLogFault::File)?;
    let opened = Kept::new(opened).map_err(KeyLogFault::Descriptor)?;
    set(Some(Arc::new(KeyLogFile {
        opened,
        given: OnceLock::new(),
    })));
    Ok(())
}

/// Policies to come write no secrets. Parent only.
pub fn close() {
    set(None);
}

fn set(next: Option<Arc<KeyLogFile>>) {
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = next;
}

/// What policies write to; none where no file is open.
pub fn current() -> Option<Arc<KeyLogFile>> {
    CURRENT
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

impl KeyLogFile {
    /// The parent's descriptor, for a child that begins; none in a process that was forked.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.opened.get().map(AsFd::as_fd)
    }

    /// Takes what the parent gave this child, before any thread serves.
    pub fn become_child(&self, given: OwnedFd) {
        let _ = self.given.set(File::from(given));
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        match self.given.get().or_else(|| self.opened.get()) {
            // One call, so that lines of several processes do not mix: the file is open for appending.
            Some(mut file) => file.write_all(line),
            None => Ok(()),
        }
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        // A full disk costs the line, not the connection.
        let _ = self.write(&line(label, client_random, secret));
    }
}

/// "<label> <client random> <secret>" in lower-case hexadecimal (SSLKEYLOGFILE format, RFC 9850 2).
fn line(label: &str, client_random: &[u8], secret: &[u8]) -> Zeroizing<Vec<u8>> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let length = label.len() + 2 * (client_random.len() + secret.len()) + 3;
    let mut line = Zeroizing::new(Vec::with_capacity(length));
    line.extend_from_slice(label.as_bytes());
    for octets in [client_random, secret] {
        line.push(b' ');
        for octet in octets {
            let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
            line.extend([digit(octet >> 4), digit(octet & 15)]);
        }
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_label_random_and_secret() {
        let line = line("CLIENT_RANDOM", &[0x0a, 0xff], &[1, 2, 0xb0]);
        assert_eq!(line.as_slice(), b"CLIENT_RANDOM 0aff 0102b0\n");
        assert_eq!(line.capacity(), line.len(), "no copy of a secret is left");
    }
}
