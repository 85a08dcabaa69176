// SPDX-License-Identifier: Apache-2.0
//! What the agent's processes give up.

use std::collections::BTreeMap;
use std::io;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use rustix::process::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set,
    set_capabilities, set_keep_capabilities, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::agent::protocol::message::Weaknesses;

/// What reading root's key files takes, and nothing more.
const READ_FILES: CapabilitySet = CapabilitySet::DAC_READ_SEARCH;
/// What making a signer under another uid takes, where the supervisor has to stay root.
const CHANGE_IDS: CapabilitySet = CapabilitySet::SETUID.union(CapabilitySet::SETGID);

fn set_exactly(set: CapabilitySet) -> rustix::io::Result<()> {
    let sets = CapabilitySets {
        effective: set,
        permitted: set,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets)
}

/// Takes uid and gid `id` and no groups. The process must have one thread.
pub(crate) fn become_id(id: u32) -> rustix::io::Result<()> {
    let (uid, gid) = (Uid::from_raw(id), Gid::from_raw(id));
    set_thread_groups(&[])?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)
}

/// Makes the calling process a supervisor: uid and gid `id`, `CAP_DAC_READ_SEARCH` alone.
///
/// Where that capability is not to be had (containers drop it by default) it stays root, which reads root's own
/// files, keeps what it takes to make a signer under `id`, and says so. Without root nothing changes but the flags.
pub(crate) fn supervisor(id: u32) -> io::Result<Weaknesses> {
    let mut weak = Weaknesses::default();
    let held = capabilities(None)?.permitted;
    if !rustix::process::geteuid().is_root() {
        set_exactly(CapabilitySet::empty())?;
        weak.same_uid = true;
    } else {
        empty_bounding_set();
        if held.contains(READ_FILES | CHANGE_IDS) {
            set_keep_capabilities(true)?;
            become_id(id)?;
            set_keep_capabilities(false)?;
            set_exactly(READ_FILES)?;
        } else {
            weak.root = true;
            weak.same_uid = !held.contains(CHANGE_IDS);
            set_exactly(held & CHANGE_IDS)?;
        }
    }
    set_no_new_privs(true)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_limit(Resource::Core, 0);
    // Three descriptors for each child of httpd; what httpd was started with is often 1,024.
    if let Some(most) = getrlimit(Resource::Nofile).maximum {
        set_limit(Resource::Nofile, most);
    }
    Ok(weak)
}

/// Makes the calling process, forked by a supervisor, a signer: no capability at all, `files` descriptors.
pub(crate) fn signer(id: u32, weak: Weaknesses, files: u64) -> io::Result<()> {
    if weak.root && !weak.same_uid {
        become_id(id)?;
    }
    give_up(files)
}

/// Has the kernel give capabilities to no program that this process runs. Not every kernel knows every one, and without
/// CAP_SETPCAP no_new_privs does the same.
pub(crate) fn empty_bounding_set() {
    for (_, capability) in CapabilitySet::all().iter_names() {
        let _ = remove_capability_from_bounding_set(capability);
    }
}

/// Gives up all capabilities, core dumps, writing to files, and more than `files` descriptors.
pub(crate) fn give_up(files: u64) -> io::Result<()> {
    set_exactly(CapabilitySet::empty())?;
    set_no_new_privs(true)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let most = getrlimit(Resource::Nofile).maximum.unwrap_or(files);
    set_limit(Resource::Nofile, files.min(most));
    set_limit(Resource::Core, 0);
    set_limit(Resource::Fsize, 0);
    Ok(())
}

pub(crate) fn set_limit(resource: Resource, value: u64) {
    // A limit that cannot be set is one more that the kernel has to keep by itself; no reason not to serve.
    let _ = setrlimit(
        resource,
        Rlimit {
            current: Some(value),
            maximum: Some(value),
        },
    );
}

/// Filters the system calls of all threads of the process: what talks over descriptors that are open, waits, and
/// keeps memory. Files are refused: the C library asks for one, /proc/sys/vm/overcommit_memory, before it gives much
/// memory of a thread back, and does without. Anything else ends the process.
pub(crate) fn filter() -> io::Result<()> {
    apply(rules(OWN)?)
}

/// Has all threads of the process make these system calls alone, of which those that open files are refused, whatever
/// the filter allows; another one ends it.
pub(crate) fn apply(rules: BTreeMap<i64, Vec<SeccompRule>>) -> io::Result<()> {
    let files = FILES.iter().map(|call| (*call, Vec::new())).collect();
    let refusal = SeccompAction::Errno(libc::EACCES.unsigned_abs());
    install(files, SeccompAction::Allow, refusal)?;
    install(rules, SeccompAction::KillProcess, SeccompAction::Allow)
}

fn install(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    others: SeccompAction,
    these: SeccompAction,
) -> io::Result<()> {
    let arch = std::env::consts::ARCH
        .try_into()
        .map_err(io::Error::other)?;
    let filter = SeccompFilter::new(rules, others, these, arch).map_err(io::Error::other)?;
    let program: BpfProgram = filter.try_into().map_err(io::Error::other)?;
    seccompiler::apply_filter_all_threads(&program).map_err(io::Error::other)
}

/// What opens files.
#[cfg(target_arch = "x86_64")]
const FILES: &[i64] = &[libc::SYS_openat, libc::SYS_open];
#[cfg(not(target_arch = "x86_64"))]
const FILES: &[i64] = &[libc::SYS_openat];

/// Allowed to every process of ours, whatever the arguments.
const FREE: &[i64] = &[
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_ppoll,
    libc::SYS_close,
    libc::SYS_lseek,
    libc::SYS_futex,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_brk,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_sched_yield,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// What the signer does besides; some under names that only older ABIs have.
#[cfg(target_arch = "x86_64")]
const OWN: &[i64] = &[
    libc::SYS_madvise,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_epoll_wait,
    libc::SYS_poll,
];
#[cfg(not(target_arch = "x86_64"))]
const OWN: &[i64] = &[
    libc::SYS_madvise,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
];

/// What every process of ours may do, and `own`.
pub(crate) fn rules(own: &[i64]) -> io::Result<BTreeMap<i64, Vec<SeccompRule>>> {
    let calls = FREE.iter().chain(FILES).chain(own);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        calls.map(|call| (*call, Vec::new())).collect();
    memory_rules(&mut rules)?;
    Ok(rules)
}

/// Adds mapping of memory, which is never made executable, and what std asks before it closes a descriptor, in builds
/// with debug assertions.
fn memory_rules(rules: &mut BTreeMap<i64, Vec<SeccompRule>>) -> io::Result<()> {
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![without_bits(2, libc::PROT_EXEC)?]);
    }
    rules.insert(libc::SYS_fcntl, vec![rule(vec![equal(1, libc::F_GETFD)?])?]);
    Ok(())
}

pub(crate) fn rule(conditions: Vec<SeccompCondition>) -> io::Result<SeccompRule> {
    SeccompRule::new(conditions).map_err(io::Error::other)
}

pub(crate) fn equal(argument: u8, value: i32) -> io::Result<SeccompCondition> {
    let value = u64::from(value.unsigned_abs());
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
        .map_err(io::Error::other)
}

fn without_bits(argument: u8, bits: i32) -> io::Result<SeccompRule> {
    let bits = u64::from(bits.unsigned_abs());
    let operator = SeccompCmpOp::MaskedEq(bits);
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, 0);
    rule(vec![condition.map_err(io::Error::other)?])
}
