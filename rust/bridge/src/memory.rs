// SPDX-License-Identifier: Apache-2.0
//! Memory that two processes share.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::AtomicU32;

use mod_tls_core::agent::channel::Shared;

/// A mapping, for as long as it lives.
pub(crate) struct Mapping {
    address: NonNull<AtomicU32>,
    words: usize,
}

// SAFETY: the memory is only ever touched as atomics, and the mapping is nobody's but this value's.
unsafe impl Send for Mapping {}
// SAFETY: the same.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `length` bytes of a memory that cannot be made shorter, to read, or to `write` too. Nothing is
    /// written through the words of one that is to be read.
    pub(crate) fn new(memory: BorrowedFd<'_>, length: usize, write: bool) -> io::Result<Self> {
        // lseek(2), since it is all that a signer may ask of a file; nobody uses the position.
        // SAFETY: asks about a descriptor that is open.
        let end = unsafe { libc::lseek(memory.as_raw_fd(), 0, libc::SEEK_END) };
        if length < size_of::<AtomicU32>()
            || usize::try_from(end).is_ok_and(|end| end < length)
            || end < 0
        {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let protection = libc::PROT_READ | if write { libc::PROT_WRITE } else { 0 };
        let fd = memory.as_raw_fd();
        // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
        let address =
            unsafe { libc::mmap(ptr::null_mut(), length, protection, libc::MAP_SHARED, fd, 0) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let address = NonNull::new(address.cast()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self {
            address,
            words: length / size_of::<AtomicU32>(),
        })
    }
}

impl Shared for Mapping {
    fn words(&self) -> &[AtomicU32] {
        // SAFETY: the mapping is page-aligned, so many words long, and there until drop; the memory is sealed against
        // getting shorter; any bits are an AtomicU32, and every process touches it as such.
        unsafe { slice::from_raw_parts(self.address.as_ptr(), self.words) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let length = self.words * size_of::<AtomicU32>();
        // SAFETY: the mapping is this value's own, and no reference outlives it.
        unsafe { libc::munmap(self.address.as_ptr().cast(), length) };
    }
}
