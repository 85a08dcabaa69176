// SPDX-License-Identifier: Apache-2.0
//! Limits for handshakes, for C++.

use mod_tls_core::metrics::Counter;
use mod_tls_core::tls::limits::{self, Exceeded, Scopes};

use crate::counts;
use crate::ffi;
use crate::guard::guard;
use crate::policy::Policy;
use crate::session::Session;

/// Sets the limits of processes forked from now on.
pub(crate) fn limit_handshakes(rate: ffi::LimitScopes, under_way: ffi::LimitScopes) {
    guard(|| (), || limits::set(scopes(rate), scopes(under_way)));
}

/// What limits refused since this said it last; empty where there is nothing to say.
pub(crate) fn limits_report() -> String {
    guard(|| None, || limits::report(&counts::totals()?)).unwrap_or_default()
}

fn scopes(limits: ffi::LimitScopes) -> Scopes {
    Scopes {
        address: limits.address,
        child: limits.child,
        server: limits.server,
    }
}

/// How many processes share what is for the server: those that end take no new connections.
fn children() -> u64 {
    counts::totals().map_or(0, |totals| totals.of(Counter::Current))
}

impl From<Result<(), Exceeded>> for ffi::Exceeded {
    fn from(result: Result<(), Exceeded>) -> Self {
        let repr = result
            .err()
            .map_or(Self::Nothing.repr, |exceeded| exceeded as u8);
        Self { repr }
    }
}

impl Session {
    pub(crate) fn enter(&mut self, address: &[u8]) -> ffi::Exceeded {
        self.run(|| Ok(()), |inner| inner.enter(address, children()))
            .into()
    }

    pub(crate) fn admit(&mut self, policy: &Policy) -> ffi::Exceeded {
        self.run(|| Ok(()), |inner| inner.admit(&policy.0.get()))
            .into()
    }

    pub(crate) fn exceeded(&self) -> ffi::Exceeded {
        guard(|| None, || self.inner.exceeded())
            .map_or(Ok(()), Err)
            .into()
    }

    pub(crate) fn leave(&mut self) {
        self.run(|| (), |inner| inner.leave());
    }
}

const _: () = assert!(
    ffi::Exceeded::AddressRate.repr == Exceeded::AddressRate as u8
        && ffi::Exceeded::ServerRate.repr == Exceeded::ServerRate as u8
        && ffi::Exceeded::AddressUnderWay.repr == Exceeded::AddressUnderWay as u8
        && ffi::Exceeded::ServerUnderWay.repr == Exceeded::ServerUnderWay as u8
);
