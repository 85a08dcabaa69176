//! The signer's process, as its supervisor sees it.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{SendFlags, send};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, waitpid};

use super::Supervisor;
use crate::agent::children::{self, Child};
use crate::agent::notice::{Kind, pair};
use crate::agent::sandbox;
use crate::agent::signer::{Ends, RETIRE, Settings, Signer};

/// How long a new signer may take until it serves.
const START: Duration = Duration::from_secs(10);
/// How long an old one may take to go.
const LEAVE: Duration = Duration::from_secs(1);
/// Descriptors of a signer besides its children's: epoll, eventfd and a few lines.
const OWN_FILES: u64 = 64;
/// Descriptors for each child: bell, pidfd, and the memory until it is mapped.
const FILES_OF_A_CHILD: u64 = 3;

/// A running signer.
pub struct Running {
    pid: Pid,
    pidfd: Option<OwnedFd>,
    line: OwnedFd,
    since: Instant,
}

impl Running {
    /// Readable when it has ended; `None` where the kernel has no such thing.
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// How long it has lived.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Tells it of a child. One that does not listen is one that does not answer, which is found out.
    pub fn tell_began(&self, child: &Child) {
        let (slots, fds) = (child.way.slots, child.fds());
        let _ = children::tell_began(&self.line, child.pid, slots, &fds, SendFlags::DONTWAIT);
    }

    /// Tells it of a child's end.
    pub fn tell_ended(&self, pid: i32) {
        let _ = children::tell_ended(&self.line, pid, SendFlags::DONTWAIT);
    }

    /// Why it does not serve any more; `None` while it does. One that was stopped is killed: a new one serves.
    pub fn ended(&mut self) -> Option<String> {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
        let (_, status) = waitpid(Some(self.pid), options).ok()??;
        if status.stopped() {
            self.kill();
            return Some("it had been stopped".to_owned());
        }
        let signal = status
            .terminating_signal()
            .map(|signal| format!("signal {signal}"));
        let code = status.exit_status().map(|code| format!("exit code {code}"));
        Some(signal.or(code).unwrap_or_else(|| "it ended".to_owned()))
    }

    /// Ends it at once.
    pub fn kill(&self) {
        let _ = kill_process(self.pid, Signal::KILL);
        // One that the kernel does not let go is not worth that nobody signs.
        self.wait();
    }

    /// Has it end, and waits until it has.
    pub fn retire(self) {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let _ = send(&self.line, &[RETIRE], flags);
        if !self.wait() {
            self.kill();
        }
    }

    /// Waits until it has ended; false where that takes too long.
    fn wait(&self) -> bool {
        let deadline = Instant::now() + LEAVE;
        while let Ok(None) = waitpid(Some(self.pid), WaitOptions::NOHANG) {
            if Instant::now() > deadline {
                return false;
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
        true
    }
}

/// Forks a signer and waits until it serves. Says whether it runs without a system call filter.
pub fn start(supervisor: &mut Supervisor) -> io::Result<(Running, bool)> {
    let (line, far) = pair()?;
    let (mut ready, ready_end) = io::pipe()?;
    let mut keep = vec![
        supervisor.life.as_raw_fd(),
        supervisor.speaker.socket().as_raw_fd(),
        far.as_raw_fd(),
        ready_end.as_raw_fd(),
    ];
    keep.extend(supervisor.parent.as_ref().map(AsRawFd::as_raw_fd));
    let theirs = supervisor.children.values().flat_map(Child::fds);
    keep.extend(theirs.map(|fd| fd.as_raw_fd()));
    let os = Arc::clone(&supervisor.os);
    let mut child = || match serve(supervisor, &far, &ready_end) {
        Ok(()) => 0,
        Err(error) => {
            let speaker = &supervisor.speaker;
            speaker.say(Kind::Trouble, &format!("a signer ended: {error}"));
            71
        }
    };
    let pid = os.fork(&keep, &mut child)?;
    let pid = Pid::from_raw(pid).ok_or_else(|| io::Error::other("fork gave no pid"))?;
    drop((far, ready_end));
    let running = Running {
        pid,
        pidfd: pidfd_open(pid, PidfdFlags::empty()).ok(),
        line,
        since: Instant::now(),
    };
    match wait_ready(&mut ready) {
        Ok(unfiltered) => Ok((running, unfiltered)),
        Err(error) => {
            running.kill();
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
fn serve(supervisor: &mut Supervisor, line: &OwnedFd, ready: &io::PipeWriter) -> io::Result<()> {
    let _ = rustix::thread::set_name(c"tls-signer");
    supervisor.os.ignore_signals();
    let most = u64::from(supervisor.order.children) * FILES_OF_A_CHILD;
    sandbox::signer(supervisor.order.id, supervisor.weak, most + OWN_FILES)?;
    let speaker = Arc::clone(&supervisor.speaker);
    let notice = Box::new(move |text: &str| speaker.say_bounded(Kind::ClientRefused, text));
    let keys = Arc::clone(supervisor.keys.table());
    let settings = Settings {
        threads: std::thread::available_parallelism().map_or(1, |n| n.get().min(64)),
        epoch: std::process::id(),
    };
    let signer = Signer::new(Arc::clone(&supervisor.os), keys, settings, notice)?;
    for child in std::mem::take(&mut supervisor.children).into_values() {
        signer.serve_child(child);
    }
    let ends = Ends {
        parent: std::iter::once(supervisor.life.as_fd())
            .chain(supervisor.parent.as_ref().map(AsFd::as_fd))
            .collect(),
        supervisor: line.as_fd(),
    };
    signer.run(&ends, || {
        let filtered = sandbox::filter().is_ok();
        (&*ready).write_all(&[u8::from(filtered)])
    })
}
