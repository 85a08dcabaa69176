//! The way between one child of httpd and the signer: memory that these two share, and a bell.
//!
//! httpd's parent makes the memory (sealed against resizing) and the bell (an eventfd) when it forks; no other child
//! has either, and nothing ever comes from a child but words in that memory and strokes of that bell. The memory holds
//! *slots*. A thread of the child claims one, writes its request and rings; the signer copies the request out before
//! it looks at it, and writes the reply beside it. [`slot`] says how the two keep out of each other's way.
//!
//! | words (32 bits) | what |
//! |---|---|
//! | 0 to 31 | one bit for each slot: there is a request |
//! | then for each slot | state, owner (a pid), length of the request, length of the reply, request, reply |
//! | then for each slot | room for a request that is longer, touched where one comes |

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{MemfdFlags, Mode, SealFlags, fchmod, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::{Errno, write};
use rustix::process::{Pid, Resource, getrlimit, test_kill_process};
use rustix::thread::futex;

use super::Os;
use super::wire::{MAX_REPLY, MAX_REQUEST, SHORT_REQUEST};

pub mod slot;
pub mod words;

#[cfg(test)]
mod model;

use slot::Progress;

/// Most slots of a channel: the bits that stand at its front.
pub const MAX_SLOTS: usize = BITS * 32;
const BITS: usize = 32;
const HEAD: usize = 4;
const SHORT: usize = SHORT_REQUEST.div_ceil(4);
const REPLY: usize = MAX_REPLY.div_ceil(4);
/// Whole cache lines, so that threads do not write into each other's.
const SLOT: usize = (HEAD + SHORT + REPLY).next_multiple_of(16);
const LONG: usize = MAX_REQUEST.div_ceil(4).next_multiple_of(16);
/// A page: what is long begins on one of its own.
const PAGE: usize = 1024;

/// Memory shared with another process, mapped for as long as the value lives.
pub trait Shared: Send + Sync {
    /// The memory. The other process may change it at any moment.
    fn words(&self) -> &[AtomicU32];
}

/// Where what lies in a channel's memory; in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    slots: usize,
}

impl Layout {
    /// The layout for so many slots, one at least and [`MAX_SLOTS`] at most.
    pub fn new(slots: usize) -> Self {
        Self {
            slots: slots.clamp(1, MAX_SLOTS),
        }
    }

    /// How many requests may be under way at a time.
    pub fn slots(self) -> usize {
        self.slots
    }

    /// How many words of bits there are.
    pub fn bit_words(self) -> usize {
        self.slots.div_ceil(32)
    }

    fn long_areas(self) -> usize {
        (BITS + self.slots * SLOT).next_multiple_of(PAGE)
    }

    fn words(self) -> usize {
        (self.long_areas() + self.slots * LONG).next_multiple_of(PAGE)
    }

    /// Bytes of the memory; what no request was ever written to takes none.
    pub fn bytes(self) -> usize {
        self.words() * 4
    }

    fn slot(self, slot: usize) -> usize {
        BITS + slot.min(self.slots - 1) * SLOT
    }

    fn long(self, slot: usize) -> usize {
        self.long_areas() + slot.min(self.slots - 1) * LONG
    }
}

/// What the signer is given of a channel, and everybody in between.
#[derive(Debug)]
pub struct Way {
    /// How many slots the memory has.
    pub slots: usize,
    /// The memory.
    pub memory: OwnedFd,
    /// The bell.
    pub bell: OwnedFd,
}

impl Way {
    /// Makes memory and bell. Both are closed on exec.
    pub fn new(slots: usize) -> io::Result<Self> {
        let layout = Layout::new(slots);
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let memory = memfd_create("mod_tls-channel", flags)?;
        // Else every uid could open it, through another process's /proc/PID/fd.
        fchmod(&memory, Mode::RUSR | Mode::WUSR)?;
        let length = layout.bytes() as u64;
        if getrlimit(Resource::Fsize)
            .current
            .is_some_and(|most| most < length)
        {
            // ftruncate(2) would not only fail, but also send a signal.
            return Err(Errno::FBIG.into());
        }
        ftruncate(&memory, length)?;
        fcntl_add_seals(
            &memory,
            SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL,
        )?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self {
            slots: layout.slots(),
            memory,
            bell,
        })
    }

    /// Maps the memory, for the child's end or the signer's.
    pub fn map(&self, os: &dyn Os) -> io::Result<Box<dyn Shared>> {
        os.share(self.memory.as_fd(), Layout::new(self.slots).bytes())
    }
}

/// The child's end.
pub struct ChildEnd {
    layout: Layout,
    memory: Box<dyn Shared>,
    bell: OwnedFd,
}

