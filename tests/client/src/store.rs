// SPDX-License-Identifier: Apache-2.0
//! Where sessions are kept, by the mode asked for.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls_pki_types::ServerName;

/// More tickets than any server sends in one connection, few enough to bound memory.
const MAX_TICKETS: usize = 64;

/// Sessions of one server: a run of this client talks to one only.
#[derive(Debug)]
pub(crate) struct Store {
    keep_first: bool,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    tls13: VecDeque<Tls13ClientSessionValue>,
}

impl Store {
    /// `keep_first`: later TLS 1.2 sessions are ignored, TLS 1.3 tickets are used oldest first
    /// (each once: rustls does not let one be copied). Otherwise the newest wins.
    pub(crate) fn new(keep_first: bool) -> Self {
        Self {
            keep_first,
            held: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientSessionStore for Store {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.held().group = Some(group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.held().group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        let mut held = self.held();
        if !(self.keep_first && held.tls12.is_some()) {
            held.tls12 = Some(value);
        }
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.held().tls12.clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.held().tls12 = None;
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        let mut held = self.held();
        if held.tls13.len() == MAX_TICKETS {
            if self.keep_first {
                return;
            }
            held.tls13.pop_front();
        }
        held.tls13.push_back(value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        let mut held = self.held();
        if self.keep_first {
            held.tls13.pop_front()
        } else {
            held.tls13.pop_back()
        }
    }
}
