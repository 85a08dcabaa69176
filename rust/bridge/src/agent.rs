// SPDX-License-Identifier: Apache-2.0
//! The key agent for C++.

pub(crate) mod boundary;

use std::sync::Arc;

use mod_tls_core::agent::instance;
use mod_tls_core::agent::parent::AgentSettings;
use mod_tls_core::agent::parent::ids;
use mod_tls_core::agent::protocol::log_relay::{LogKind, LogLine};
use mod_tls_core::agent::protocol::requests::Requests;

use crate::credentials::{Credentials, request};
use crate::forks::{Line, claim_line, take_line};
use crate::guard::{Thrown, guard, guard_result};
use crate::os::Linux;

use boundary::ffi;

/// `requests` loaded by the agent; see the boundary.
pub(crate) fn agent_load(
    requests: &[ffi::LoadRequest],
    settings: &ffi::AgentSettings,
) -> Result<Box<Credentials>, Thrown> {
    guard_result(|| {
        let loaded = instance::load(Arc::new(Linux), settings.with(requests))?;
        Ok(Box::new(Credentials(loaded.into())))
    })
}

impl ffi::AgentSettings {
    fn with(&self, requests: &[ffi::LoadRequest]) -> AgentSettings {
        AgentSettings {
            serve: self.serve,
            reload_seconds: self.reload_seconds,
            threads: self.threads,
            children: self.children,
            id: self.id,
            requests: Requests::new(requests.iter().map(request)),
        }
    }
}

/// Forks the agent's first process; see the boundary.
pub(crate) fn agent_prepare() {
    guard(|| (), || instance::prepare(Arc::new(Linux)));
}

/// Lines for the log; see the boundary.
pub(crate) fn agent_look_after() -> Vec<ffi::AgentNotice> {
    guard(Vec::new, || {
        let lines = instance::look_after();
        lines.into_iter().map(ffi::AgentNotice::from).collect()
    })
}

impl From<LogLine> for ffi::AgentNotice {
    fn from(line: LogLine) -> Self {
        Self {
            event: line.kind.into(),
            text: line.text,
        }
    }
}

impl From<LogKind> for ffi::AgentEvent {
    fn from(kind: LogKind) -> Self {
        match kind {
            LogKind::SignerReplaced => Self::SignerReplaced,
            LogKind::ClientRefused => Self::ClientRefused,
            LogKind::Reloaded => Self::Reloaded,
            LogKind::ReloadRefused => Self::ReloadRefused,
            LogKind::Trouble | LogKind::ChildLost => Self::Trouble,
        }
    }
}

/// Uids and gids that are taken; see the boundary.
pub(crate) fn ids_in_use() -> Vec<u32> {
    guard(Vec::new, || ids::in_use().into_iter().collect())
}

/// The supervisor's pid, or 0.
pub(crate) fn agent_pid() -> i32 {
    guard(|| 0, instance::pid)
}

/// A child of the MPM has begun; see the boundary.
pub(crate) fn agent_child_began(pid: i32) -> bool {
    // Taken even where nobody wants it, or what follows fails: the child waits for nothing then.
    let line = claim_line(Line::Agent);
    guard(|| false, move || instance::child_began(pid, line))
}

/// A child of the MPM has ended.
pub(crate) fn agent_child_ended(pid: i32) {
    guard(|| (), || instance::child_ended(pid));
}

/// In a child; see the boundary.
pub(crate) fn agent_become_child(threads: usize) -> bool {
    let become_child = || instance::become_child(threads, take_line(Line::Agent));
    guard(|| false, become_child)
}

/// The configuration is given up; see the boundary.
pub(crate) fn agent_release() {
    guard(|| (), instance::release);
}

/// No configuration wants it any more; see the boundary.
pub(crate) fn agent_retire() -> bool {
    guard(|| true, instance::retire)
}
