// SPDX-License-Identifier: Apache-2.0
//! What the operating system gives, as the other rooms use it: the clock, files, processes, memory that processes share, and what
//! is handed from one to another.

pub(crate) mod alone;
pub mod clock;
pub mod file;
pub mod forks;
pub mod handover;
pub mod pidfd;
pub(crate) mod settling;
pub mod words;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks; what a thread that panicked has left is as good as it was.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
