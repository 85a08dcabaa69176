// SPDX-License-Identifier: Apache-2.0
//! What the agent tells the administrator. It holds no log file, since it outlives graceful restarts: its messages
//! wait in a socket that the parent's monitor hook empties.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair,
};

use crate::metrics::Counter;
use crate::system::lock;

/// A socket pair that keeps message borders, closed on exec.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (flags, kind) = (SocketFlags::CLOEXEC, SocketType::SEQPACKET);
    Ok(socketpair(AddressFamily::UNIX, kind, flags, None)?)
}

/// Longest text.
const MAX_TEXT: usize = 2000;
/// Lines of a signer in ten seconds; hostile clients must not fill the log.
const BURST: u32 = 10;

/// Kinds of messages; each is one line of the module's table of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// A signer ended and was replaced.
    SignerReplaced = 1,
    /// A client was refused or cut off.
    ClientRefused = 2,
    /// New certificates are served.
    Reloaded = 3,
    /// Changed files cannot be used.
    ReloadRefused = 4,
    /// Something of the agent failed.
    Trouble = 5,
    /// A child's channel was cut off on the way to the supervisor. The text is the child's pid; the parent tells of it again.
    ChildLost = 6,
}

impl LogKind {
    /// Where such lines are counted.
    pub(crate) fn counter(self) -> Counter {
        match self {
            Self::SignerReplaced => Counter::SignerReplaced,
            Self::ClientRefused => Counter::AgentRefusal,
            Self::Reloaded => Counter::ReloadTaken,
            Self::ReloadRefused => Counter::ReloadRefused,
            Self::Trouble | Self::ChildLost => Counter::AgentTrouble,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [
            Self::SignerReplaced,
            Self::ClientRefused,
            Self::Reloaded,
            Self::ReloadRefused,
            Self::Trouble,
            Self::ChildLost,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == code)
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// What it is about.
    pub kind: LogKind,
    /// The rest of the line, printable.
    pub text: String,
}

/// The agent's end.
#[derive(Debug)]
pub struct LogSender {
    socket: OwnedFd,
    /// By kind: since when, and how many lines.
    windows: Mutex<BTreeMap<u8, (Instant, u32)>>,
}

impl LogSender {
    /// Speaks into `socket`.
    pub fn new(socket: OwnedFd) -> Self {
        Self {
            socket,
            windows: Mutex::default(),
        }
    }

    /// The socket.
    pub fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    /// Says a line; it is lost when nobody has listened for long.
    pub fn say(&self, kind: LogKind, text: &str) {
        self.try_say(kind, text);
    }

    /// Says a line, unless nobody has listened for long; says whether it has been said.
    pub fn try_say(&self, kind: LogKind, text: &str) -> bool {
        let mut frame = vec![kind as u8];
        frame.extend(text.bytes().take(MAX_TEXT));
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        send(&self.socket, &frame, flags).is_ok()
    }

    /// Says a line that hostile clients can cause, unless there were many of its kind lately.
    pub fn say_bounded(&self, kind: LogKind, text: &str) {
        let now = Instant::now();
        let mut windows = lock(&self.windows);
        let (since, lines) = windows.entry(kind as u8).or_insert((now, 0));
        if now.duration_since(*since) >= Duration::from_secs(10) {
            (*since, *lines) = (now, 0);
        }
        *lines = lines.saturating_add(1);
        let is_few = *lines <= BURST;
        drop(windows);
        if is_few {
            self.say(kind, text);
        }
    }
}

/// Text for the log: what is not printable ASCII becomes `?`.
pub(crate) fn printable(text: &[u8]) -> String {
    let clean = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte),
        _ => '?',
    };
    text.iter().map(clean).collect()
}

/// Takes at most `limit` messages that wait. What is not printable ASCII becomes `?`.
pub fn take(socket: impl AsFd, limit: usize) -> Vec<LogLine> {
    let mut notices = Vec::new();
    let mut frame = [0; MAX_TEXT + 1];
    while notices.len() < limit {
        let Ok((length @ 1.., _)) = recv(&socket, &mut frame, RecvFlags::DONTWAIT) else {
            break;
        };
        let [code, text @ ..] = frame.get(..length).unwrap_or_default() else {
            break;
        };
        if let Some(kind) = LogKind::from_code(*code) {
            notices.push(LogLine {
                kind,
                text: printable(text),
            });
        }
    }
    notices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_arrive_clean_and_bounded() {
        let (near, far) = pair().unwrap();
        let log_sender = LogSender::new(near);
        log_sender.say(LogKind::Reloaded, "www\n\x1b[31mexample");
        (0..100).for_each(|n| log_sender.say_bounded(LogKind::ClientRefused, &format!("{n}")));
        log_sender.say_bounded(
            LogKind::Trouble,
            "what hostile clients cause hides nothing else",
        );
        let notices = take(&far, 1000);
        let first = LogLine {
            kind: LogKind::Reloaded,
            text: "www??[31mexample".to_owned(),
        };
        assert_eq!(notices[0], first);
        assert_eq!(notices.len(), 2 + BURST as usize);
        assert_eq!(notices.last().unwrap().kind, LogKind::Trouble);
        let _ = send(&log_sender.socket, &[99, 1], SendFlags::empty());
        assert_eq!(take(&far, 10), []);
    }
}
