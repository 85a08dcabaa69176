// SPDX-License-Identifier: Apache-2.0
//! What the key agent needs of the operating system beyond safe Rust.

use std::ffi::CStr;
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use mod_tls_core::agent::channel::Shared;
use mod_tls_core::agent::{Os, Received, SharedViews};
use mod_tls_core::fetch::results::{STAPLES, words_for, words_for_lists};

use crate::forks::{self, Heir};
use crate::memory::Mapping;
use crate::shared::{self, Descriptors};

/// Linux.
pub(crate) struct Linux;

/// Enough to sort 640,000 free pieces of memory, by allocations that no piece among them is likely to fit.
const SORTINGS: usize = 64;
const LARGE: usize = 100_000;
/// glibc's own bound at the start.
const MAPPED: libc::c_int = 128 * 1024;

/// Words of an update log, 256 MiB: the certificates of 10,000 virtual hosts for a year.
const UPDATE_LOG: usize = 32 << 20;

/// Address space of a thread's stack, where nobody says else, and of what else a child makes.
const STACK: usize = 8 << 20;
const CHILD: usize = 128 << 20;
/// Of one of glibc's arenas, of which there are at most eight for each processor.
const ARENA: usize = 64 << 20;
const ARENAS: usize = 8;

/// Control data: credentials (32 bytes with their head) and four descriptors (32), aligned as cmsghdr wants it.
#[repr(C, align(8))]
struct Control([u8; 64]);

impl Os for Linux {
    fn receive(&self, socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Received> {
        let mut control = MaybeUninit::<Control>::zeroed();
        let mut part = libc::iovec {
            iov_base: buffer.as_mut_ptr().cast(),
            iov_len: buffer.len(),
        };
        // SAFETY: an all-zero msghdr is a valid one without addresses.
        let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = size_of::<Control>();
        let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
        // SAFETY: the header names the buffer and the control block above, which outlive the call.
        let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) };
        let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
        let (pid, fds) = read_control(&header);
        let cut = header.msg_flags & libc::MSG_TRUNC != 0;
        Ok(Received {
            length: if cut { buffer.len() + 1 } else { length },
            pid,
            fds,
        })
    }

    fn fork(&self, keep: &[RawFd], child: &mut dyn FnMut() -> i32) -> io::Result<i32> {
        fork(Heir::Supervisor, keep, child)
    }

    fn fork_fetcher(&self, keep: &[RawFd], child: &mut dyn FnMut() -> i32) -> io::Result<i32> {
        fork(Heir::Fetcher, keep, child)
    }

    fn ignore_signals(&self) {
        for signal in [
            libc::SIGHUP,
            libc::SIGINT,
            libc::SIGTERM,
            libc::SIGUSR1,
            libc::SIGPIPE,
        ] {
            // SAFETY: changes dispositions of a process that is the agent's own.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
    }

    fn update_log(&self) -> io::Result<SharedViews> {
        let sizes = [UPDATE_LOG, UPDATE_LOG >> 3, UPDATE_LOG >> 6];
        views(c"mod_tls certificates", &sizes, Heir::Supervisor)
    }

    fn results(&self) -> io::Result<SharedViews> {
        let sizes = [STAPLES, STAPLES >> 3, STAPLES >> 6].map(words_for);
        views(c"mod_tls fetched", &sizes, Heir::Fetcher)
    }

    fn lists(&self, count: usize, threads: usize) -> io::Result<SharedViews> {
        // A child has as much of it as the parent, and threads besides.
        let children = shared::reserve(space_of_threads(threads) / size_of::<u64>())?;
        let sizes = std::iter::successors(Some(count), |count| (*count > 1).then_some(count / 2));
        let sizes: Vec<usize> = sizes.map(words_for_lists).collect();
        let made = views(c"mod_tls lists", &sizes, Heir::Fetcher);
        // SAFETY: made above, and nobody else has it.
        unsafe { shared::unmap(children) };
        made
    }

    fn share(
        &self,
        memory: BorrowedFd<'_>,
        length: usize,
        write: bool,
    ) -> io::Result<Box<dyn Shared>> {
        Ok(Box::new(Mapping::new(memory, length, write)?))
    }

    fn reader(&self, memory: BorrowedFd<'_>) -> io::Result<OwnedFd> {
        shared::reader(memory)
    }

    fn trim(&self) {
        // SAFETY: looks at the allocator's own lists and settings, under its locks.
        #[cfg(target_env = "gnu")]
        unsafe {
            // Blocks above this size go back by themselves; without a word glibc raises the bound to what was freed.
            libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED);
            libc::malloc_trim(0);
        }
        // glibc leaves all free pieces in one list, which the next large allocation sorts, 10,000 at a time, writing
        // to each of them: after a fork both processes would do so, and no page would be shared any more.
        for _ in 0..SORTINGS {
            std::hint::black_box(Vec::<u8>::with_capacity(LARGE));
        }
    }

    fn exit(&self, code: i32) -> ! {
        // SAFETY: ends the process; nothing runs after it.
        unsafe { libc::_exit(code) }
    }
}

