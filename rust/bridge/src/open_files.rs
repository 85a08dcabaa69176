// SPDX-License-Identifier: Apache-2.0
//! The limit of open files (RLIMIT_NOFILE) of httpd's parent, which keeps descriptors of every child.
//!
//! Processes are often started with a soft limit of 1,024 for the sake of select(2). The parent alone gets a higher one,
//! as far as the hard limit allows: what is forked from it has the limit that httpd was started with.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::guard::guard;

/// For each child: requests, replies and bell of its channels to the signer and to the fetcher, its counts, its pidfd.
const OF_A_CHILD: u64 = 8;
/// What httpd and its modules have open besides.
const OTHERS: u64 = 512;

/// The soft limit that httpd was started with, where it was raised; else 0.
static BEFORE: AtomicU64 = AtomicU64::new(0);

/// Raises the limit of open files for `most` children; see the boundary.
pub(crate) fn expect_children(most: u32) {
    // During a graceful restart the old ones live beside the new ones.
    guard(|| (), || raise(OTHERS + 2 * OF_A_CHILD * u64::from(most)));
}

fn raise(wanted: u64) {
    if let Some(mut limit) = limit()
        && limit.rlim_cur < wanted.min(limit.rlim_max)
    {
        let before = limit.rlim_cur;
        limit.rlim_cur = wanted.min(limit.rlim_max);
        if set(&limit) {
            let _ = BEFORE.compare_exchange(0, before, Ordering::AcqRel, Ordering::Acquire);
        }
    }
}

/// In a process just forked: the limit of before. Calls the kernel and touches an atomic, nothing else.
pub(crate) fn restore() {
    let before = BEFORE.swap(0, Ordering::AcqRel);
    if before != 0
        && let Some(mut limit) = limit()
    {
        limit.rlim_cur = before.min(limit.rlim_max);
        set(&limit);
    }
}

fn limit() -> Option<libc::rlimit> {
    let mut limit = MaybeUninit::<libc::rlimit>::zeroed();
    // SAFETY: fills the struct.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, limit.as_mut_ptr()) } == 0;
    // SAFETY: all zero is a valid one.
    known.then(|| unsafe { limit.assume_init() })
}

fn set(limit: &libc::rlimit) -> bool {
    // SAFETY: reads the struct.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, limit) == 0 }
}
