// SPDX-License-Identifier: Apache-2.0
//! The supervisor: reads certificate and key files for httpd's parent, keeps them, watches them, and keeps a signer
//! running. It takes orders from the parent alone. One thread, so that it may fork.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Os;
use super::protocol::certificate_codec::Sent;
use super::protocol::children::{BEGAN, Child, ENDED, TOLD};
use super::protocol::codec::Reader;
use super::protocol::frame;
use super::protocol::log_relay::{LogKind, LogSender};
use super::protocol::message::{Answer, Order, State, Weaknesses};
use super::protocol::update_log::UpdateLogWriter;
use super::protocol::{self, Inheritance};
use crate::backend::Machinery;
use crate::creds::{Dialog, Store};
use crate::system::alone::Alone;
use orders::Orders;
use reload::FileWatch;

mod family;
mod loading;
mod machines;
pub(crate) mod orders;
mod probing;
mod process;
mod reload;
pub(super) mod reload_check;
mod reloading;
pub(crate) mod sandbox;
mod signing_keys;
mod starting;

use self::signing_keys::SigningKeys;
use probing::Probe;
use process::{Epochs, SignerHandle};

/// How often the supervisor looks around when nothing happens.
const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 500_000_000,
};
/// How long it waits while a signer is to be told something again.
const SOON: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};
/// Longest message of the parent.
const MAX_ORDER: usize = 256 << 20;
/// A signer that lived shorter than this counts as one that does not work.
const SHORT_LIFE: Duration = Duration::from_secs(5);
/// After so many of those in a row a new one is made once a second only.
const MAX_SHORT_LIVES: u32 = 5;

impl Inheritance {
    /// Its descriptors.
    pub fn fds(&self) -> Vec<RawFd> {
        vec![
            self.control.as_raw_fd(),
            self.log_sender.as_raw_fd(),
            self.life.as_raw_fd(),
        ]
    }
}

/// A supervisor at work.
pub(super) struct Supervisor {
    os: Arc<dyn Os>,
    control: Orders,
    log_sender: Arc<LogSender>,
    update_log: UpdateLogWriter,
    life: OwnedFd,
    weak: Weaknesses,
    settled: bool,
    /// The children that live, by pid, and this process itself.
    children: HashMap<i32, Child>,
    /// Those whose channels were cut off on the way, of which the parent does not know yet.
    lost: BTreeSet<i32>,
    alone: Alone,
    probe: Option<Probe>,
    parent: Option<OwnedFd>,
    order: Order,
    /// What was answered to that order holds as long as files do not change: there was no problem to be told.
    holds: bool,
    store: Store,
    dialog: Dialog,
    keys: SigningKeys,
    sent: Sent,
    machinery: Machinery,
    watch: FileWatch,
    signer: Option<SignerHandle>,
    epochs: Epochs,
    /// It holds keys that should be gone.
    outdated: bool,
    retry: Instant,
    short_lives: u32,
    /// Why the last signer ended.
    mourned: String,
}

/// Runs a supervisor until its parent is gone. To be called in a process of its own; the result is its exit code.
pub(crate) fn run(os: Arc<dyn Os>, inheritance: Inheritance) -> i32 {
    let prepared = prepare(os, inheritance);
    match prepared.and_then(|mut supervisor| supervisor.work()) {
        Ok(()) => 0,
        Err(_) => 71,
    }
}

fn prepare(os: Arc<dyn Os>, inheritance: Inheritance) -> io::Result<Supervisor> {
    let _ = rustix::thread::set_name(c"tls-keys");
    let update_log = UpdateLogWriter::new(inheritance.update_log);
    Ok(Supervisor {
        control: Orders::new(Arc::clone(&os), UnixStream::from(inheritance.control)),
        os,
        log_sender: Arc::new(LogSender::new(inheritance.log_sender)),
        update_log,
        life: inheritance.life,
        weak: Weaknesses::default(),
        settled: false,
        children: HashMap::new(),
        lost: BTreeSet::new(),
        alone: Alone::default(),
        probe: None,
        parent: None,
        order: Order::default(),
        holds: false,
        store: Store::default(),
        dialog: Dialog::default(),
        keys: SigningKeys::default(),
        sent: Sent::default(),
        machinery: Machinery::default(),
        watch: FileWatch::default(),
        signer: None,
        epochs: Epochs::new(inheritance.number),
        outdated: false,
        retry: Instant::now(),
        short_lives: 0,
        mourned: String::new(),
    })
}

