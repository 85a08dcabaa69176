// SPDX-License-Identifier: Apache-2.0
//! What the fetcher gives up.

use std::io;

use rustix::process::Resource;

use crate::agent::supervisor::sandbox::{
    apply, become_id, empty_bounding_set, equal, give_up, rule, rules, set_limit,
};

/// Memory that it may take besides what it has when it begins: four lists that are read, one that is judged, and what an
/// order brings along.
const MEMORY: u64 = 512 << 20;

/// Makes the calling process, which has one thread, a fetcher: uid and gid `id`, no capability, `files` descriptors.
/// Without root nothing changes but flags and limits.
///
/// # Errors
/// What the system refuses.
pub(super) fn enter(id: u32, files: u64) -> io::Result<()> {
    if rustix::process::geteuid().is_root() {
        empty_bounding_set();
        become_id(id)?;
    }
    give_up(files)?;
    if let Some(has) = private_memory() {
        set_limit(Resource::Data, has.saturating_add(MEMORY));
    }
    Ok(())
}

/// Octets that RLIMIT_DATA counts of this process (proc(5), status).
fn private_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmData:"))?;
    let kib: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// Filters the system calls of all threads: sockets of IPv4 and IPv6, and what works with them, waits, and keeps memory.
/// Files are refused: the C library asks for one, /proc/sys/vm/overcommit_memory, before it gives much memory of a thread
/// back, and does without. Anything else ends the process.
///
/// # Errors
/// The kernel has no filters.
pub(super) fn filter() -> io::Result<()> {
    let mut rules = rules(OWN)?;
    let family = |family| rule(vec![equal(0, family)?]);
    let families = vec![family(libc::AF_INET)?, family(libc::AF_INET6)?];
    rules.insert(libc::SYS_socket, families);
    // Whoever has memory mapped to write can free its pages for all others (MADV_REMOVE).
    let advice = |advice| rule(vec![equal(2, advice)?]);
    let kinds = vec![advice(libc::MADV_DONTNEED)?, advice(libc::MADV_FREE)?];
    rules.insert(libc::SYS_madvise, kinds);
    apply(rules)
}

/// What it does besides what all processes of ours do; some under names that only older ABIs have.
#[cfg(target_arch = "x86_64")]
const OWN: &[i64] = &[
    libc::SYS_connect,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_recvfrom,
    libc::SYS_poll,
];
#[cfg(not(target_arch = "x86_64"))]
const OWN: &[i64] = &[
    libc::SYS_connect,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_recvfrom,
];