impl ChildEnd {
    /// The child's end of a way.
    pub fn new(way: &Way, os: &dyn Os) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            layout: Layout::new(way.slots),
            memory: way.map(os)?,
            bell: way.bell.try_clone()?,
        }))
    }

    /// A slot of this thread's own until it is dropped; `None` where all are in use. An owner that is gone (a process
    /// that this one forked, or that forked this one) owns nothing.
    pub fn claim(self: &Arc<Self>) -> Option<Claim> {
        let me = std::process::id();
        let slot = slot::claim(self.memory.words(), self.layout, me, is_alive)?;
        Some(Claim {
            end: Arc::clone(self),
            slot,
            owner: me,
            number: 0,
        })
    }

    fn ring(&self) {
        // Full (EAGAIN): it has rung often enough.
        while write(&self.bell, &1u64.to_ne_bytes()) == Err(Errno::INTR) {}
    }
}

fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // Of another uid (EPERM), it is alive too.
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

/// A slot that a thread has claimed.
pub struct Claim {
    end: Arc<ChildEnd>,
    slot: usize,
    owner: u32,
    number: u32,
}

impl Claim {
    /// Asks what `frame` says once it is told the request's number, and rings.
    pub fn ask(&mut self, frame: impl FnOnce(u32) -> Vec<u8>) {
        let words = self.end.memory.words();
        self.number = slot::ask(words, self.end.layout, self.slot, frame);
        self.end.ring();
    }

    /// The number of the request that was asked last.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Rings again, for a signer that has come after another.
    pub fn remind(&self) {
        slot::remind(self.end.memory.words(), self.slot);
        self.end.ring();
    }

    /// How far the request is.
    pub fn progress(&self) -> Progress {
        let words = self.end.memory.words();
        slot::progress(words, self.end.layout, self.slot, self.number)
    }

    /// Sleeps until the slot's state is no longer `seen`, for `at_most`, or less.
    pub fn sleep(&self, seen: u32, at_most: Duration) {
        let state = self.end.layout.slot(self.slot);
        let timeout = at_most.try_into().ok();
        if let (Some(word), Some(timeout)) = (self.end.memory.words().get(state), timeout) {
            let _ = futex::wait(word, futex::Flags::empty(), seen, Some(&timeout));
        }
    }

    /// The reply, where one is there.
    pub fn reply(&self) -> Vec<u8> {
        let words = self.end.memory.words();
        slot::reply(words, self.end.layout, self.slot)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let words = self.end.memory.words();
        slot::release(words, self.end.layout, self.slot, self.owner, self.number);
    }
}

/// The signer's end: one for each child.
pub struct SignerEnd {
    layout: Layout,
    memory: Box<dyn Shared>,
    epoch: u32,
}

impl SignerEnd {
    /// The signer's end of a way. `epoch` tells signers apart that live at the same time.
    pub fn new(way: &Way, epoch: u32, os: &dyn Os) -> io::Result<Self> {
        Ok(Self {
            layout: Layout::new(way.slots),
            memory: way.map(os)?,
            epoch,
        })
    }

    /// How many slots there are.
    pub fn slots(&self) -> usize {
        self.layout.slots()
    }

    /// Gives the slots whose bits are set, and clears those; at most as many as there are slots.
    pub fn requests(&self) -> Vec<usize> {
        slot::requests(self.memory.words(), self.layout)
    }

    /// Takes the request of a slot: its number, and in `frame` what the child wrote, at most [`MAX_REQUEST`] bytes;
    /// none where the length is not a request's.
    pub fn take(&self, slot: usize, frame: &mut Vec<u8>) -> Option<u32> {
        slot::take(self.memory.words(), self.layout, slot, self.epoch, frame)
    }

    /// Whether [`Self::take`] would find a request.
    pub fn is_asked(&self, slot: usize) -> bool {
        slot::is_asked(self.memory.words(), self.layout, slot, self.epoch)
    }

    /// Whether somebody still waits for the answer.
    pub fn is_wanted(&self, slot: usize, number: u32) -> bool {
        slot::is_wanted(self.memory.words(), self.layout, slot, self.epoch, number)
    }

    /// Answers, if somebody still waits.
    pub fn answer(&self, slot: usize, number: u32, reply: &[u8]) {
        let words = self.memory.words();
        if slot::answer(words, self.layout, slot, self.epoch, number, reply)
            && let Some(word) = words.get(self.layout.slot(slot))
        {
            let _ = futex::wake(word, futex::Flags::empty(), 1);
        }
    }
}

/// What the tests need: the words of a slot, to scribble on.
#[cfg(test)]
impl ChildEnd {
    pub(super) fn words(&self) -> &[AtomicU32] {
        self.memory.words()
    }
}

const _: () = assert!(
    HEAD + SHORT + REPLY <= SLOT && LONG * 4 >= MAX_REQUEST,
    "it fits"
);
