// SPDX-License-Identifier: Apache-2.0
//! Memory that one process writes and others read: sealed, so that nobody makes it shorter or longer and no descriptor
//! of it gives a mapping that can be written.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use mod_tls_core::system::words::Words;

/// Of Linux 5.1.
const F_SEAL_FUTURE_WRITE: libc::c_int = 0x10;
/// Of the processors that this runs on the largest.
const PAGE: usize = 65536;
const SIZE: libc::c_int = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW;

/// What a descriptor of a new memory may still give.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Descriptors {
    /// Mappings to read: the one that can be written is the one made here.
    Read,
    /// Mappings to write too.
    Write,
}

/// A new memory of so many words, all zero, mapped to be written; and a descriptor of it.
pub(crate) fn create(
    name: &CStr,
    words: usize,
    descriptors: Descriptors,
) -> io::Result<(Words, OwnedFd)> {
    let length = bytes(words)?;
    // Beyond the limit ftruncate(2) would not only fail, but also send a signal.
    if exceeds_file_limit(length) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: the name is a C string.
    let fd = check(unsafe { libc::memfd_create(name.as_ptr(), flags) })?;
    // SAFETY: just made, and nobody else's.
    let memory = unsafe { OwnedFd::from_raw_fd(fd) };
    let size = libc::off_t::try_from(length).map_err(io::Error::other)?;
    // SAFETY: plain numbers.
    unsafe {
        // Else every uid could open it for writing again, through /proc/self/fd.
        check(libc::fchmod(fd, 0o600))?;
        check(libc::ftruncate(fd, size))?;
    }
    let seal = |seals: libc::c_int| {
        // SAFETY: plain numbers.
        check(unsafe { libc::fcntl(fd, libc::F_ADD_SEALS, seals) })
    };
    seal(SIZE)?;
    let mapped = map(&memory, words, true)?;
    // A kernel that does not know the seal leaves what the descriptor's owner and mode give.
    if descriptors == Descriptors::Read {
        let _ = seal(F_SEAL_FUTURE_WRITE);
    }
    seal(libc::F_SEAL_SEAL)?;
    Ok((mapped, memory))
}

/// Maps a memory of so many words.
pub(crate) fn map(memory: &OwnedFd, words: usize, write: bool) -> io::Result<Words> {
    let place = if write {
        apart(bytes(words)?)
    } else {
        ptr::null_mut()
    };
    map_at(memory, words, write, place, 0)
}

/// Maps a memory in the place of what this process has at `words`: private memory without a use from now on.
///
/// # Safety
/// The place is whole pages, and nobody has a reference that counts on its contents.
pub(crate) unsafe fn replace(memory: &OwnedFd, words: Words, write: bool) -> io::Result<()> {
    let place = words.as_ptr().cast_mut().cast();
    map_at(memory, words.len(), write, place, libc::MAP_FIXED).map(|_| ())
}

/// Private memory of so many words, on pages of its own.
pub(crate) fn private(words: usize) -> io::Result<Words> {
    anonymous(words, libc::PROT_READ | libc::PROT_WRITE)
}

/// Address space for so many words, which nobody may read or write.
pub(crate) fn reserve(words: usize) -> io::Result<Words> {
    anonymous(words, libc::PROT_NONE)
}

fn anonymous(words: usize, protection: libc::c_int) -> io::Result<Words> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let length = bytes(words)?;
    // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
    let address = unsafe { libc::mmap(apart(length), length, protection, flags, -1, 0) };
    view(address, words)
}

/// Where the kernel may put a mapping of so many octets, so that it lies far from all others: below them by more than they
/// grow by. What a forked process goes without ([`crate::forks::keep_memory`]) leaves a gap there until zeros are put in
/// it, and what other libraries map at the fork before that, such as the stack of a thread of theirs, takes the first gap
/// from above that is large enough.
fn apart(length: usize) -> *mut libc::c_void {
    const DISTANCE: usize = 64 << 30;
    static LOWEST: AtomicUsize = AtomicUsize::new(0);
    if LOWEST.load(Ordering::Relaxed) == 0 {
        LOWEST.store(usual_place().saturating_sub(DISTANCE), Ordering::Relaxed);
    }
    let room = length.next_multiple_of(PAGE).saturating_add(PAGE);
    let before = LOWEST.fetch_sub(room, Ordering::Relaxed);
    // Where that is nothing that can be, or taken, the kernel chooses as it does for null.
    ptr::without_provenance_mut(before.saturating_sub(room))
}

/// Where the kernel puts mappings now.
fn usual_place() -> usize {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping at an address of the kernel's choice, which is taken away at once.
    unsafe {
        let address = libc::mmap(ptr::null_mut(), PAGE, libc::PROT_NONE, flags, -1, 0);
        if address == libc::MAP_FAILED {
            return 0;
        }
        libc::munmap(address, PAGE);
        address.addr()
    }
}

fn map_at(
    memory: &OwnedFd,
    words: usize,
    write: bool,
    place: *mut libc::c_void,
    fixed: libc::c_int,
) -> io::Result<Words> {
    let length = bytes(words)?;
    if !is_sealed(memory, length) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let protection = libc::PROT_READ | if write { libc::PROT_WRITE } else { 0 };
    let flags = libc::MAP_SHARED | fixed;
    // SAFETY: a new mapping at an address of the kernel's choice, or in a place as the caller promises.
    let address = unsafe { libc::mmap(place, length, protection, flags, memory.as_raw_fd(), 0) };
    view(address, words)
}