/// Forks a process of our own ([`Os::fork`]), which has the memory of `heir`.
fn fork(heir: Heir, keep: &[RawFd], child: &mut dyn FnMut() -> i32) -> io::Result<i32> {
    let blocked = block_signals();
    // SAFETY: the caller has one thread, so the new process finds every lock free.
    let pid = unsafe { forks::fork_own(heir) };
    if pid == 0 {
        let code = catch_unwind(AssertUnwindSafe(|| {
            become_nobodys(keep);
            child()
        }));
        Linux.exit(code.unwrap_or(70));
    }
    let error = io::Error::last_os_error();
    restore_signals(&blocked);
    if pid > 0 { Ok(pid) } else { Err(error) }
}

/// Address space that so many threads of a child may take, in octets.
fn space_of_threads(threads: usize) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let arenas = threads.min(processors.saturating_mul(ARENAS));
    let stacks = threads.saturating_mul(STACK);
    stacks
        .saturating_add(arenas.saturating_mul(ARENA))
        .saturating_add(CHILD)
}

/// Two views of a new memory: one for `heir` to write, one to read. It has the first of `sizes`, in words, that the system
/// gives both of; it is taken only where something was written.
fn views(name: &CStr, sizes: &[usize], heir: Heir) -> io::Result<SharedViews> {
    let mut made = sizes.iter().map(|words| both(name, *words));
    let first = made
        .next()
        .unwrap_or_else(|| Err(io::ErrorKind::OutOfMemory.into()));
    let views = first.or_else(|error| made.find_map(Result::ok).ok_or(error))?;
    shared::hide_from_dumps(views.write);
    shared::hide_from_dumps(views.read);
    forks::keep_memory(views.write.as_ptr().cast(), size_of_val(views.write), heir)?;
    Ok(views)
}

fn both(name: &CStr, words: usize) -> io::Result<SharedViews> {
    let (write, memory) = shared::create(name, words, Descriptors::Read)?;
    match shared::map(&memory, words, false) {
        Ok(read) => Ok(SharedViews { write, read }),
        Err(error) => {
            // SAFETY: made here, and nobody else has it.
            unsafe { shared::unmap(write) };
            Err(error)
        }
    }
}

/// The sender's pid and its descriptors; there is no room for more than a few.
fn read_control(header: &libc::msghdr) -> (i32, Vec<OwnedFd>) {
    let (mut pid, mut fds) = (0, Vec::new());
    // SAFETY: the kernel filled the control block that the header names; the macros stay inside of it.
    unsafe {
        let mut at = libc::CMSG_FIRSTHDR(header);
        while !at.is_null() {
            let data = libc::CMSG_DATA(at);
            let length = (*at).cmsg_len.saturating_sub(libc::CMSG_LEN(0) as usize);
            match ((*at).cmsg_level, (*at).cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) if length >= size_of::<libc::ucred>() => {
                    pid = data.cast::<libc::ucred>().read_unaligned().pid;
                }
                (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                    for index in 0..length / size_of::<RawFd>() {
                        let fd = data.cast::<RawFd>().add(index).read_unaligned();
                        // The kernel made this descriptor for us; it has no other owner.
                        fds.push(OwnedFd::from_raw_fd(fd));
                    }
                }
                _ => {}
            }
            at = libc::CMSG_NXTHDR(header, at);
        }
    }
    (pid, fds)
}

/// Blocks all signals; gives what was blocked before.
fn block_signals() -> libc::sigset_t {
    // SAFETY: both sets are valid memory that the calls fill.
    unsafe {
        let mut all = MaybeUninit::<libc::sigset_t>::zeroed();
        let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        before.assume_init()
    }
}

fn restore_signals(before: &libc::sigset_t) {
    // SAFETY: the set is a valid one from block_signals.
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, before, ptr::null_mut());
    }
}

