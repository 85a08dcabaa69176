// SPDX-License-Identifier: Apache-2.0
//! Memory that processes share: words that one of them writes and others read.
//!
//! Everything here goes through one load and one store, sequentially consistent, so that a test can run a reader in every
//! interleaving with its writer ([`model`]).

use core::sync::atomic::{AtomicU64, Ordering};
use std::os::fd::AsFd;

use rustix::io::{Errno, pread};

#[cfg(test)]
pub(crate) mod model;

/// Copies bytes of a memory out, from an offset on, without mapping it; what cannot be read is zero.
///
/// For memory that its writer may free pages of at any moment (MADV_REMOVE, which no seal forbids): whoever has it mapped
/// waits in page faults for as long as that goes on, and pread(2) finds zeros (Linux, mm/shmem.c: shmem_fault,
/// shmem_file_read_iter).
pub fn read_distant(memory: impl AsFd, mut offset: u64, mut out: &mut [u8]) {
    while !out.is_empty() {
        match pread(&memory, &mut *out, offset) {
            Ok(0) => break,
            Ok(length) => {
                offset = offset.saturating_add(length as u64);
                out = out.get_mut(length..).unwrap_or_default();
            }
            Err(Errno::INTR) => {}
            Err(_) => break,
        }
    }
    out.fill(0);
}

/// Words of shared memory, mapped as long as the process lives.
pub type Words = &'static [AtomicU64];

/// Loads a word.
pub(crate) fn load(word: &AtomicU64) -> u64 {
    #[cfg(test)]
    model::before_a_load();
    word.load(Ordering::SeqCst)
}

/// Stores a word. For the memory's one writer.
pub(crate) fn store(word: &'static AtomicU64, value: u64) {
    #[cfg(test)]
    if model::recorded(word, value) {
        return;
    }
    word.store(value, Ordering::SeqCst);
}