fn view(address: *mut libc::c_void, words: usize) -> io::Result<Words> {
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the mapping is page-aligned, so many words long, and stays; any bits are an AtomicU64. One that can only
    // be read is only loaded from.
    Ok(unsafe { slice::from_raw_parts(address.cast(), words) })
}

/// Takes a mapping away.
///
/// # Safety
/// Nobody uses it any more.
pub(crate) unsafe fn unmap(words: Words) {
    // SAFETY: as the caller promises.
    unsafe { libc::munmap(words.as_ptr().cast_mut().cast(), size_of_val(words)) };
}

/// Keeps a mapping out of core dumps, and out of swap where the limits allow it.
pub(crate) fn hide(words: Words) {
    hide_from_dumps(words);
    // SAFETY: a whole mapping.
    unsafe { libc::mlock(words.as_ptr().cast(), size_of_val(words)) };
}

/// Keeps a mapping out of core dumps.
pub(crate) fn hide_from_dumps(words: Words) {
    advise(words, libc::MADV_DONTDUMP);
}

fn advise(words: Words, advice: libc::c_int) {
    let address = words.as_ptr().cast_mut().cast();
    // SAFETY: advice about a whole mapping, which leaves its contents as they are.
    unsafe { libc::madvise(address, size_of_val(words), advice) };
}

/// Another descriptor of a memory, of its own in all, through which it can be read and neither written nor changed. It
/// can be opened for writing again by nobody but the memory's owner.
pub(crate) fn reader(memory: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}\0", memory.as_raw_fd());
    let flags = libc::O_RDONLY | libc::O_CLOEXEC;
    // SAFETY: the path ends with a zero.
    let opened = check(unsafe { libc::open(path.as_ptr().cast(), flags) });
    let fd = opened
        .map_err(|error| io::Error::other(format!("/proc/self/fd cannot be used: {error}")))?;
    // SAFETY: just made, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Whether a memory has the length and keeps it.
fn is_sealed(memory: &OwnedFd, length: usize) -> bool {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: fills the struct.
    let known = unsafe { libc::fstat(memory.as_raw_fd(), stat.as_mut_ptr()) } == 0;
    // SAFETY: all zero is a valid one.
    let size = unsafe { stat.assume_init() }.st_size;
    // SAFETY: plain numbers.
    let seals = unsafe { libc::fcntl(memory.as_raw_fd(), libc::F_GET_SEALS) };
    known
        && seals & SIZE == SIZE
        && seals >= 0
        && usize::try_from(size).is_ok_and(|size| size >= length)
}

fn exceeds_file_limit(length: usize) -> bool {
    let mut limit = std::mem::MaybeUninit::<libc::rlimit>::zeroed();
    // SAFETY: fills the struct.
    unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, limit.as_mut_ptr()) };
    // SAFETY: all zero is a valid one.
    length as u64 > unsafe { limit.assume_init() }.rlim_cur
}

fn bytes(words: usize) -> io::Result<usize> {
    words
        .checked_mul(size_of::<AtomicU64>())
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::sync::atomic::Ordering;

    #[test]
    fn a_descriptor_gives_nothing_but_reading() {
        let (words, memory) = create(c"mod_tls test", 512, Descriptors::Read).unwrap();
        words[511].store(7, Ordering::SeqCst);
        let reader = reader(memory.as_fd()).unwrap();
        for descriptor in [&memory, &reader] {
            let fd = descriptor.as_raw_fd();
            let read = map(descriptor, 512, false).unwrap();
            assert_eq!(read[511].load(Ordering::SeqCst), 7);
            assert!(map(descriptor, 512, true).is_err());
            // SAFETY: plain numbers, and one byte.
            unsafe {
                assert!(libc::ftruncate(fd, 0) < 0 && libc::ftruncate(fd, 1 << 20) < 0);
                assert!(libc::pwrite(fd, [1u8].as_ptr().cast(), 1, 0) < 0);
                assert!(libc::fcntl(fd, libc::F_ADD_SEALS, libc::F_SEAL_WRITE) < 0);
                let hole = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
                assert!(libc::fallocate(fd, hole, 0, 4096) < 0);
                let page = read.as_ptr().cast_mut().cast();
                let both = libc::PROT_READ | libc::PROT_WRITE;
                assert!(libc::mprotect(page, 4096, both) < 0);
            }
        }
        assert_eq!(words[511].load(Ordering::SeqCst), 7);
    }

    #[test]
    fn one_process_may_be_given_memory_to_write() {
        let (words, memory) = create(c"mod_tls test", 512, Descriptors::Write).unwrap();
        let place = private(512).unwrap();
        place[3].store(1, Ordering::SeqCst);
        // SAFETY: nobody uses the place.
        unsafe { replace(&memory, place, true).unwrap() };
        assert_eq!(place[3].load(Ordering::SeqCst), 0);
        place[3].store(9, Ordering::SeqCst);
        assert_eq!(words[3].load(Ordering::SeqCst), 9);
        // SAFETY: plain numbers.
        assert!(unsafe { libc::ftruncate(memory.as_raw_fd(), 0) } < 0);
        assert!(map(&memory, 513, false).is_err(), "longer than it is");
    }
}
