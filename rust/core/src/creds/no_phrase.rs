// SPDX-License-Identifier: Apache-2.0
//! Why there is no pass phrase from where one was asked for.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitStatus;

use crate::system::file::{Refusal, words};

/// Why nobody gives a pass phrase; strings name the program or the file.
#[derive(Debug)]
pub(super) enum NoPhrase {
    /// httpd has no terminal: after a restart, and under service managers.
    NoTerminal,
    /// The terminal was left without one.
    NotEntered,
    /// The program of `|program` has ended.
    Silent(String),
    /// A program cannot be started.
    Unstartable(String, io::Error),
    /// Nobody knows how a program ended.
    Lost(String, io::Error),
    /// A program printed none, and ended so.
    Unprinted(String, ExitStatus),
    /// A file cannot be read.
    Unreadable(String, Refusal),
    /// A file is empty.
    Empty(String),
}

impl fmt::Display for NoPhrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTerminal => f.write_str("httpd has no terminal to ask at"),
            Self::NotEntered => f.write_str("no pass phrase was entered"),
            Self::Silent(program) => write!(f, "{program} ended without a pass phrase"),
            Self::Unstartable(program, why) => {
                write!(f, "{program} cannot be started: {}", words(why))?;
                // By the key agent, which is nobody once httpd has started.
                if why.kind() == io::ErrorKind::PermissionDenied
                    && !rustix::process::geteuid().is_root()
                {
                    f.write_str(
                        ", for since httpd has started it runs without root's rights: stop and start httpd, or let \
                         everybody run it",
                    )?;
                }
                Ok(())
            }
            Self::Lost(program, why) => write!(f, "{program} was lost: {}", words(why)),
            Self::Unprinted(program, status) => {
                write!(f, "{program} printed no pass phrase ({status})")
            }
            Self::Unreadable(path, why) => write!(f, "{path} cannot be read: {why}"),
            Self::Empty(path) => write!(f, "{path} is empty"),
        }
    }
}

impl Error for NoPhrase {}
