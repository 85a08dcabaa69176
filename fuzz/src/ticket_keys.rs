// SPDX-License-Identifier: Apache-2.0
//! A random ticket key under a clock that stands still: for the fuzz targets, and for tests that count allocations.

use core::sync::atomic::AtomicU64;
use std::sync::Arc;

use mod_tls_core::metrics::{Counters, PAGE_WORDS};
use mod_tls_core::system::clock::Clock;
use mod_tls_core::ticket::{KEY_STORE_WORDS, Keeper, SharedKeyStore, TicketProtector};

/// What it is by that clock, in seconds since 1970.
pub const NOW: u64 = 1_790_000_000;

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> u64 {
        NOW
    }
}

/// What seals and opens with that key. Its memory is never freed.
pub fn protector() -> TicketProtector {
    let memory = |count| -> &'static [AtomicU64] {
        let words: Vec<AtomicU64> = (0..count).map(|_| AtomicU64::new(0)).collect();
        words.leak()
    };
    let words = memory(KEY_STORE_WORDS);
    let mut keeper = Keeper::new(words).expect("randomness");
    keeper.retain_for(3600);
    keeper.issue_from_random_keys(NOW);
    let counters = Counters::new(memory(PAGE_WORDS)).expect("enough words");
    TicketProtector {
        key_store: SharedKeyStore::new(words, counters).expect("enough words"),
        clock: Arc::new(Stopped),
    }
}
