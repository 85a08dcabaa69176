// SPDX-License-Identifier: Apache-2.0
//! What httpd's parent keeps from every process that is forked from it, whoever calls fork(2).
//!
//! Other modules fork daemons from the parent that never call exec (mod_cgid, mod_fcgid, mod_wsgi), so that closing on
//! exec is no protection. A descriptor in [`Kept`] is closed in every fork, by a handler that the bridge registers with
//! pthread_atfork(3); the table is one of plain numbers, since that handler may neither lock nor allocate.

use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};

use zeroize::Zeroizing;

/// Places of the first part of the table; each further part, made when it is needed, has twice as many as the one
/// before it. Two for each child of httpd, and a few.
const FIRST: usize = 64;
const PARTS: usize = 14;
const NONE: RawFd = -1;

static TABLE: [OnceLock<Box<[AtomicI32]>>; PARTS] = [const { OnceLock::new() }; PARTS];

fn places() -> impl Iterator<Item = &'static AtomicI32> {
    TABLE.iter().map_while(OnceLock::get).flatten()
}

/// A place for `fd`.
fn place_for(fd: RawFd) -> Option<&'static AtomicI32> {
    let take = |place: &&AtomicI32| {
        place
            .compare_exchange(NONE, fd, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    };
    places().find(take).or_else(|| {
        let (number, part) = TABLE
            .iter()
            .enumerate()
            .find(|(_, part)| part.get().is_none())?;
        let made = || (0..FIRST << number).map(|_| AtomicI32::new(NONE)).collect();
        part.get_or_init(made).iter().find(take)
    })
}

/// How often the table was emptied by a fork: what was kept before belongs to another process.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// A descriptor's owner that no forked process has.
#[derive(Debug)]
pub struct Kept<T: AsFd> {
    /// There until it is dropped.
    owner: Option<T>,
    place: &'static AtomicI32,
    forks: u32,
}

impl<T: AsFd> Kept<T> {
    /// Keeps `owner`'s descriptor from every fork to come. For the parent, which has one thread.
    ///
    /// # Errors
    /// The table is full.
    pub fn new(owner: T) -> io::Result<Self> {
        let fd = owner.as_fd().as_raw_fd();
        let full = || io::Error::other("too many descriptors are kept from forked processes");
        Ok(Self {
            place: place_for(fd).ok_or_else(full)?,
            owner: Some(owner),
            forks: FORKS.load(Ordering::Acquire),
        })
    }

    /// The owner; none in a process that was forked since, where its descriptor is closed.
    pub fn get(&self) -> Option<&T> {
        self.owner.as_ref().filter(|_| !self.is_of_before_a_fork())
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
        } else {
            self.place.store(NONE, Ordering::Release);
        }
    }
}

/// In a process just forked: gives every kept descriptor to `close`, once. Neither locks nor allocates; for the handler
/// of the bridge.
pub fn close_kept(close: impl Fn(RawFd)) {
    for place in places() {
        let fd = place.swap(NONE, Ordering::AcqRel);
        if fd != NONE {
            close(fd);
        }
    }
    FORKS.fetch_add(1, Ordering::AcqRel);
}

/// Secrets that can be kept at a time.
const SECRETS: usize = 16;

static SECRET: [Place; SECRETS] = [const { Place::new() }; SECRETS];

/// Where a secret lies.
struct Place {
    address: AtomicUsize,
    length: AtomicUsize,
}

impl Place {
    const fn new() -> Self {
        Self {
            address: AtomicUsize::new(0),
            length: AtomicUsize::new(0),
        }
    }
}

/// Octets that no forked process has: they are zero there. Wiped when dropped.
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Keeps `octets` from every fork to come. For the parent, which has one thread.
    ///
    /// # Errors
    /// The table is full.
    pub fn new(octets: &[u8]) -> io::Result<Self> {
        let octets: Zeroizing<Box<[u8]>> = Zeroizing::new(octets.into());
        let address = octets.as_ptr().addr();
        let free = |place: &&Place| place.address.load(Ordering::Acquire) == 0;
        let full = || io::Error::other("too many secrets are kept from forked processes");
        let place = SECRET.iter().find(free).ok_or_else(full)?;
        place.length.store(octets.len(), Ordering::Release);
        place.address.store(address, Ordering::Release);
        Ok(Self(octets))
    }
}

impl Deref for Secret {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let mine = self.0.as_ptr().addr();
        for place in &SECRET {
            let _ = place
                .address
                .compare_exchange(mine, 0, Ordering::AcqRel, Ordering::Acquire);
        }
    }
}

/// In a process just forked: gives address and length of every secret to `wipe`. As [`close_kept`].
pub fn wipe_secrets(wipe: impl Fn(usize, usize)) {
    for place in &SECRET {
        let address = place.address.swap(0, Ordering::AcqRel);
        if address != 0 {
            wipe(address, place.length.load(Ordering::Acquire));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Mutex, PoisonError};

    /// The table is the process's, and tests run side by side.
    static ONE: Mutex<()> = Mutex::new(());

    fn kept(fd: RawFd) -> bool {
        places().any(|place| place.load(Ordering::Acquire) == fd)
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

    #[test]
    fn a_secret_is_wiped_in_a_fork_and_forgotten_by_its_owner() {
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, second) = (
            Secret::new(&[1; 48]).unwrap(),
            Secret::new(&[2; 32]).unwrap(),
        );
        let (a, b) = (first.as_ptr().addr(), second.as_ptr().addr());
        assert_eq!(*first, [1; 48]);
        drop(first);
        let wiped = Mutex::new(Vec::new());
        wipe_secrets(|address, length| wiped.lock().unwrap().push((address, length)));
        assert!(wiped.lock().unwrap().contains(&(b, 32)));
        assert!(
            !wiped
                .lock()
                .unwrap()
                .iter()
                .any(|(address, _)| *address == a && a != b)
        );
    }

    #[test]
    fn there_is_room_for_thousands() {
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let file = std::fs::File::open("/dev/null").unwrap();
        let all: Vec<_> = (0..5000)
            .map(|_| Kept::new(file.as_fd()).unwrap())
            .collect();
        let places = places().count();
        drop(all);
        assert!((5000..20_000).contains(&places), "{places}");
        assert!(!kept(file.as_raw_fd()), "each is given back");
    }
}
