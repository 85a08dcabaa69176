// SPDX-License-Identifier: Apache-2.0
//! The agent as httpd's parent holds it: makes it, orders from it, makes it again when it dies.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg, sockopt};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use self::supervisor_handle::{ProcessHandle, SupervisorHandle};
use super::child::current_certificates::CurrentCertificates;
use super::child::transport::Transport;
use super::protocol::certificate_codec::Known;
use super::protocol::frame;
use super::protocol::log_relay::{LogLine, pair};
use super::protocol::machines;
use super::protocol::message::{Answer, Order, State, Weaknesses};
use super::protocol::requests::Requests;
use super::protocol::update_log::UpdateLog;
use super::protocol::{Inheritance, MACHINES, ORDER, PARENT};
use super::supervisor;
use super::{Os, SharedViews};
use crate::backend::{self, BackendFault, Machines, Warnings};
use crate::creds::Problem;
use crate::system::forks::Kept;

pub(crate) mod channels;
mod excuse;
pub(crate) mod family;
pub mod ids;
mod respawn;
pub(crate) mod supervisor_handle;

use family::Family;

/// How long a supervisor may be silent in the middle of an order.
const SILENCE: Duration = Duration::from_secs(60);
/// The same for its first order, when somebody may have to type pass phrases.
const DIALOG: Duration = Duration::from_secs(3600);
/// How long a new child waits for its channel, which the parent makes as soon as it has forked.
const CHILD_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest answer.
const MAX_ANSWER: usize = 1 << 30;

/// What a configuration wants of the agent.
#[derive(Clone, Debug, Default)]
pub struct AgentSettings {
    /// False in the first pass of post_config: load and check, serve later.
    pub serve: bool,
    /// Seconds between two looks at the files; 0 for never.
    pub reload_seconds: u32,
    /// Threads of one child.
    pub threads: u32,
    /// Most children at a time.
    pub children: u32,
    /// Uid and gid that the agent runs under.
    pub id: u32,
    /// What to load.
    pub requests: Requests,
}

/// What came of it.
#[derive(Debug)]
pub struct Loaded {
    /// The certificates of all virtual hosts; their keys are the agent's.
    pub certificates: Arc<CurrentCertificates>,
    /// What is wrong with the files.
    pub problems: Vec<Problem>,
    /// What is less separate than it should be.
    pub weaknesses: Weaknesses,
}

/// The agent of one httpd instance. Lives as long as httpd's parent, whatever restarts gracefully; children inherit
/// it by fork and give up what is not theirs ([`Parent::become_child`]).
pub struct Parent {
    os: Arc<dyn Os>,
    shared: SharedViews,
    update_log: Arc<UpdateLog>,
    transport: Arc<Transport>,
    supervisor: Option<SupervisorHandle>,
    order: Order,
    certificates: Option<Arc<CurrentCertificates>>,
    generation: u64,
    /// How many supervisors have been made.
    supervisors: u32,
    /// Asked for in this generation.
    machines: Vec<Machines>,
    /// Asked for by the configuration before this one.
    machines_before: Vec<Machines>,
    /// Files of the virtual hosts whose keys nobody has, though they were served.
    lost: Vec<Vec<String>>,
    /// How many requests a child that is forked now may have under way.
    slots: usize,
    family: Family,
    /// What went wrong and has not been logged.
    troubles: Vec<LogLine>,
}

