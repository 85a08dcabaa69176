// SPDX-License-Identifier: Apache-2.0
//! What happens at fork(2), whoever calls it.
//!
//! httpd's parent is forked by our supervisor, by the MPM for its children, and by other modules for daemons of theirs
//! which never call exec. At the fork nobody can tell the last two apart. So every fork loses what only the parent needs:
//! the descriptors in [`Kept`](mod_tls_core::system::forks::Kept), and memory given to [`keep_memory`]. And every fork gets one end
//! of each [`Line`], a socket pair made for it alone, of which the parent keeps the other end: the hook child_status names the
//! children of the MPM, and only then does the parent say something on the line ([`claim_line`], [`take_line`]). What
//! another module forked holds an end whose other end is closed.
//!
//! The handlers run in processes of which other threads vanished: they call the kernel and touch atomics, nothing else.
//! They are registered once and for all, which the object allows because it is never unloaded (-z nodelete).

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicUsize, Ordering};

use mod_tls_core::system::forks::{close_kept, wipe_secrets};

use crate::guard::guard;
use crate::open_files;

const NONE: RawFd = -1;
/// More than are kept: that of lists is made anew where more are wanted, six times at most.
const REGIONS: usize = 16;

/// What a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The way to the signer.
    Agent,
    /// The keys of sessions.
    Sessions,
    /// The way to the fetcher.
    Fetcher,
}

const LINES: usize = 3;

/// Which process forked from the parent has memory that others go without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heir {
    /// None.
    Nobody = 0,
    /// The supervisor of the key agent.
    Supervisor = 1,
    /// The fetcher.
    Fetcher = 2,
}

/// Off while the MPM may detach httpd: the process forked then is the parent from there on, and has all that the parent
/// has.
static ON: AtomicBool = AtomicBool::new(false);
/// This process is httpd's parent.
static PARENT: AtomicBool = AtomicBool::new(false);
/// Whose fork is under way ([`Heir`]).
static HEIR: AtomicU8 = AtomicU8::new(Heir::Nobody as u8);
/// The parent's ends of the lines of the process forked last; until the next fork, or until they are claimed.
static NEAR: [AtomicI32; LINES] = [const { AtomicI32::new(NONE) }; LINES];
/// The other ends: while the fork is under way, and in the process forked.
static FAR: [AtomicI32; LINES] = [const { AtomicI32::new(NONE) }; LINES];
static MEMORY: [Region; REGIONS] = [const { Region::new() }; REGIONS];

/// Memory that forked processes do not have.
struct Region {
    address: AtomicUsize,
    length: AtomicUsize,
    /// Who has it all the same ([`Heir`]).
    heir: AtomicU8,
}

impl Region {
    const fn new() -> Self {
        Self {
            address: AtomicUsize::new(0),
            length: AtomicUsize::new(0),
            heir: AtomicU8::new(Heir::Nobody as u8),
        }
    }

    fn is_of(&self, heir: u8) -> bool {
        heir != Heir::Nobody as u8 && self.heir.load(Ordering::Acquire) == heir
    }

    /// Says whether the kernel leaves it out of forked processes.
    fn advise(&self, leave_out: bool) {
        let address = self.address.load(Ordering::Acquire);
        let advice = if leave_out {
            libc::MADV_DONTFORK
        } else {
            libc::MADV_DOFORK
        };
        if address != 0 {
            let length = self.length.load(Ordering::Acquire);
            // SAFETY: a whole mapping, made for this; the advice leaves its contents as they are.
            unsafe { libc::madvise(address as *mut libc::c_void, length, advice) };
        }
    }

    /// In a process just forked: puts zeros, which can only be read, where the memory is in the parent.
    fn blank(&self) {
        let address = self.address.swap(0, Ordering::AcqRel);
        if address != 0 {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
            let length = self.length.load(Ordering::Acquire);
            // SAFETY: the place of a mapping that was the parent's and that the kernel has left out here.
            unsafe {
                libc::mmap(
                    address as *mut libc::c_void,
                    length,
                    libc::PROT_READ,
                    flags,
                    -1,
                    0,
                );
            }
        }
    }
}

/// Registers the handlers, once. For httpd's parent, when the module is loaded.
pub(crate) fn forks_register() {
    static ONCE: Once = Once::new();
    guard(|| (), || ONCE.call_once(register));
}

fn register() {
    PARENT.store(true, Ordering::Release);
    ON.store(true, Ordering::Release);
    // SAFETY: the handlers stay mapped as long as the process lives.
    unsafe { libc::pthread_atfork(Some(prepare), Some(in_parent), Some(in_child)) };
}

