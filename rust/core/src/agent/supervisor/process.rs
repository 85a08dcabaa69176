//! The signer's process, as its supervisor sees it.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, waitpid};

use super::Supervisor;
use crate::agent::notice::Kind;
use crate::agent::sandbox;
use crate::agent::signer::{Admit, Ends, Limits, Signer};

/// How long a new signer may take until it serves.
const START: Duration = Duration::from_secs(10);
/// How long an old one may take to go.
const LEAVE: Duration = Duration::from_secs(2);
/// Descriptors of a signer besides its clients.
const OWN_FILES: u64 = 64;

/// A running signer.
pub struct Child {
    pid: Pid,
    pidfd: Option<OwnedFd>,
    retire: io::PipeWriter,
    since: Instant,
}

impl Child {
    /// Readable when it has ended; `None` where the kernel has no such thing.
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// How long it has lived.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Why it does not serve any more; `None` while it does. One that was stopped is killed: a new one serves.
    pub fn ended(&mut self) -> Option<String> {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
        let (_, status) = waitpid(Some(self.pid), options).ok()??;
        if status.stopped() {
            let _ = kill_process(self.pid, Signal::KILL);
            let _ = waitpid(Some(self.pid), WaitOptions::empty());
            return Some("it had been stopped".to_owned());
        }
        let signal = status
            .terminating_signal()
            .map(|signal| format!("signal {signal}"));
        let code = status.exit_status().map(|code| format!("exit code {code}"));
        Some(signal.or(code).unwrap_or_else(|| "it ended".to_owned()))
    }

    /// Has it end, and waits until it has: what connects from now on meets its successor.
    pub fn retire(mut self) {
        let _ = self.retire.write_all(&[1]);
        let deadline = Instant::now() + LEAVE;
        while let Ok(None) = waitpid(Some(self.pid), WaitOptions::NOHANG) {
            if Instant::now() > deadline {
                let _ = kill_process(self.pid, Signal::KILL);
                let _ = waitpid(Some(self.pid), WaitOptions::empty());
                return;
            }
            match self.pidfd() {
                Some(fd) => {
                    let step = Duration::from_millis(50).try_into().ok();
                    let _ = poll(
                        &mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)],
                        step.as_ref(),
                    );
                }
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }
}

/// Forks a signer and waits until it serves. Says whether it runs without a system call filter.
pub fn start(supervisor: &Supervisor, limits: Limits) -> io::Result<(Child, bool)> {
    let (retire_end, retire) = io::pipe()?;
    let (mut ready, ready_end) = io::pipe()?;
    let children = super::children(&supervisor.children)?;
    let mut keep = vec![
        supervisor.broker.as_raw_fd(),
        supervisor.life.as_raw_fd(),
        supervisor.speaker.socket().as_raw_fd(),
        retire_end.as_raw_fd(),
        ready_end.as_raw_fd(),
    ];
    keep.extend(supervisor.parent.as_ref().map(AsRawFd::as_raw_fd));
    keep.extend(
        children
            .as_ref()
            .map(|children| children.as_fd().as_raw_fd()),
    );
    let mut children = Some(children);
    let mut child = || {
        let Some(children) = children.take() else {
            return 70;
        };
        let admit: Admit = match children {
            Some(list) => Box::new(move |pid| list.contains(pid)),
            None => Box::new(|pid| pid > 0),
        };
        let ends = Ends {
            parent: std::iter::once(supervisor.life.as_fd())
                .chain(supervisor.parent.as_ref().map(AsFd::as_fd))
                .collect(),
            retire: retire_end.as_fd(),
        };
        match serve(supervisor, limits, admit, &ends, &ready_end) {
            Ok(()) => 0,
            Err(error) => {
                supervisor
                    .speaker
                    .say(Kind::Trouble, &format!("a signer ended: {error}"));
                71
            }
        }
    };
    let pid = supervisor.os.fork(&keep, &mut child)?;
    let pid = Pid::from_raw(pid).ok_or_else(|| io::Error::other("fork gave no pid"))?;
    drop((retire_end, ready_end));
    let child = Child {
        pid,
        pidfd: pidfd_open(pid, PidfdFlags::empty()).ok(),
        retire,
        since: Instant::now(),
    };
    match wait_ready(&mut ready) {
        Ok(unfiltered) => Ok((child, unfiltered)),
        Err(error) => {
            let _ = kill_process(pid, Signal::KILL);
            let _ = waitpid(Some(pid), WaitOptions::empty());
            Err(error)
        }
    }
}

fn wait_ready(ready: &mut io::PipeReader) -> io::Result<bool> {
    let timeout = START.try_into().map_err(io::Error::other)?;
    if poll(&mut [PollFd::new(&*ready, PollFlags::IN)], Some(&timeout))? == 0 {
        return Err(io::Error::other("the new signer took too long"));
    }
    let mut said = [0; 1];
    ready
        .read_exact(&mut said)
        .map_err(|_| io::Error::other("the new signer ended at once"))?;
    Ok(said != [1])
}

/// The signer's life; runs in its own process.
fn serve(
    supervisor: &Supervisor,
    limits: Limits,
    admit: Admit,
    ends: &Ends<'_>,
    ready: &io::PipeWriter,
) -> io::Result<()> {
    let _ = rustix::thread::set_name(c"tls-signer");
    supervisor.os.ignore_signals();
    let most = sandbox::most_files().saturating_sub(OWN_FILES);
    let total = limits
        .total
        .min(usize::try_from(most).unwrap_or(limits.total));
    let files = u64::try_from(total)
        .unwrap_or(most)
        .saturating_add(OWN_FILES);
    sandbox::signer(supervisor.order.id, supervisor.weak, files)?;
    let speaker = Arc::clone(&supervisor.speaker);
    let notice = Box::new(move |text: &str| speaker.say_bounded(Kind::ClientRefused, text));
    let limits = Limits { total, ..limits };
    let keys = Arc::clone(supervisor.keys.table());
    let signer = Signer::new(Arc::clone(&supervisor.os), keys, limits, admit, notice)?;
    signer.run(supervisor.broker.as_fd(), ends, || {
        let filtered = sandbox::filter().is_ok();
        (&*ready).write_all(&[u8::from(filtered)])
    })
}
