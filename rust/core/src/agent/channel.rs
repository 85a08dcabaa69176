// SPDX-License-Identifier: Apache-2.0
//! The way between one child of httpd and the signer: two memories with one writer each, and a bell.
//!
//! httpd's parent makes them when it forks; no other child has any of them, and nothing ever comes from a child but
//! words in the memory that it writes and strokes of the bell (an eventfd). A thread of the child claims a *slot*, writes
//! its request and rings; the signer copies the request out before it looks at it, and writes the reply into the other
//! memory. [`slot`] says how the two keep out of each other's way.
//!
//! | memory | the child | the signer | words (32 bits) |
//! |---|---|---|---|
//! | requests | maps it, to write | reads it by pread(2), never maps it | for each slot a number; for each an owner; for each length and request; for each room for a longer request |
//! | replies | maps it, to read | maps it, to write | for each slot state, length and reply |
//!
//! Who can write to a memory can free its pages again and again, and whoever has it mapped then waits in page faults:
//! so nobody maps what a child can write but that child, and a child's descriptor of the other one is for reading.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
#[cfg(test)]
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{MemfdFlags, Mode, SealFlags, fchmod, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::{Errno, write};
use rustix::process::{Pid, Resource, getrlimit, test_kill_process};
use rustix::thread::futex;

use super::Os;
use super::protocol::wire::{MAX_REPLY, MAX_REQUEST};

mod layout;
pub mod slot;
pub mod words;

#[cfg(test)]
mod model;

use layout::{LONG, REPLY, REQUEST, SHORT};
pub use layout::{Layout, MAX_SLOTS};
use slot::Progress;
pub use words::{Distant, Shared};

/// The descriptors of one end of a channel.
#[derive(Debug)]
pub struct Way {
    /// How many slots the memories have.
    pub slots: usize,
    /// The memory of requests: a child's is for writing, a signer's for reading.
    pub requests: OwnedFd,
    /// The memory of replies: the other way round.
    pub replies: OwnedFd,
    /// The bell.
    pub bell: OwnedFd,
}

impl Way {
    /// Makes a channel: the child's end, and the signer's. All is closed on exec.
    ///
    /// # Errors
    /// What the system says.
    pub fn pair(slots: usize, os: &dyn Os) -> io::Result<(Self, Self)> {
        let layout = Layout::new(slots);
        let slots = layout.slots();
        let requests = memory("mod_tls-requests", layout.request_bytes())?;
        let replies = memory("mod_tls-replies", layout.reply_bytes())?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let signers = Self {
            slots,
            requests: os.reader(requests.as_fd())?,
            bell: bell.try_clone()?,
            replies,
        };
        let childs = Self {
            slots,
            replies: os.reader(signers.replies.as_fd())?,
            requests,
            bell,
        };
        Ok((childs, signers))
    }
}

/// Memory of so many bytes that nobody can make longer or shorter.
fn memory(name: &str, bytes: usize) -> io::Result<OwnedFd> {
    let memory = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    // Else every uid could open it, for writing too, through a process's /proc/PID/fd.
    fchmod(&memory, Mode::RUSR | Mode::WUSR)?;
    let length = bytes as u64;
    if getrlimit(Resource::Fsize)
        .current
        .is_some_and(|most| most < length)
    {
        // ftruncate(2) would not only fail, but also send a signal.
        return Err(Errno::FBIG.into());
    }
    ftruncate(&memory, length)?;
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    fcntl_add_seals(&memory, seals)?;
    Ok(memory)
}

/// The child's end.
pub struct ChildEnd {
    layout: Layout,
    requests: Box<dyn Shared>,
    replies: Box<dyn Shared>,
    bell: OwnedFd,
}

impl ChildEnd {
    /// Maps a child's way.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(way: Way, os: &dyn Os) -> io::Result<Arc<Self>> {
        let layout = Layout::new(way.slots);
        Ok(Arc::new(Self {
            layout,
            requests: os.share(way.requests.as_fd(), layout.request_bytes(), true)?,
            replies: os.share(way.replies.as_fd(), layout.reply_bytes(), false)?,
            bell: way.bell,
        }))
    }

    /// A slot of this thread's own until it is dropped; `None` where all are in use. An owner that is gone (a process
    /// that this one forked, or that forked this one) owns nothing.
    pub fn claim(self: &Arc<Self>) -> Option<Claim> {
        let me = std::process::id();
        let (requests, replies) = (self.requests.words(), self.replies.words());
        let slot = slot::claim(requests, replies, self.layout, me, is_alive)?;
        Some(Claim {
            end: Arc::clone(self),
            slot,
            owner: me,
            number: 0,
            left: false,
        })
    }

    /// The bell's descriptor: what else there is of the end is memory.
    pub fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
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
    left: bool,
}

