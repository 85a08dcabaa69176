// SPDX-License-Identifier: Apache-2.0
//! The key agent for C++. There is one for each httpd instance; its handle is kept here, where it survives graceful
//! restarts because the module is never unloaded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mod_tls_core::agent::parent::ids;
use mod_tls_core::agent::parent::{AgentSettings, Parent};
use mod_tls_core::agent::protocol::log_relay::LogKind;
use mod_tls_core::agent::protocol::message::Weaknesses;
use mod_tls_core::agent::protocol::requests::Requests;
use mod_tls_core::backend::{self, Machinery, Machines, Warnings};

use crate::counting::count_agent;
use crate::credentials::{Credentials, request};
use crate::ffi;
use crate::forks::{Line, claim_line, take_line};
use crate::guard::{guard, guard_result};
use crate::os::Linux;

static AGENT: Mutex<Option<Parent>> = Mutex::new(None);

fn agent() -> MutexGuard<'static, Option<Parent>> {
    AGENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// See the bridge.
pub fn agent_load(
    requests: &[ffi::LoadRequest],
    settings: &ffi::AgentSettings,
) -> Result<Box<Credentials>, String> {
    guard_result(|| {
        *own() = Machinery::new();
        let mut agent = agent();
        let parent = match agent.as_mut() {
            Some(parent) => parent,
            None => agent.insert(Parent::new(Arc::new(Linux)).map_err(|e| e.to_string())?),
        };
        let loaded = parent
            .load(AgentSettings {
                serve: settings.serve,
                reload_seconds: settings.reload_seconds,
                threads: settings.threads,
                children: settings.children,
                id: settings.id,
                requests: Requests::new(requests.iter().map(request)),
            })
            .map_err(|error| error.to_string())?;
        let weak = weaknesses(loaded.weaknesses);
        Ok(Box::new(Credentials::new(
            loaded.certificates,
            loaded.problems,
            weak,
        )))
    })
}

/// Machine certificates where keys are in httpd's own processes.
static OWN: Mutex<Machinery> = Mutex::new(Machinery::new());

fn own() -> MutexGuard<'static, Machinery> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new configuration begins.
pub(crate) fn begin_own() {
    own().begin();
}

/// Loads machine certificates: in the agent, so that their keys stay with it, and here where there is none.
pub(crate) fn load_machines(
    machines: Machines,
    warnings: &mut Warnings,
) -> Result<Vec<backend::MachinePair>, String> {
    match agent().as_mut() {
        Some(parent) => parent.machines(&machines, warnings),
        None => own().load(&machines, warnings),
    }
}

/// See the bridge.
pub fn agent_prepare() {
    guard(
        || (),
        || {
            let mut agent = agent();
            if agent.is_none()
                && let Ok(mut parent) = Parent::new(Arc::new(Linux))
                && parent.prepare().is_ok()
            {
                *agent = Some(parent);
            }
        },
    );
}

fn weaknesses(weak: Weaknesses) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |is: bool, text: &str| {
        if is {
            lines.push(text.to_owned());
        }
    };
    say(
        weak.same_uid,
        "it runs under httpd's own uid, so that a captured child can signal it (httpd was not started as root)",
    );
    say(
        weak.root && !weak.same_uid,
        "its supervisor stays root, for CAP_DAC_READ_SEARCH is not to be had here (containers drop it)",
    );
    say(
        weak.unfiltered,
        "its signer runs without a system call filter, for the kernel has none",
    );
    lines
}

/// See the bridge.
pub fn agent_look_after() -> Vec<ffi::AgentNotice> {
    let kind = |kind| match kind {
        LogKind::SignerReplaced => ffi::AgentEvent::SignerReplaced,
        LogKind::ClientRefused => ffi::AgentEvent::ClientRefused,
        LogKind::Reloaded => ffi::AgentEvent::Reloaded,
        LogKind::ReloadRefused => ffi::AgentEvent::ReloadRefused,
        LogKind::Trouble | LogKind::ChildLost => ffi::AgentEvent::Trouble,
    };
    guard(Vec::new, || {
        tend_retired();
        let notices = agent().as_mut().map(Parent::look_after).unwrap_or_default();
        let notice = |notice: mod_tls_core::agent::protocol::log_relay::LogLine| {
            let event = kind(notice.kind);
            count_agent(event);
            ffi::AgentNotice {
                event,
                text: notice.text,
            }
        };
        notices.into_iter().map(notice).collect()
    })
}

/// See the bridge.
pub fn ids_in_use() -> Vec<u32> {
    guard(Vec::new, || ids::in_use().into_iter().collect())
}

/// See the bridge.
pub fn agent_pid() -> i32 {
    guard(|| 0, || agent().as_ref().map_or(0, Parent::pid))
}

/// See the bridge.
pub fn agent_child_began(pid: i32) -> bool {
    // Taken even where nobody wants it, or what follows fails: the child waits for nothing then.
    let line = claim_line(Line::Agent);
    guard(
        || false,
        move || {
            agent()
                .as_mut()
                .is_some_and(|parent| parent.child_began(pid, line))
        },
    )
}

/// See the bridge.
pub fn agent_child_ended(pid: i32) {
    guard(
        || (),
        || {
            if let Some(parent) = agent().as_mut() {
                parent.child_ended(pid);
            }
        },
    );
}

/// See the bridge.
pub fn agent_become_child(threads: usize) -> bool {
    guard(
        || false,
        || {
            let line = take_line(Line::Agent);
            agent()
                .take()
                .is_none_or(|parent| parent.become_child(threads, line))
        },
    )
}

/// Agents that no configuration wants any more, each until the last child that it signs for has ended.
static RETIRED: Mutex<Vec<Parent>> = Mutex::new(Vec::new());

fn tend_retired() -> bool {
    let mut retired = RETIRED.lock().unwrap_or_else(PoisonError::into_inner);
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

/// See the bridge.
pub fn agent_retire() -> bool {
    guard(
        || true,
        || {
            if let Some(parent) = agent().take() {
                let mut retired = RETIRED.lock().unwrap_or_else(PoisonError::into_inner);
                retired.push(parent);
            }
            tend_retired()
        },
    )
}
