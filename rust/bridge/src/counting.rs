// SPDX-License-Identifier: Apache-2.0
//! What C++ counts.

use mod_tls_core::metrics::choose::{self, cause};
use mod_tls_core::metrics::{self, Counter};

use crate::ffi::{AgentEvent, Cause, Event};
use crate::guard::guard;

/// See the bridge.
pub fn count_event(event: Event) {
    let counter = match event {
        Event::Misdirected => Counter::Misdirected,
        Event::Exception => Counter::Exception,
        Event::Broken => Counter::Broken,
        _ => return,
    };
    guard(|| (), || metrics::count(counter));
}

/// See the bridge.
pub fn count_under_way(more: bool) {
    guard(|| (), || metrics::change(Counter::UnderWay, more));
}

/// See the bridge.
pub fn count_waiting(more: bool) {
    guard(|| (), || metrics::change(Counter::Waiting, more));
}

/// See the bridge.
pub fn count_failed(kind: u8, host: u32) {
    guard(
        || (),
        || {
            metrics::count(choose::failure(kind));
            metrics::count_host(host, false);
        },
    );
}

/// See the bridge.
pub fn count_alert(alert: u8) {
    guard(|| (), || metrics::count(choose::alert(alert.into(), true)));
}

/// Counts what the agent says.
pub fn count_agent(event: AgentEvent) {
    metrics::count(match event {
        AgentEvent::SignerReplaced => Counter::SignerReplaced,
        AgentEvent::ClientRefused => Counter::AgentRefusal,
        AgentEvent::Reloaded => Counter::ReloadTaken,
        AgentEvent::ReloadRefused => Counter::ReloadRefused,
        _ => Counter::AgentTrouble,
    });
}

const _: () = assert!(
    Cause::Ended.repr == cause::ENDED
        && Cause::PlainHttp.repr == cause::PLAIN_HTTP
        && Cause::Limit.repr == cause::LIMIT
        && Cause::NoSession.repr == cause::NO_SESSION
        && Cause::UnknownName.repr == cause::UNKNOWN_NAME
        && Cause::TimedOut.repr == cause::TIMED_OUT
);