/// In a new process: takes off what it has of httpd.
fn become_nobodys(keep: &[RawFd]) {
    std::panic::set_hook(Box::new(|_| ()));
    // SAFETY: changes dispositions and descriptors of this process alone, which has one thread and runs nothing of
    // httpd any more.
    unsafe {
        for signal in 1..=libc::SIGRTMAX() {
            libc::signal(signal, libc::SIG_DFL);
        }
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for standard in 0..3 {
            if null >= 0 && !keep.contains(&standard) {
                libc::dup2(null, standard);
            }
        }
        close_others(keep);
        let mut none = MaybeUninit::<libc::sigset_t>::zeroed();
        libc::sigemptyset(none.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
    }
}

/// Closes every descriptor above standard error but those to keep.
///
/// # Safety
/// No owner of another descriptor may use or close it afterwards.
unsafe fn close_others(keep: &[RawFd]) {
    let mut keep: Vec<RawFd> = keep.iter().copied().filter(|fd| *fd > 2).collect();
    keep.sort_unstable();
    let mut from = 3;
    for fd in keep.into_iter().map(Some).chain([None]) {
        let to = fd.map_or(libc::c_int::MAX, |fd| fd - 1);
        if from <= to {
            // SAFETY: as the caller promises.
            unsafe { close_range(from, to) };
        }
        if let Some(fd) = fd {
            from = fd + 1;
        }
    }
}

/// # Safety
/// As [`close_others`].
unsafe fn close_range(from: RawFd, to: RawFd) {
    // SAFETY: plain numbers.
    let done = unsafe { libc::syscall(libc::SYS_close_range, from, to, 0) };
    if done == 0 {
        return;
    }
    // Linux before 5.9.
    // SAFETY: fills a struct of ours; closing numbers that are not open does nothing.
    unsafe {
        let most = libc::sysconf(libc::_SC_OPEN_MAX).clamp(256, 1 << 20);
        let last = to.min(RawFd::try_from(most).unwrap_or(RawFd::MAX));
        for fd in from..=last {
            libc::close(fd);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::{UnixDatagram, UnixStream};

    use super::*;

    #[test]
    fn a_forked_process_has_what_it_was_given_only() {
        // Only a process with one thread may fork so, and this one runs tests side by side.
        const ALONE: &str = "MOD_TLS_TEST_ALONE";
        if std::env::var_os(ALONE).is_none() {
            let name = "os::tests::a_forked_process_has_what_it_was_given_only";
            let status = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name, "--test-threads=1"])
                .env(ALONE, "1")
                .status();
            assert!(status.unwrap().success());
            return;
        }
        let (mut near, far) = UnixStream::pair().unwrap();
        let (other, _) = UnixStream::pair().unwrap();
        let raw = other.as_raw_fd();
        let mut far = Some(far);
        let keep = [far.as_ref().unwrap().as_raw_fd()];
        let mut child = || {
            let mut far = far.take().unwrap();
            // SAFETY: asks about a number.
            let open = unsafe { libc::fcntl(raw, libc::F_GETFD) } >= 0;
            far.write_all(&[u8::from(open)]).unwrap();
            panic!("which ends it with 70");
        };
        let pid = Linux.fork(&keep, &mut child).unwrap();
        drop(far);
        let mut said = Vec::new();
        near.read_to_end(&mut said).unwrap();
        assert_eq!(said, [0]);
        let mut status = 0;
        // SAFETY: waits for our own child.
        assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
        assert_eq!(libc::WEXITSTATUS(status), 70);
    }

    #[test]
    fn messages_name_their_sender() {
        let (near, far) = UnixDatagram::pair().unwrap();
        let on: libc::c_int = 1;
        let size = libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap();
        // SAFETY: reads a number of ours.
        let set = unsafe {
            let fd = far.as_raw_fd();
            let on = (&raw const on).cast();
            libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_PASSCRED, on, size)
        };
        assert_eq!(set, 0);
        near.send(&[1, 2]).unwrap();
        let mut buffer = [0; 1];
        let received = Linux.receive(far.as_fd(), &mut buffer).unwrap();
        assert_eq!(received.pid, i32::try_from(std::process::id()).unwrap());
        assert_eq!(received.length, 2, "longer than the buffer");
        assert!(received.fds.is_empty());
        let empty = Linux.receive(far.as_fd(), &mut buffer).unwrap_err();
        assert_eq!(empty.kind(), io::ErrorKind::WouldBlock);
    }
}
