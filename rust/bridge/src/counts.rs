// SPDX-License-Identifier: Apache-2.0
//! The memory of the metrics: a page for each process to count in, and the parent's sums for all to read.
//!
//! The parent never maps a child's page: it reads it by pread(2), so that what a child does to its own memory costs the
//! parent nothing.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use mod_tls_core::agent::instance;
use mod_tls_core::metrics::page::page_of;
use mod_tls_core::metrics::tally::Sums;
use mod_tls_core::metrics::{self, Counter, Counters, PAGE_WORDS, PUBLISHED_WORDS, Tally, Totals};
use mod_tls_core::system::forks::Kept;
use mod_tls_core::system::words::Words;

use crate::forks::{Heir, keep_memory};
use crate::shared::{self, Descriptors};

/// The page that this process counts in: the parent's own, or the child's in the same place.
static PAGE: OnceLock<Words> = OnceLock::new();

/// The parent's sums, in the same place in all processes.
static PUBLISHED: OnceLock<Words> = OnceLock::new();

/// Seconds since 1970 at which counting began.
static STARTED: OnceLock<u64> = OnceLock::new();

/// What httpd's parent has of it.
pub(crate) struct Counting {
    tally: Tally,
    own: (Counters, Sums),
    /// To be read by children.
    published: Kept<OwnedFd>,
    children: HashMap<i32, Child>,
}

/// A child, by the memory that it counts in.
struct Child {
    page: Kept<OwnedFd>,
    sums: Sums,
    /// Restarts before it began.
    generation: i32,
}

impl Counting {
    /// Makes the memory. Once, in the parent; `now` is in seconds since 1970.
    pub(crate) fn new(now: u64) -> io::Result<Self> {
        let lacking = || io::Error::other("too little memory for the metrics");
        let kind = Descriptors::Read;
        let (words, memory) = shared::create(c"mod_tls sums", PUBLISHED_WORDS, kind)?;
        keep_memory(words.as_ptr().cast(), size_of_val(words), Heir::Nobody)?;
        let page = shared::private(PAGE_WORDS)?;
        let own = Counters::new(page).ok_or_else(lacking)?;
        let _ = PAGE.set(page);
        let _ = PUBLISHED.set(words);
        metrics::install(own);
        let _ = STARTED.set(now);
        Ok(Self {
            tally: Tally::new(words).ok_or_else(lacking)?,
            own: (own, Sums::default()),
            published: Kept::new(shared::reader(memory.as_fd())?)?,
            children: HashMap::new(),
        })
    }

    /// Where this process counts.
    pub(crate) fn counters(&self) -> Counters {
        self.own.0
    }

    /// A page for a new child to write to; the sums for it to read are [`Counting::published`].
    pub(crate) fn begin(&mut self, pid: i32, generation: i32) -> io::Result<OwnedFd> {
        let (page, memory) = shared::create(c"mod_tls counts", PAGE_WORDS, Descriptors::Write)?;
        // SAFETY: nobody but this function knows the mapping.
        unsafe { shared::unmap(page) };
        let child = Child {
            page: Kept::new(shared::reader(memory.as_fd())?)?,
            sums: Sums::default(),
            generation,
        };
        self.children.insert(pid, child);
        Ok(memory)
    }

    /// The sums, for a child to read.
    pub(crate) fn published(&self) -> BorrowedFd<'_> {
        self.published.as_fd()
    }

    /// Keeps what a child counted that has ended.
    pub(crate) fn end(&mut self, pid: i32, now: u64) {
        if let Some(mut child) = self.children.remove(&pid) {
            child.look();
            self.tally.end(&child.sums);
            self.show(now);
        }
    }

    /// Publishes what all processes counted.
    pub(crate) fn publish(&mut self, now: u64) {
        self.children.values_mut().for_each(Child::look);
        self.show(now);
    }

    /// Publishes what is known, without a look at the children: where many of them begin or end, that would be a look at
    /// each for each.
    pub(crate) fn show(&mut self, now: u64) {
        let agent = u64::from(instance::pid() > 0);
        self.own.0.set(Counter::AgentRuns, agent);
        let generations = self.children.values().map(|child| child.generation);
        let newest = generations.clone().max();
        let current = generations.filter(|one| Some(*one) == newest).count();
        self.own.0.set(Counter::Current, current as u64);
        self.own.0.set(Counter::Serving, self.children.len() as u64);
        self.own.1.look(&self.own.0.copy());
        let own = std::iter::once(&self.own.1);
        let children = self.children.values().map(|child| &child.sums);
        self.tally.publish(now, own.chain(children));
    }
}

impl Child {
    /// Takes in what it counted.
    fn look(&mut self) {
        self.sums.look_at_child(page_of(self.page.as_fd()));
    }
}

/// Takes the memory that the parent gave this child: the page to write to, and the sums.
pub(crate) fn become_child(page: &OwnedFd, sums: &OwnedFd) -> io::Result<()> {
    if let (Some(own), Some(published)) = (PAGE.get(), PUBLISHED.get()) {
        // SAFETY: whole pages; nothing of this process has read them since the fork.
        unsafe {
            shared::replace(page, own, true)?;
            shared::replace(sums, published, false)?;
        }
    }
    Ok(())
}

/// The sums of all processes; None before the memory was made.
pub(crate) fn totals() -> Option<Totals> {
    Totals::new(PUBLISHED.get()?)
}

/// When counting began, in seconds since 1970.
pub(crate) fn started() -> u64 {
    STARTED.get().copied().unwrap_or(0)
}
