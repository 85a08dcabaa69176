// SPDX-License-Identifier: Apache-2.0
//! The fetcher's process: takes orders of httpd's parent, listens to its children, and has its threads fetch.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::channels::{Bells, Channel};
use super::news::{Line, NewsSender};
use super::queue::THREADS;
use super::results::Writer;
use super::sandbox;
use super::service::Service;
use super::wants::Order;
use crate::agent::Os;
use crate::agent::protocol::children::{self, BEGAN, ENDED, TOLD};
use crate::agent::protocol::{RELEASED, frame};
use crate::agent::supervisor::orders::Orders;
use crate::system::alone::Alone;
use crate::system::words::Words;

/// What the parent says before an order.
pub(super) const ORDER: u8 = b'O';
/// How often it looks around when nothing happens.
const TICK: Duration = Duration::from_secs(1);
/// How long bells are left alone after some were heard, for no child to keep it busy with strokes.
const QUIET: Duration = Duration::from_millis(2);
/// Longest order.
const LONGEST_ORDER: usize = 512 << 20;
/// Descriptors for each child: requests, bell, pidfd, and replies until they are mapped.
const FILES_OF_A_CHILD: u64 = 4;
/// Descriptors besides: one socket for each thread, and a few lines.
const OWN_FILES: u64 = THREADS as u64 + 64;
const STACK: usize = 256 * 1024;

/// What a fetcher is born with.
pub(super) struct Inherited {
    /// The parent's orders.
    pub control: OwnedFd,
    /// Where it speaks.
    pub news_sender: OwnedFd,
    /// The memory of results, to write.
    pub results: Words,
    /// The memory of lists, to write, where any are wanted.
    pub lists: Option<Words>,
    /// Tells it from others that live at the same time.
    pub number: u32,
}

/// Runs a fetcher until its parent is gone. To be called in a process of its own, which has one thread; the result is its
/// exit code.
pub(super) fn run(os: Arc<dyn Os>, inherited: Inherited) -> i32 {
    let _ = rustix::thread::set_name(c"tls-fetch");
    os.ignore_signals();
    let Ok(bells) = Bells::new() else {
        return 71;
    };
    let service = Service::new(
        Writer::new(inherited.results, inherited.lists),
        NewsSender(inherited.news_sender),
    );
    let mut fetcher = Fetcher {
        control: Orders::new(Arc::clone(&os), UnixStream::from(inherited.control)),
        os,
        service: Arc::new(service),
        channels: HashMap::new(),
        bells,
        unheard: HashSet::new(),
        quiet_until: Instant::now(),
        number: inherited.number,
        beaten: None,
        settled: false,
        alone: Alone::default(),
    };
    match fetcher.work() {
        Ok(()) => 0,
        Err(_) => 71,
    }
}

struct Fetcher {
    os: Arc<dyn Os>,
    control: Orders,
    service: Arc<Service>,
    channels: HashMap<i32, Arc<Channel>>,
    bells: Bells,
    /// Children that have rung and are to be listened to.
    unheard: HashSet<i32>,
    quiet_until: Instant,
    number: u32,
    beaten: Option<Instant>,
    /// It has given up what it was born with, and its threads run.
    settled: bool,
    alone: Alone,
}

enum Ready {
    Control,
    Bells,
    End(i32),
}

impl Fetcher {
    fn work(&mut self) -> io::Result<()> {
        loop {
            let ready = self.wait()?;
            let now = Instant::now();
            for one in ready {
                match one {
                    Ready::Control if !self.listen()? => return Ok(()),
                    Ready::Control => {}
                    Ready::Bells => self.unheard.extend(self.bells.heard()),
                    Ready::End(pid) => self.end(pid),
                }
            }
            let children = !self.channels.is_empty();
            if self.alone.for_too_long(children, children, now) {
                return Ok(());
            }
            if now >= self.quiet_until && !self.unheard.is_empty() {
                self.hear();
                self.quiet_until = now + QUIET;
            }
            if self.settled
                && self
                    .beaten
                    .is_none_or(|beaten| now.duration_since(beaten) >= TICK)
            {
                self.beaten = Some(now);
                self.service.beat();
                self.service.tick();
            }
        }
    }

