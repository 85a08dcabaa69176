// SPDX-License-Identifier: Apache-2.0
//! Metrics: what this server counts, and how it is read.
//!
//! [`table`] is the one list of all metrics; the documents and every output are made from it. Each process adds to
//! words of its own without a lock ([`page`]). httpd's parent sums what all processes counted, keeps what those
//! counted that have ended, and publishes the sums in memory that its children can read ([`tally`]): whichever child
//! answers, a counter never goes back. [`choose`] finds the counter for what a handshake negotiated or failed of.
//!
//! No label has values that a visitor makes up: what is not in the table counts as `other`.

pub mod buckets;
pub mod choose;
#[cfg(test)]
mod documents_tests;
pub mod found;
pub mod history;
pub mod hosts;
pub mod page;
pub mod table;
pub mod tally;

use std::sync::OnceLock;
use std::time::Duration;

pub use page::{Counters, PAGE_WORDS};
pub use table::{COUNTERS, Counter, FAMILIES, Histogram, Kind};
pub use tally::{PUBLISHED_WORDS, Tally, Totals};

/// Where this process counts; there once the parent made the memory.
static OWN: OnceLock<Counters> = OnceLock::new();

/// Says where this process, and those forked from it, count. Once, in the parent.
pub fn install(counters: Counters) {
    let _ = OWN.set(counters);
}

/// Counts one. Any thread; nothing happens where there is no memory to count in.
pub fn count(counter: Counter) {
    add(counter, 1);
}

/// Counts `amount`.
pub fn add(counter: Counter, amount: u64) {
    if let Some(own) = OWN.get() {
        own.add(counter, amount);
    }
}

/// One more, or one less, of what a gauge shows.
pub fn change(gauge: Counter, more: bool) {
    add(gauge, if more { 1 } else { u64::MAX });
}

/// Counts a handshake of a virtual host that has a number, where virtual hosts are counted apart.
pub fn count_host(host: u32, completed: bool) {
    if let (Some(own), Ok(host)) = (OWN.get(), usize::try_from(host))
        && host != NO_HOST as usize
    {
        own.count_host(host, completed);
    }
}

/// The number of virtual hosts that are not counted apart.
pub const NO_HOST: u32 = u32::MAX;

/// Notes how long something took.
pub fn observe(histogram: Histogram, took: Duration) {
    if let Some(own) = OWN.get() {
        own.observe(histogram, took);
    }
}
