// SPDX-License-Identifier: Apache-2.0
//! What is wrong with a secret file, and what to do.

use std::fmt;
use std::path::PathBuf;

use super::shared_key_store::MAX_LIFETIME;
use crate::system::file::Refusal;

/// Octets of the shortest secret.
pub(super) const MIN_SECRET: usize = 32;

/// Why a secret cannot be used.
#[derive(Debug)]
pub enum SecretError {
    /// Keys of so many seconds do not fit into the shared memory for as long as sessions live.
    Interval {
        /// Seconds that were asked for.
        interval: u64,
        /// Seconds that sessions live.
        retention: u64,
        /// The fewest that fit.
        least: u64,
    },
    /// The file cannot be read, or is larger than a secret.
    Unreadable(PathBuf, Refusal),
    /// Everybody may read it; the mode.
    Open(PathBuf, u32),
    /// It has so few octets.
    Short(PathBuf, usize),
    /// One octet again and again.
    Uniform(PathBuf),
    /// There is no memory to keep it in.
    NoMemory(std::io::Error),
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let make = "make one with \"openssl rand -out FILE 80\"";
        match self {
            Self::Interval {
                interval,
                retention,
                least,
            } => write!(
                f,
                "an interval of {interval} s is out of range: with sessions that live {retention} s, use {least} to \
                 {MAX_LIFETIME}"
            ),
            Self::Unreadable(name, Refusal::TooLarge(limit)) => write!(
                f,
                "ticket secret {} has more than {limit}: name a file that holds nothing but the secret",
                name.display()
            ),
            Self::Unreadable(name, Refusal::Missing) => write!(
                f,
                "cannot read ticket secret {}: {}; check the path, or {make}",
                name.display(),
                Refusal::Missing
            ),
            Self::Unreadable(name, why) => {
                write!(f, "cannot read ticket secret {}: {why}", name.display())
            }
            Self::Open(name, mode) => write!(
                f,
                "ticket secret {} is open to everybody (mode {mode:04o}): chmod 600 it",
                name.display()
            ),
            Self::Short(name, length) => write!(
                f,
                "ticket secret {} has {length} octets, {MIN_SECRET} at least are needed: {make}",
                name.display()
            ),
            Self::Uniform(name) => {
                write!(
                    f,
                    "ticket secret {} repeats one octet: {make}",
                    name.display()
                )
            }
            Self::NoMemory(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SecretError {}
