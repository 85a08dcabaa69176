//! Sessions to resume with backends.
//!
//! rustls' own store knows a backend by the name that was verified. Behind one name (`ProxyPreserveHost`) there may be
//! many balancer members, each of which can resume only its own sessions, so this one keeps them apart by address.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls_pki_types::ServerName;

use crate::context;

/// Backends remembered at most; the one first seen is forgotten first.
const MAX_BACKENDS: usize = 1024;

/// Tickets kept per backend: as many as servers send at a time, and some in reserve for parallel connections.
const MAX_TICKETS: usize = 8;

/// Address and port, and the name that the backend has proven.
type Key = (Arc<str>, ServerName<'static>);

#[derive(Debug, Default)]
struct Backend {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    tickets: VecDeque<Tls13ClientSessionValue>,
}

#[derive(Debug, Default)]
struct Table {
    backends: HashMap<Key, Backend>,
    order: VecDeque<Key>,
}

/// The sessions of one client policy in one process.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<Table>);

impl Sessions {
    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic elsewhere costs a session at most: what the table holds is valid at every point.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, name: &ServerName<'_>, change: impl FnOnce(&mut Backend)) {
        let Some(key) = key(name) else { return };
        let mut table = self.table();
        if !table.backends.contains_key(&key) {
            if table.order.len() >= MAX_BACKENDS
                && let Some(oldest) = table.order.pop_front()
            {
                table.backends.remove(&oldest);
            }
            table.order.push_back(key.clone());
        }
        change(table.backends.entry(key).or_default());
    }

    fn find<R>(
        &self,
        name: &ServerName<'_>,
        find: impl FnOnce(&mut Backend) -> Option<R>,
    ) -> Option<R> {
        let key = key(name)?;
        self.table().backends.get_mut(&key).and_then(find)
    }
}

fn key(name: &ServerName<'_>) -> Option<Key> {
    context::with(|context| (context.identity.clone(), name.to_owned()))
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.change(&name, |backend| backend.group = Some(group));
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.find(name, |backend| backend.group)
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.change(&name, |backend| backend.tls12 = Some(value));
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.find(name, |backend| backend.tls12.clone())
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.find(name, |backend| backend.tls12.take());
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.change(&name, |backend| {
            if backend.tickets.len() >= MAX_TICKETS {
                backend.tickets.pop_front();
            }
            backend.tickets.push_back(value);
        });
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        // The newest: it has the longest to live.
        self.find(name, |backend| backend.tickets.pop_back())
    }
}