/// Says that httpd is about to detach (`begins`), or may have done so.
pub(crate) fn forks_detach(begins: bool) {
    guard(
        || (),
        || {
            ON.store(!begins, Ordering::Release);
            for region in &MEMORY {
                region.advise(!begins);
            }
        },
    );
}

/// Keeps a mapping from all processes forked from now on, but the heir, to which [`fork_own`] gives it; they see zeros in
/// its place. The mapping is whole pages, and never unmapped.
pub(crate) fn keep_memory(address: *const u8, length: usize, heir: Heir) -> io::Result<()> {
    let free = |region: &&Region| region.address.load(Ordering::Acquire) == 0;
    let region = MEMORY
        .iter()
        .find(free)
        .ok_or_else(|| io::Error::other("too much memory is kept from forked processes"))?;
    region.length.store(length, Ordering::Release);
    region.heir.store(heir as u8, Ordering::Release);
    region.address.store(address.addr(), Ordering::Release);
    region.advise(ON.load(Ordering::Acquire));
    Ok(())
}

/// fork(2) of a process of our own. One that the parent forks has the memory that is the heir's to write; one that such a
/// process forks in turn, as a supervisor does signers, has not.
///
/// # Safety
/// As fork(2): the process has one thread.
pub(crate) unsafe fn fork_own(heir: Heir) -> libc::pid_t {
    if !PARENT.load(Ordering::Acquire) {
        // SAFETY: as the caller promises.
        return unsafe { libc::fork() };
    }
    let theirs = || MEMORY.iter().filter(|region| region.is_of(heir as u8));
    theirs().for_each(|region| region.advise(false));
    HEIR.store(heir as u8, Ordering::Release);
    // SAFETY: as the caller promises.
    let pid = unsafe { libc::fork() };
    HEIR.store(Heir::Nobody as u8, Ordering::Release);
    // In the heir too: what it forks does not have it.
    theirs().for_each(|region| region.advise(true));
    pid
}

/// The parent's end of a line of the process forked last, which child_status has just named as a child of the MPM.
/// `None` where there is none.
pub(crate) fn claim_line(line: Line) -> Option<OwnedFd> {
    NEAR.get(line as usize).and_then(take)
}

/// This process's end of a line; once. In child_init. `None` where the parent made none.
pub(crate) fn take_line(line: Line) -> Option<OwnedFd> {
    FAR.get(line as usize).and_then(take)
}

fn take(place: &AtomicI32) -> Option<OwnedFd> {
    let fd = place.swap(NONE, Ordering::AcqRel);
    // SAFETY: a descriptor of ours that nothing else owns, since it stood there.
    (fd != NONE).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Whether forks under way get a line.
fn gives_lines() -> bool {
    ON.load(Ordering::Acquire)
        && PARENT.load(Ordering::Acquire)
        && HEIR.load(Ordering::Acquire) == Heir::Nobody as u8
}

fn close(fd: RawFd) {
    if fd != NONE {
        // SAFETY: a descriptor of ours, which nothing in this process uses any more.
        unsafe { libc::close(fd) };
    }
}

fn close_all(ends: &[AtomicI32]) {
    for end in ends {
        close(end.swap(NONE, Ordering::AcqRel));
    }
}

/// Zeroes a secret. Volatile, so that it is done although nobody reads it here.
fn wipe(address: usize, length: usize) {
    for at in 0..length {
        // SAFETY: memory of a `Secret` that is alive in the parent, and so in this copy of it.
        unsafe { ((address + at) as *mut u8).write_volatile(0) };
    }
}

extern "C" fn prepare() {
    if !gives_lines() {
        return;
    }
    close_all(&NEAR);
    for (near, far) in NEAR.iter().zip(&FAR) {
        let mut pair = [NONE; 2];
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        // SAFETY: fills the two places.
        if unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, pair.as_mut_ptr()) } == 0 {
            // The parent only speaks. What the other end could send might be descriptors whose close(2) takes long.
            // SAFETY: a socket just made.
            unsafe { libc::shutdown(pair[0], libc::SHUT_RD) };
            near.store(pair[0], Ordering::Release);
            far.store(pair[1], Ordering::Release);
        }
    }
}

extern "C" fn in_parent() {
    if gives_lines() {
        close_all(&FAR);
    }
}

extern "C" fn in_child() {
    if !ON.load(Ordering::Acquire) {
        return;
    }
    if PARENT.swap(false, Ordering::AcqRel) {
        close_all(&NEAR);
    }
    close_kept(close);
    wipe_secrets(wipe);
    open_files::restore();
    let heir = HEIR.load(Ordering::Acquire);
    for region in &MEMORY {
        if !region.is_of(heir) {
            region.blank();
        }
    }
}