    /// Waits for something to do.
    fn wait(&self) -> io::Result<Vec<Ready>> {
        let now = Instant::now();
        let mut timeout = TICK;
        let mut fds = vec![PollFd::new(&self.control, PollFlags::IN)];
        let mut meant = vec![Ready::Control];
        let quiet = self.quiet_until.saturating_duration_since(now);
        if !quiet.is_zero() {
            timeout = quiet;
        } else {
            if !self.unheard.is_empty() {
                timeout = Duration::ZERO;
            }
            fds.push(PollFd::new(&self.bells, PollFlags::IN));
            meant.push(Ready::Bells);
        }
        for channel in self.channels.values() {
            if let Some(ending) = channel.ending() {
                fds.push(PollFd::from_borrowed_fd(ending, PollFlags::IN));
                meant.push(Ready::End(channel.pid));
            }
        }
        let timeout: Timespec = timeout.try_into().map_err(io::Error::other)?;
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = fds.iter().map(|fd| !fd.revents().is_empty());
        Ok(meant
            .into_iter()
            .zip(ready)
            .filter_map(|(one, ready)| ready.then_some(one))
            .collect())
    }

    /// Takes one message of the parent; false when it has hung up.
    fn listen(&mut self) -> io::Result<bool> {
        let mut kind = [0; 1];
        let Some(received) = self.control.next(&mut kind)? else {
            return Ok(true);
        };
        match (kind, received.length) {
            (_, 0) => return Ok(false),
            ([BEGAN | ENDED], _) => {
                let mut told = [0; TOLD];
                self.control.read_exact(&mut told)?;
                match kind {
                    [ENDED] => self.end(children::pid_of(told)),
                    _ => self.begin(told, received.fds),
                }
            }
            ([RELEASED], _) => self.alone.release(),
            ([ORDER], _) => {
                self.alone.order();
                // An order of another version: the parent finds the line dead and makes a fetcher of its own.
                let Ok(order) = Order::decode(&frame::read(&mut self.control, LONGEST_ORDER)?)
                else {
                    return Ok(false);
                };
                if !self.settled {
                    self.control.settle();
                    self.settle(&order)?;
                }
                self.service.order(order);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Gives up all that it does not need, and begins to work.
    fn settle(&mut self, order: &Order) -> io::Result<()> {
        let _ = rustix::process::setsid();
        std::env::set_current_dir("/")?;
        let children = u64::from(order.children).saturating_mul(FILES_OF_A_CHILD);
        sandbox::enter(order.id, children.saturating_add(OWN_FILES))?;
        let warm = Arc::new(Barrier::new(THREADS + 1));
        let sealed = Arc::new(Barrier::new(THREADS + 1));
        for _ in 0..THREADS {
            let (warm, sealed) = (Arc::clone(&warm), Arc::clone(&sealed));
            let (os, service) = (Arc::clone(&self.os), Arc::clone(&self.service));
            std::thread::Builder::new()
                .stack_size(STACK)
                .spawn(move || {
                    crate::warm_up();
                    warm.wait();
                    sealed.wait();
                    let _ = catch_unwind(AssertUnwindSafe(|| service.work()));
                    // A thread ends by a defect only; a whole new fetcher is better than one with a thread less.
                    os.exit(70);
                })?;
        }
        warm.wait();
        if sandbox::filter().is_err() {
            let text = "it runs without a system call filter, for the kernel has none";
            self.service.say(Line::Trouble, text.to_owned());
        }
        sealed.wait();
        self.settled = true;
        Ok(())
    }

    fn begin(&mut self, told: [u8; TOLD], fds: Vec<OwnedFd>) {
        let pid = children::pid_of(told);
        let channel = children::began(told, fds)
            .ok_or_else(|| io::Error::other("its channel was cut off"))
            .and_then(|child| Channel::new(child, self.number, &*self.os));
        self.end(pid);
        match channel.and_then(|channel| self.bells.add(&channel).map(|()| channel)) {
            Ok(channel) => {
                self.channels.insert(pid, channel);
                // What was asked before this fetcher came, of one that is gone.
                self.unheard.insert(pid);
            }
            Err(error) => {
                let text = format!("process {pid} cannot be served: {error}");
                self.service.say(Line::Trouble, text);
            }
        }
    }

    fn end(&mut self, pid: i32) {
        if let Some(channel) = self.channels.remove(&pid) {
            self.bells.remove(&channel);
            self.service.forget(pid);
        }
    }

    /// Takes in a little of each child that has rung.
    fn hear(&mut self) {
        for pid in std::mem::take(&mut self.unheard) {
            let Some(channel) = self.channels.get(&pid) else {
                continue;
            };
            if channel.take_in(|place, asked| self.service.asked(place, asked)) {
                self.unheard.insert(pid);
            }
        }
    }
}

impl Inherited {
    /// Its descriptors.
    pub(super) fn fds(&self) -> [RawFd; 2] {
        [self.control.as_raw_fd(), self.news_sender.as_raw_fd()]
    }
}
