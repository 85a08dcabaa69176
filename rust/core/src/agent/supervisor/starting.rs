// SPDX-License-Identifier: Apache-2.0
//! How a signer begins.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Pid;

use super::Supervisor;
use super::process::SignerHandle;
use super::sandbox;
use crate::agent::protocol::children::Child;
use crate::agent::protocol::log_relay::{LogKind, pair};
use crate::agent::signer::{Ends, Settings, Signer};

/// How long a new signer may take until it serves.
const START: Duration = Duration::from_secs(10);
/// Descriptors of a signer besides its children's: epoll, eventfd and a few lines.
const OWN_FILES: u64 = 64;
/// Descriptors for each child: requests, bell, pidfd, and replies until they are mapped.
const FILES_OF_A_CHILD: u64 = 4;

impl Supervisor {
    /// Forks a signer and waits until it serves. Says whether it runs without a system call filter.
    pub(super) fn fork_signer(&mut self) -> io::Result<(SignerHandle, bool)> {
        start(self)
    }
}

fn start(supervisor: &mut Supervisor) -> io::Result<(SignerHandle, bool)> {
    let (line, far) = pair()?;
    let (mut ready, ready_end) = io::pipe()?;
    let mut keep = vec![
        supervisor.life.as_raw_fd(),
        supervisor.log_sender.socket().as_raw_fd(),
        far.as_raw_fd(),
        ready_end.as_raw_fd(),
    ];
    keep.extend(supervisor.parent.as_ref().map(AsRawFd::as_raw_fd));
    keep.extend(supervisor.probe.iter().map(|probe| probe.fd().as_raw_fd()));
    let theirs = supervisor.children.values().flat_map(Child::fds);
    keep.extend(theirs.map(|fd| fd.as_raw_fd()));
    let os = Arc::clone(&supervisor.os);
    let epoch = supervisor.epochs.next();
    let mut child = || match serve(supervisor, epoch, &far, &ready_end) {
        Ok(()) => 0,
        Err(error) => {
            let log_sender = &supervisor.log_sender;
            log_sender.say(LogKind::Trouble, &format!("a signer ended: {error}"));
            71
        }
    };
    let pid = os.fork(&keep, &mut child)?;
    let pid = Pid::from_raw(pid).ok_or_else(|| io::Error::other("fork gave no pid"))?;
    drop((far, ready_end));
    let signer = SignerHandle::new(pid, line);
    match wait_ready(&mut ready) {
        Ok(unfiltered) => Ok((signer, unfiltered)),
        Err(error) => {
            signer.kill();
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
    supervisor: &mut Supervisor,
    epoch: u32,
    line: &OwnedFd,
    ready: &io::PipeWriter,
) -> io::Result<()> {
    let _ = rustix::thread::set_name(c"tls-signer");
    supervisor.os.ignore_signals();
    let most = u64::from(supervisor.order.children) * FILES_OF_A_CHILD;
    sandbox::signer(supervisor.order.id, supervisor.weak, most + OWN_FILES)?;
    if let Some(probe) = supervisor.probe.take() {
        probe.leave();
    }
    let log_sender = Arc::clone(&supervisor.log_sender);
    let notice = Box::new(move |kind, text: &str| log_sender.say_bounded(kind, text));
    let keys = Arc::clone(supervisor.keys.table());
    let settings = Settings {
        threads: std::thread::available_parallelism().map_or(1, |n| n.get().min(64)),
        epoch,
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
