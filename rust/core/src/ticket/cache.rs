// SPDX-License-Identifier: Apache-2.0
//! What a cache of sessions that all processes share has to offer.

use core::fmt::Debug;
use std::time::Duration;

/// How long a handshake waits for the cache's answer.
pub const TIMEOUT: Duration = Duration::from_millis(500);

/// What a cache answers.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The value stored.
    Found(Vec<u8>),
    /// There is none.
    Missing,
    /// The cache did not answer.
    Failed,
}

/// What came of storing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// The value is kept.
    Yes,
    /// It is not: too large, say.
    No,
    /// The cache did not answer.
    Failed,
}

/// A cache of octets under keys of at most 32 octets, shared by processes and perhaps machines.
pub trait Cache: Debug + Send + Sync {
    /// Keeps `value` until `expiry` (seconds since 1970).
    fn put(&self, key: &[u8], value: &[u8], expiry: u64) -> Stored;

    /// What is kept under `key`.
    fn get(&self, key: &[u8]) -> Lookup;

    /// What is kept under `key`, which is then forgotten. Atomic where the cache can do that.
    fn take(&self, key: &[u8]) -> Lookup;

    /// Tells the administrator that the cache failed this process `failures` times by now; called once a minute at most.
    fn report(&self, failures: u64);
}