impl Parent {
    /// An agent of which nothing runs yet.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(os: Arc<dyn Os>) -> io::Result<Self> {
        let shared = os.update_log()?;
        let transport = Transport::new();
        let update_log = Arc::new(UpdateLog::new(shared.read));
        Ok(Self {
            os,
            shared,
            update_log,
            transport,
            supervisor: None,
            order: Order::default(),
            certificates: None,
            generation: 0,
            supervisors: 0,
            machines: Vec::new(),
            machines_before: Vec::new(),
            lost: Vec::new(),
            slots: 1,
            family: Family::default(),
            troubles: Vec::new(),
        })
    }

    /// Has the agent load what a configuration names; makes the agent where there is none, or none that answers.
    /// Blocks until it is done.
    ///
    /// # Errors
    /// There is no agent to be had, or it ended over the order.
    pub fn load(&mut self, settings: AgentSettings) -> io::Result<Loaded> {
        self.generation += 1;
        // One for each thread of the MPM, and as many again for threads that modules make.
        self.slots = usize::try_from(settings.threads.saturating_mul(2)).unwrap_or(usize::MAX);
        let order = Order {
            generation: self.generation,
            serve: settings.serve,
            reload_seconds: settings.reload_seconds,
            // Old ones beside new ones, during a graceful restart.
            children: settings.children.saturating_mul(2),
            id: settings.id,
            requests: settings.requests,
        };
        let before = std::mem::replace(&mut self.order, order);
        self.machines_before = std::mem::take(&mut self.machines);
        let seen = self.update_log.end();
        if self.order.requests.is_empty() && self.generation == 1 {
            // Nothing to hold. Machine certificates that are named all the same make it again.
            self.supervisor = None;
        }
        let (state, mut answer) = if self.order.requests.is_empty() && self.supervisor.is_none() {
            Default::default()
        } else {
            self.order_twice()?
        };
        if answer.as_before.is_some()
            && let Some(certificates) = &self.certificates
        {
            self.order.generation = before.generation;
            return Ok(Loaded {
                certificates: Arc::clone(certificates),
                problems: Vec::new(),
                weaknesses: state.weaknesses,
            });
        }
        self.excuse(&before, &mut answer);
        let certificates = CurrentCertificates::following(
            answer.sets,
            Arc::clone(&self.update_log),
            Arc::clone(&self.transport),
            self.generation,
            seen,
        );
        self.certificates = settings.serve.then(|| Arc::clone(&certificates));
        Ok(Loaded {
            certificates,
            problems: answer.problems,
            weaknesses: state.weaknesses,
        })
    }

    /// Gives the order; a supervisor that died, hangs or speaks another version is replaced once.
    fn order_twice(&mut self) -> io::Result<(State, Answer)> {
        // One that somebody has stopped would keep httpd waiting.
        if self
            .supervisor
            .as_ref()
            .is_some_and(|supervisor| supervisor.process.is_stopped())
        {
            self.kill();
        }
        let (state, answer) = match self.order_once() {
            Ok(answered) => answered,
            Err(_) => {
                self.kill();
                self.order_once()?
            }
        };
        if state.failure.is_empty() {
            Ok((state, answer))
        } else {
            Err(io::Error::other(state.failure))
        }
    }

    /// Makes a supervisor where there is none, as early as may be: what it inherits of httpd's memory it keeps.
    ///
    /// # Errors
    /// The supervisor cannot be forked.
    pub fn prepare(&mut self) -> io::Result<()> {
        if self.supervisor.is_none() {
            self.supervisor = Some(self.spawn()?);
        }
        Ok(())
    }

    fn order_once(&mut self) -> io::Result<(State, Answer)> {
        self.prepare()?;
        let supervisor = self
            .supervisor
            .as_mut()
            .ok_or(io::ErrorKind::NotConnected)?;
        let control = &mut *supervisor.process.control;
        // It may be missing: an old kernel.
        let pid = i32::try_from(std::process::id()).ok();
        let pid = pid.and_then(Pid::from_raw);
        let pidfd = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        send_with(control, PARENT, pidfd.as_ref().map(AsFd::as_fd))?;
        self.family.tell(&*control, SendFlags::empty())?;
        let order = self.order.encode();
        send_with(control, ORDER, None)?;
        frame::write(control, &order)?;
        let answer = frame::read(control, MAX_ANSWER)?;
        let state = frame::read(control, MAX_ANSWER)?;
        control.set_read_timeout(Some(SILENCE))?;
        let answer = Answer::decode(&answer, &self.transport, &mut supervisor.known);
        let served = self
            .certificates
            .as_ref()
            .and_then(|certificates| certificates.generation());
        match (State::decode(&state), answer) {
            (Ok(state), Ok(answer)) if answer.as_before.is_none_or(|of| Some(of) == served) => {
                Ok((state, answer))
            }
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// The configuration is given up; says so to the supervisor.
    pub fn release(&self) {
        if let Some(supervisor) = &self.supervisor {
            supervisor.process.say_released();
        }
    }

    /// Has the agent load machine certificates of the configuration that it loaded last; their keys stay with it.
    ///
    /// # Errors
    /// What is wrong with the files, or why there is no agent.
    pub fn machines(
        &mut self,
        machines: &Machines,
        warnings: &mut Warnings,
    ) -> Result<Vec<backend::MachinePair>, BackendFault> {
        let answer = match self.ask_machines(machines) {
            Ok(answer) => answer,
            Err(_) => {
                self.kill();
                self.order_all()
                    .and_then(|_| self.ask_machines(machines))
                    .map_err(BackendFault::NoAgent)?
            }
        };
        warnings.said.extend(answer.warnings.said);
        warnings.kept.extend(answer.warnings.kept);
        let pairs = match answer.failure.is_empty() {
            true => answer.pairs,
            false => self.excuse_machines(machines, answer.failure, warnings)?,
        };
        if !self.machines.contains(machines) {
            self.machines.push(machines.clone());
        }
        Ok(pairs)
    }

    fn ask_machines(&mut self, machines: &Machines) -> io::Result<machines::Answer> {
        let supervisor = self
            .supervisor
            .as_mut()
            .ok_or(io::ErrorKind::NotConnected)?;
        send_with(&supervisor.process.control, MACHINES, None)?;
        frame::write(
            &mut *supervisor.process.control,
            &machines::encode(machines),
        )?;
        let answer = frame::read(&mut *supervisor.process.control, MAX_ANSWER)?;
        machines::Answer::decode(&answer, &self.transport)
            .map_err(|_| io::ErrorKind::InvalidData.into())
    }

    /// Gives a new supervisor all the orders that this configuration has given.
    fn order_all(&mut self) -> io::Result<Answer> {
        let (state, answer) = self.order_once()?;
        if !state.failure.is_empty() {
            return Err(io::Error::other(state.failure));
        }
        for machines in self.machines.clone() {
            self.ask_machines(&machines)?;
        }
        Ok(answer)
    }

    fn spawn(&mut self) -> io::Result<SupervisorHandle> {
        let (control, far_control) = UnixStream::pair()?;
        sockopt::set_socket_passcred(&far_control, true)?;
        control.set_read_timeout(Some(DIALOG))?;
        control.set_write_timeout(Some(SILENCE))?;
        let (notices, log_sender) = pair()?;
        let (end, life) = io::pipe()?;
        let mut inheritance = Some(Inheritance {
            control: far_control.into(),
            log_sender,
            update_log: self.shared.write,
            life: end.into(),
            number: self.supervisors,
        });
        self.supervisors = self.supervisors.wrapping_add(1);
        let os = Arc::clone(&self.os);
        let keep = inheritance
            .as_ref()
            .map(Inheritance::fds)
            .unwrap_or_default();
        let mut child = || match inheritance.take() {
            Some(inheritance) => supervisor::run(Arc::clone(&os), inheritance),
            None => 70,
        };
        let pid = self.os.fork(&keep, &mut child)?;
        self.family.begin_anew();
        let process = ProcessHandle {
            pid,
            control: Kept::new(control)?,
        };
        Ok(SupervisorHandle {
            process,
            notices: Kept::new(notices)?,
            known: Known::new(),
            life: Kept::new(life)?,
        })
    }

    fn kill(&mut self) {
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.process.kill();
        }
    }

    /// The supervisor's pid, for httpd's table of processes to be told about; 0 where none runs.
    pub fn pid(&self) -> i32 {
        self.supervisor
            .as_ref()
            .map_or(0, |supervisor| supervisor.process.pid)
    }
}

/// Sends one byte, with a descriptor where there is one.
fn send_with(
    control: &UnixStream,
    kind: u8,
    fd: Option<std::os::fd::BorrowedFd<'_>>,
) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let fds: Vec<_> = fd.into_iter().collect();
    if !fds.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(&fds));
    }
    sendmsg(
        control,
        &[io::IoSlice::new(&[kind])],
        &mut ancillary,
        SendFlags::NOSIGNAL,
    )?;
    Ok(())
}
