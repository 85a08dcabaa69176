//! Memory that processes share: words that one of them writes and others read.
//!
//! Everything here goes through one load and one store, sequentially consistent, so that a test can run a reader in every
//! interleaving with its writer ([`model`]).

use core::sync::atomic::{AtomicU64, Ordering};

#[cfg(test)]
pub(crate) mod model;

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
