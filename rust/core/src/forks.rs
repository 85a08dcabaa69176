//! What httpd's parent keeps from every process that is forked from it, whoever calls fork(2).
//!
//! Other modules fork daemons from the parent that never call exec (mod_cgid, mod_fcgid, mod_wsgi), so that closing on
//! exec is no protection. A descriptor in [`Kept`] is closed in every fork, by a handler that the bridge registers with
//! pthread_atfork(3); the table is one of plain numbers, since that handler may neither lock nor allocate.

use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

/// Descriptors that can be kept at a time.
const MOST: usize = 64;
const NONE: RawFd = -1;

static KEPT: [AtomicI32; MOST] = [const { AtomicI32::new(NONE) }; MOST];

/// How often the table was emptied by a fork: what was kept before belongs to another process.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// A descriptor's owner that no forked process has.
#[derive(Debug)]
pub struct Kept<T: AsFd> {
    /// There until it is dropped.
    owner: Option<T>,
    place: usize,
    forks: u32,
}

impl<T: AsFd> Kept<T> {
    /// Keeps `owner`'s descriptor from every fork to come. For the parent, which has one thread.
    ///
    /// # Errors
    /// The table is full.
    pub fn new(owner: T) -> io::Result<Self> {
        let fd = owner.as_fd().as_raw_fd();
        let take = |place: &AtomicI32| {
            place
                .compare_exchange(NONE, fd, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
        };
        let full = || io::Error::other("too many descriptors are kept from forked processes");
        Ok(Self {
            place: KEPT.iter().position(take).ok_or_else(full)?,
            owner: Some(owner),
            forks: FORKS.load(Ordering::Acquire),
        })
    }

    fn is_of_before_a_fork(&self) -> bool {
        self.forks != FORKS.load(Ordering::Acquire)
    }
}

impl<T: AsFd> Deref for Kept<T> {
    type Target = T;

    #[expect(clippy::expect_used, reason = "it is taken by drop alone")]
    fn deref(&self) -> &T {
        self.owner.as_ref().expect("there until dropped")
    }
}

impl<T: AsFd> DerefMut for Kept<T> {
    #[expect(clippy::expect_used, reason = "it is taken by drop alone")]
    fn deref_mut(&mut self) -> &mut T {
        self.owner.as_mut().expect("there until dropped")
    }
}

impl<T: AsFd> Drop for Kept<T> {
    fn drop(&mut self) {
        if self.is_of_before_a_fork() {
            // The handler has closed it, and the number may be another descriptor's by now.
            std::mem::forget(self.owner.take());
        } else if let Some(place) = KEPT.get(self.place) {
            place.store(NONE, Ordering::Release);
        }
    }
}

/// In a process just forked: gives every kept descriptor to `close`, once. Neither locks nor allocates; for the handler
/// of the bridge.
pub fn close_kept(close: impl Fn(RawFd)) {
    for place in &KEPT {
        let fd = place.swap(NONE, Ordering::AcqRel);
        if fd != NONE {
            close(fd);
        }
    }
    FORKS.fetch_add(1, Ordering::AcqRel);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Mutex, PoisonError};

    /// The table is the process's, and tests run side by side.
    static ONE: Mutex<()> = Mutex::new(());

    fn kept(fd: RawFd) -> bool {
        KEPT.iter().any(|place| place.load(Ordering::Acquire) == fd)
    }

    #[test]
    fn a_kept_descriptor_is_closed_by_its_owner_or_by_a_fork_and_never_twice() {
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, second) = io::pipe().unwrap();
        let (first, second) = (Kept::new(first).unwrap(), Kept::new(second).unwrap());
        let (a, b) = (first.as_raw_fd(), second.as_raw_fd());
        drop(first);
        assert!(!kept(a) && kept(b));
        let closed = Mutex::new(Vec::new());
        close_kept(|fd| closed.lock().unwrap().push(fd));
        assert!(closed.lock().unwrap().contains(&b) && !kept(b));
        let link = format!("/proc/self/fd/{b}");
        drop(second);
        assert!(
            std::fs::symlink_metadata(link).is_ok(),
            "the handler's to close, and it did not here"
        );
    }
}
