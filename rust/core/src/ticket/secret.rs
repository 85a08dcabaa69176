// SPDX-License-Identifier: Apache-2.0
//! A secret file that several machines share: the keys of each interval are derived from it and the clock.
//!
//! Only the parent process reads the file and knows the secret; the children see the keys of the intervals around now, in the
//! shared memory. So a captured child can use today's keys and not next week's.

use super::aead::KEY_LEN;
use super::keeper::Keeper;
use super::key_ring::{KeyBytes, SLOTS};
use super::secret_error::{MIN_SECRET, SecretError};
use super::session_state::FORMAT;
#[cfg(test)]
use super::shared_key_store::KeyName;
use super::shared_key_store::{AHEAD, MAX_LIFETIME};
use crate::system::file;
use crate::system::file::{FileIdentity, Limit};
use crate::system::forks::Secret as Kept;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Seconds of an interval where the directive names none.
pub const DEFAULT_INTERVAL: u64 = 3600;

/// The shortest interval, in seconds.
pub const MIN_INTERVAL: u64 = 60;

const MAX_SECRET: usize = 4096;

/// Who may read a secret's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Its owner, and perhaps a group.
    NoOthers,
    /// Whoever: the administrator is warned elsewhere.
    Anybody,
}

/// A secret file and what was read from it. Lives in the parent process.
#[derive(Debug)]
pub struct SecretFile {
    path: PathBuf,
    interval: u64,
    readers: Readers,
    /// `None` where it was not there.
    stamp: Option<FileIdentity>,
    current: Secret,
    previous: Option<Secret>,
}

/// What came of looking at the file again.
#[derive(Debug, PartialEq, Eq)]
pub enum Poll {
    /// Nothing new.
    Same,
    /// A new secret is in force; the one before it is accepted for one lifetime.
    Replaced,
    /// The file changed to something unusable; the old secret stays in force. The text says what is wrong.
    Refused(String),
}

impl SecretFile {
    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(path: &Path, interval: u64, readers: Readers) -> Result<Self, SecretError> {
        let (current, stamp) = Secret::read(path, readers)?;
        Ok(Self {
            path: path.to_owned(),
            interval,
            readers,
            stamp: Some(stamp),
            current,
            previous: None,
        })
    }

    /// The secret that was read from `path` before, where this object is of that file, as it is when a server restarts
    /// while the file cannot be used. The next look does not tell of that again.
    pub fn kept(mut self, path: &Path, interval: u64, readers: Readers) -> Option<Self> {
        if self.path != path {
            return None;
        }
        (self.interval, self.readers) = (interval, readers);
        self.stamp = FileIdentity::of(path).ok();
        Some(self)
    }

    /// Takes over what another object knows, so that a secret replaced across a restart stays valid for its lifetime.
    pub fn inherit(&mut self, before: Self) {
        if before.current.id(before.interval) != self.current.id(self.interval) {
            self.previous = Some(before.current);
        } else {
            self.previous = before.previous;
        }
    }

    /// Puts the keys of the intervals around `now` into the shared memory, and has tickets issued under them.
    pub fn publish(&self, keeper: &mut Keeper, now: u64) {
        let id = self.current.id(self.interval);
        let key_ring = keeper.issue_from_secret(id, self.interval, now);
        keeper.publish(key_ring, now, |interval, epoch| {
            self.current.key(interval, epoch)
        });
        keeper.put_in_force(key_ring);
        if let Some(previous) = &self.previous
            && let Some(key_ring) = keeper.secret_key_ring(previous.id(self.interval), now)
        {
            keeper.publish(key_ring, now, |interval, epoch| {
                previous.key(interval, epoch)
            });
        }
    }

    /// Looks whether the file was replaced, and publishes what is due. For the parent, every few seconds.
    pub fn poll(&mut self, keeper: &mut Keeper, now: u64) -> Poll {
        let outcome = self.reread();
        self.publish(keeper, now);
        keeper.tick(now);
        outcome
    }

    fn reread(&mut self) -> Poll {
        let stamp = FileIdentity::of(&self.path).ok();
        if stamp == self.stamp {
            return Poll::Same;
        }
        self.stamp = stamp;
        match Secret::read(&self.path, self.readers) {
            Ok((secret, stamp)) => {
                self.stamp = Some(stamp);
                if *secret.0 == *self.current.0 {
                    return Poll::Same;
                }
                self.previous = Some(core::mem::replace(&mut self.current, secret));
                Poll::Replaced
            }
            Err(problem) => Poll::Refused(problem.to_string()),
        }
    }
}

/// Whether keys of `interval` seconds fit into the shared memory for `retention` seconds.
///
/// # Errors
/// They do not.
pub fn check_interval(interval: u64, retention: u64) -> Result<(), SecretError> {
    const MOST_SLOTS: u64 = SLOTS as u64 - AHEAD - 4;
    let least = MIN_INTERVAL.max(retention.div_ceil(MOST_SLOTS));
    if (least..=MAX_LIFETIME).contains(&interval) {
        return Ok(());
    }
    Err(SecretError::Interval {
        interval,
        retention,
        least,
    })
}

/// The octets of a secret file; wiped when dropped and in forked processes, and not shown by `Debug`.
struct Secret(Kept);

impl Secret {
    fn read(path: &Path, readers: Readers) -> Result<(Self, FileIdentity), SecretError> {
        let name = || path.to_owned();
        let content = file::read(path, Limit(MAX_SECRET as u64));
        let content = content.map_err(|why| SecretError::Unreadable(name(), why))?;
        let (meta, octets) = (content.metadata, content.bytes);
        if readers == Readers::NoOthers && meta.mode() & 0o007 != 0 {
            return Err(SecretError::Open(name(), meta.mode() & 0o7777));
        }
        if octets.len() < MIN_SECRET {
            return Err(SecretError::Short(name(), octets.len()));
        }
        if octets.iter().all(|octet| octets.first() == Some(octet)) {
            return Err(SecretError::Uniform(name()));
        }
        let octets = Kept::new(&octets).map_err(SecretError::NoMemory)?;
        Ok((Self(octets), FileIdentity::from(&meta)))
    }

    /// What tickets name the keys of this secret by, under one length of intervals; the same on every machine, never 0.
    fn id(&self, interval: u64) -> u32 {
        let mut out = [0; 4];
        expand(&self.extract(), b"name", interval, 0, &mut out);
        u32::from_be_bytes(out).max(1)
    }

    fn key(&self, interval: u64, epoch: u64) -> KeyBytes {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        expand(&self.extract(), b"key", interval, epoch, &mut key[..]);
        key
    }

    fn extract(&self) -> Prk {
        Salt::new(HKDF_SHA256, b"mod_tls session tickets").extract(&self.0)
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret")
    }
}

/// HKDF-Expand; what is expanded is named by its use, the format of what it seals, the interval and the interval's number.
fn expand(prk: &Prk, usage: &[u8], interval: u64, epoch: u64, out: &mut [u8]) {
    let (interval, epoch) = (interval.to_be_bytes(), epoch.to_be_bytes());
    let info = [usage, &[FORMAT], &interval, &epoch];
    // Fails only for more than 255 blocks of output; a key of zeros would be no key at all, so nothing is published as whole.
    if prk
        .expand(&info, Length(out.len()))
        .and_then(|okm| okm.fill(out))
        .is_err()
    {
        out.fill(0);
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
