// SPDX-License-Identifier: Apache-2.0
//! The one agent of an httpd instance, for whoever stands in httpd's hooks. It is kept here, where it survives graceful
//! restarts because the module is never unloaded. Everything here is for httpd's parent, but [`become_child`].

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use super::Os;
use super::parent::{AgentSettings, Loaded, Parent};
use super::protocol::log_relay::LogLine;
use crate::backend::{BackendFault, MachinePair, Machinery, Machines, Warnings};
use crate::metrics;
use crate::system::lock;

static AGENT: Mutex<Option<Parent>> = Mutex::new(None);
/// Machine certificates where keys are in httpd's own processes.
static OWN: Mutex<Machinery> = Mutex::new(Machinery::new());
/// Agents that no configuration wants any more, each until the last child that it signs for has ended.
static RETIRED: Mutex<Vec<Parent>> = Mutex::new(Vec::new());

/// Has the agent load what the requests name, and makes it where there is none that answers: forks.
///
/// # Errors
/// Why there is no agent to be had.
pub fn load(os: Arc<dyn Os>, settings: AgentSettings) -> io::Result<Loaded> {
    *lock(&OWN) = Machinery::new();
    let mut agent = lock(&AGENT);
    let parent = match agent.as_mut() {
        Some(parent) => parent,
        None => agent.insert(Parent::new(os)?),
    };
    parent.load(settings)
}

/// A new configuration begins: machine certificates of the one before the last are forgotten.
pub fn begin_configuration() {
    lock(&OWN).begin();
}

/// Loads machine certificates: in the agent, so that their keys stay with it, and here where there is none.
///
/// # Errors
/// What is wrong with the files.
pub fn load_machines(
    machines: &Machines,
    warnings: &mut Warnings,
) -> Result<Vec<MachinePair>, BackendFault> {
    match lock(&AGENT).as_mut() {
        Some(parent) => parent.machines(machines, warnings),
        None => Ok(lock(&OWN).load(machines, warnings)?),
    }
}

/// Makes the agent's first process, while httpd's parent is small: forks. [`load`] tries again where that fails.
pub fn prepare(os: Arc<dyn Os>) {
    let mut agent = lock(&AGENT);
    if agent.is_none()
        && let Ok(mut parent) = Parent::new(os)
        && parent.prepare().is_ok()
    {
        *agent = Some(parent);
    }
}

/// The configuration is given up, for another one or, where the module leaves httpd, for none.
pub fn release() {
    if let Some(parent) = lock(&AGENT).as_ref() {
        parent.release();
    }
}

/// Takes the lines that the agent wants logged, counts them, and replaces a supervisor that died: forks.
pub fn look_after() -> Vec<LogLine> {
    tend_retired();
    let lines = lock(&AGENT).as_mut().map(Parent::look_after);
    let lines = lines.unwrap_or_default();
    for line in &lines {
        metrics::count(line.kind.counter());
    }
    lines
}

/// The supervisor's pid; 0 where there is none.
pub fn pid() -> i32 {
    lock(&AGENT).as_ref().map_or(0, Parent::pid)
}

/// The MPM has just forked the child `pid`, to which `line` leads. Says whether [`look_after`] should be called now.
pub fn child_began(pid: i32, line: Option<OwnedFd>) -> bool {
    let mut agent = lock(&AGENT);
    let parent = agent.as_mut();
    parent.is_some_and(|parent| parent.child_began(pid, line))
}

/// The MPM has waited for the child `pid`.
pub fn child_ended(pid: i32) {
    if let Some(parent) = lock(&AGENT).as_mut() {
        parent.child_ended(pid);
    }
}

/// Gives up what belongs to the parent; in a child, before any thread serves. False where there is an agent to which the
/// parent has given this process no way.
pub fn become_child(threads: usize, line: Option<OwnedFd>) -> bool {
    let parent = lock(&AGENT).take();
    parent.is_none_or(|parent| parent.become_child(threads, line))
}

/// Ends the agent as soon as the last child that it signs for has ended. Says whether that has been; else it is called
/// again, or [`look_after`] is.
pub fn retire() -> bool {
    if let Some(parent) = lock(&AGENT).take() {
        lock(&RETIRED).push(parent);
    }
    tend_retired()
}

fn tend_retired() -> bool {
    let mut retired = lock(&RETIRED);
    retired.retain_mut(|parent| {
        let wanted = parent.has_children();
        if wanted {
            // What it has to say is about files that its successor looks at too.
            drop(parent.look_after());
        }
        wanted
    });
    retired.is_empty()
}