impl Claim {
    /// Asks what `frame` says once it is told the request's number, and rings.
    pub fn ask(&mut self, frame: impl FnOnce(u32) -> Vec<u8>) {
        let words = self.end.requests.words();
        self.number = slot::ask(words, self.end.layout, self.slot, frame);
        self.end.ring();
    }

    /// The number of the request that was asked last.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Rings again, for a signer that has come after another.
    pub fn remind(&self) {
        self.end.ring();
    }

    /// How far the request is.
    pub fn progress(&self) -> Progress {
        let words = self.end.replies.words();
        slot::progress(words, self.end.layout, self.slot, self.number)
    }

    /// Sleeps until the slot's state is no longer `seen`, for `at_most`, or less.
    pub fn sleep(&self, seen: u32, at_most: Duration) {
        let state = self.end.layout.state(self.slot);
        let timeout = at_most.try_into().ok();
        if let (Some(word), Some(timeout)) = (self.end.replies.words().get(state), timeout) {
            let _ = futex::wait(word, futex::Flags::empty(), seen, Some(&timeout));
        }
    }

    /// The reply, where one is there.
    pub fn reply(&self) -> Vec<u8> {
        let words = self.end.replies.words();
        slot::reply(words, self.end.layout, self.slot)
    }

    /// Leaves the slot as it is, for a process that was forked from the one whose it is.
    pub fn leave(mut self) {
        self.left = true;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.left {
            let words = self.end.requests.words();
            slot::release(words, self.end.layout, self.slot, self.owner, self.number);
        }
    }
}

/// The signer's end: one for each child.
pub struct SignerEnd {
    layout: Layout,
    requests: Box<dyn Distant>,
    replies: Box<dyn Shared>,
    epoch: u32,
}

impl SignerEnd {
    /// The signer's end, of its way's memories; none of them is touched. `epoch` tells signers apart that live at the
    /// same time.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(
        slots: usize,
        requests: OwnedFd,
        replies: &OwnedFd,
        epoch: u32,
        os: &dyn Os,
    ) -> io::Result<Self> {
        let layout = Layout::new(slots);
        Ok(Self {
            layout,
            requests: os.distant(requests),
            replies: os.share(replies.as_fd(), layout.reply_bytes(), true)?,
            epoch,
        })
    }

    /// How many slots there are.
    pub fn slots(&self) -> usize {
        self.layout.slots()
    }

    /// The slots whose requests wait for an answer, each with the request's number.
    pub fn waiting(&self) -> Vec<(usize, u32)> {
        slot::waiting(&*self.requests, self.layout)
    }

    /// The number of the slot's request, where it waits for an answer.
    pub fn wanted(&self, slot: usize) -> Option<u32> {
        slot::wanted(&*self.requests, self.layout, slot)
    }

    /// Whether another signer has answered a request.
    pub fn is_answered(&self, slot: usize, number: u32) -> bool {
        slot::is_answered(self.replies.words(), self.layout, slot, number)
    }

    /// Copies into `frame` what the child wrote into a slot; nothing where it says that this is more than `most` bytes.
    pub fn take(&self, slot: usize, most: usize, frame: &mut Vec<u8>) {
        slot::take(&*self.requests, self.layout, slot, most, frame);
    }

    /// Answers, and wakes all who wait.
    pub fn answer(&self, slot: usize, number: u32, reply: &[u8]) {
        let words = self.replies.words();
        if slot::answer(words, self.layout, slot, self.epoch, number, reply)
            && let Some(word) = words.get(self.layout.state(slot))
        {
            let _ = futex::wake(word, futex::Flags::empty(), i32::MAX.cast_unsigned());
        }
    }
}

/// What the tests need: the words that a child can write, to scribble on.
#[cfg(test)]
impl ChildEnd {
    pub(super) fn words(&self) -> &[AtomicU32] {
        self.requests.words()
    }
}

const _: () = assert!(
    SHORT < REQUEST && LONG * 4 >= MAX_REQUEST && 8 + MAX_REPLY <= REPLY * 4,
    "it fits"
);
