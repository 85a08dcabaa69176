// SPDX-License-Identifier: Apache-2.0
//! What C++ counts.

use mod_tls_core::metrics::choose::{self, cause};
use mod_tls_core::metrics::{self, Counter};

use crate::ffi::{Cause, Event};
use crate::guard::guard;

/// Counts an event.
pub(crate) fn count_event(event: Event) {
    guard(
        || (),
        || counter(event).into_iter().for_each(metrics::count),
    );
}

fn counter(event: Event) -> Option<Counter> {
    match event {
        Event::Misdirected => Some(Counter::Misdirected),
        Event::Exception => Some(Counter::Exception),
        Event::Broken => Some(Counter::Broken),
        _ => None,
    }
}

/// One handshake more, or less, is under way.
pub(crate) fn count_under_way(more: bool) {
    guard(|| (), || metrics::change(Counter::UnderWay, more));
}

/// One handshake more, or less, waits for its client without a thread.
pub(crate) fn count_waiting(more: bool) {
    guard(|| (), || metrics::change(Counter::Waiting, more));
}

/// Counts a handshake that failed of `kind`, in all and for the virtual host.
pub(crate) fn count_failed(kind: u8, host: u32) {
    guard(|| (), || choose::count_failed(kind, host));
}

const _: () = assert!(
    Cause::Ended.repr == cause::ENDED
        && Cause::PlainHttp.repr == cause::PLAIN_HTTP
        && Cause::Limit.repr == cause::LIMIT
        && Cause::NoSession.repr == cause::NO_SESSION
        && Cause::UnknownName.repr == cause::UNKNOWN_NAME
        && Cause::TimedOut.repr == cause::TIMED_OUT
);