impl Supervisor {
    fn work(&mut self) -> io::Result<()> {
        loop {
            let [ordered, ended, parent_gone] = self.wait()?;
            if ended || (parent_gone && self.order.serve) {
                return Ok(());
            }
            if ordered && !self.take_order()? {
                return Ok(());
            }
            if self.is_alone(Instant::now()) {
                return Ok(());
            }
            if let Some(signer) = &mut self.signer {
                let now = Instant::now();
                signer.hear(self.os.as_ref(), now);
                signer.tell_on(&self.children, now);
            }
            let log_sender = &self.log_sender;
            self.lost
                .retain(|pid| !log_sender.try_say(LogKind::ChildLost, &pid.to_string()));
            self.look_after_keys(Instant::now());
            self.look_after_signer();
            self.look_at_files();
        }
    }

    /// Waits for something to do; says whether there is an order, and what else has ended.
    fn wait(&self) -> io::Result<[bool; 3]> {
        let mut fds = vec![
            PollFd::new(&self.control, PollFlags::IN),
            PollFd::new(&self.life, PollFlags::IN),
        ];
        let parent = self.parent.as_ref().filter(|_| self.order.serve);
        fds.extend(parent.map(|fd| PollFd::new(fd, PollFlags::IN)));
        let watched = parent.is_some();
        let signer = self.signer.as_ref();
        let end = signer.and_then(SignerHandle::pidfd);
        fds.extend(end.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        fds.extend(signer.map(|signer| {
            let untold = match signer.is_told() {
                true => PollFlags::empty(),
                false => PollFlags::OUT,
            };
            PollFd::from_borrowed_fd(signer.line(), PollFlags::IN | untold)
        }));
        let soon = signer.is_some_and(SignerHandle::is_asked);
        match poll(&mut fds, Some(if soon { &SOON } else { &TICK })) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let due = |place: usize| fds.get(place).is_some_and(|fd| !fd.revents().is_empty());
        Ok([due(0), due(1), watched && due(2)])
    }

    /// Carries out an order; false when the parent has hung up.
    fn take_order(&mut self) -> io::Result<bool> {
        let mut kind = [0; 1];
        let Some(mut received) = self.control.next(&mut kind)? else {
            return Ok(true);
        };
        match (kind, received.length) {
            (_, 0) => return Ok(false),
            ([kind @ (BEGAN | ENDED)], _) => {
                let mut told = [0; TOLD];
                self.control.read_exact(&mut told)?;
                self.take_child(kind, told, received.fds);
            }
            ([protocol::PARENT], _) => self.parent = received.fds.pop(),
            ([protocol::RELEASED], _) => self.alone.release(),
            ([protocol::ORDER], _) => {
                self.alone.order();
                // An order of another version: the parent finds the line dead and makes an agent of its own.
                let Ok(order) = Order::decode(&frame::read(&mut self.control, MAX_ORDER)?) else {
                    return Ok(false);
                };
                if order.serve {
                    self.control.settle();
                }
                // The answer has gone before the signer comes, which keeps whatever this process has at that moment.
                let loaded = self.load(order);
                let as_before = matches!(loaded, Ok((_, false)));
                let state = match loaded {
                    Ok((answer, anew)) => {
                        frame::write(&mut self.control, &answer)?;
                        drop(answer);
                        self.serve(anew)
                    }
                    Err(error) => {
                        let nothing = Answer::default().encode(&mut self.sent);
                        frame::write(&mut self.control, &nothing)?;
                        State::failed(&error)
                    }
                };
                frame::write(&mut self.control, &state.encode())?;
                if as_before {
                    self.os.trim(); // what the order took; nobody waits for it
                }
            }
            ([protocol::ANNOUNCE], _) => {
                let bytes = frame::read(&mut self.control, MAX_ORDER)?;
                let Ok(hosts) = Reader::new(&bytes).list(Reader::count) else {
                    return Ok(false);
                };
                let set = |host: usize| {
                    self.keys
                        .sets()
                        .get(host)?
                        .as_ref()
                        .map(|set| (host, Arc::clone(set)))
                };
                let changed: Vec<_> = hosts.into_iter().filter_map(set).collect();
                self.publish(&changed)?;
            }
            ([protocol::MACHINES], _) => {
                let Ok(machines) =
                    super::protocol::machines::decode(&frame::read(&mut self.control, MAX_ORDER)?)
                else {
                    return Ok(false);
                };
                let answer = self.load_machines(&machines).encode();
                frame::write(&mut self.control, &answer)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Has a signer serve what was loaded. It shares this process's memory by copy on write, so that nothing may be
    /// counted or freed behind its back that need not be.
    fn serve(&mut self, anew: bool) -> State {
        if !anew && self.signer.is_some() {
            return State {
                weaknesses: self.weak,
                ..State::default()
            };
        }
        // Orders and answers of many virtual hosts leave holes of many MiB.
        self.os.trim();
        let started = if self.order.serve {
            self.start_signer()
        } else {
            Ok(())
        };
        self.holds &= self.order.serve && started.is_ok();
        State {
            weaknesses: self.weak,
            ..started.map_or_else(|error| State::failed(&error), |()| State::default())
        }
    }

    /// Gives up, once, what only the first order needs: pass phrases are asked at httpd's terminal, and programs that
    /// know them run with httpd's own rights.
    fn settle(&mut self, id: u32) -> io::Result<()> {
        if !self.settled {
            self.os.ignore_signals();
            let _ = rustix::process::setsid();
            std::env::set_current_dir("/")?;
            self.weak = sandbox::supervisor(id)?;
            self.settled = true;
        }
        Ok(())
    }

    /// Makes a signer of the present keys, then ends the one before it.
    fn start_signer(&mut self) -> io::Result<()> {
        if self.probe.is_none() {
            let (probe, own) = Probe::new(self.os.as_ref())?;
            self.probe = Some(probe);
            self.children.insert(own.pid, own);
        }
        let (running, unfiltered) = self.fork_signer()?;
        self.weak.unfiltered = unfiltered;
        if let Some(old) = self.signer.replace(running) {
            old.retire();
        }
        self.outdated = false;
        if let Some(probe) = &mut self.probe {
            probe.reset();
        }
        Ok(())
    }

    /// Has keys that nothing names any more sign no longer than is said, and erases them: here, and with the signer that
    /// holds them.
    fn look_after_keys(&mut self, now: Instant) {
        if self.keys.drop_expired(now) {
            self.machinery.forget_before();
            self.os.trim();
            self.outdated = true;
        }
        if !self.outdated || self.signer.is_none() {
            return;
        }
        if let Err(error) = self.start_signer() {
            let text = format!("keys that are out of use could not be taken away: {error}");
            self.log_sender.say_bounded(LogKind::Trouble, &text);
        }
    }

    fn look_after_signer(&mut self) {
        if !self.order.serve {
            return;
        }
        if let Some(signer) = self.signer.as_mut() {
            let silent = |probe: &mut Probe| probe.has_failed(Instant::now());
            let end = match signer.ended() {
                Some(end) => end,
                None if self.probe.as_mut().is_some_and(silent) => {
                    signer.kill();
                    "it did not answer within a second".to_owned()
                }
                None => return,
            };
            self.short_lives = if signer.age() < SHORT_LIFE {
                self.short_lives + 1
            } else {
                0
            };
            self.signer = None;
            self.mourned = end;
        }
        // At once as a rule; what dies again and again is not worth a whole core.
        if self.short_lives < MAX_SHORT_LIVES || Instant::now() >= self.retry {
            let why = self.mourned.clone();
            self.try_signer(&why);
        }
    }

    fn try_signer(&mut self, why: &str) {
        self.retry = Instant::now() + Duration::from_secs(1);
        match self.start_signer() {
            Ok(()) => self.log_sender.say(LogKind::SignerReplaced, why),
            Err(error) => self.log_sender.say_bounded(
                LogKind::Trouble,
                &format!("no signer could be started: {error}"),
            ),
        }
    }
}
