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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Context, enter};

    fn at<R>(address: &str, call: impl FnOnce() -> R) -> R {
        let mut context = Some(Box::new(Context {
            identity: Arc::from(address),
            ..Context::default()
        }));
        enter(&mut context, call)
    }

    fn name(text: &str) -> ServerName<'static> {
        ServerName::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn backends_behind_one_name_are_kept_apart() {
        let sessions = Sessions::default();
        let far = name("far.example");
        for (address, group) in [
            ("192.0.2.1:443/far.example", NamedGroup::X25519),
            ("192.0.2.1:444/far.example", NamedGroup::secp256r1),
            ("192.0.2.2:443/far.example", NamedGroup::secp384r1),
        ] {
            at(address, || {
                assert_eq!(sessions.kx_hint(&far), None);
                sessions.set_kx_hint(far.clone(), group);
            });
        }
        at("192.0.2.1:443/far.example", || {
            assert_eq!(sessions.kx_hint(&far), Some(NamedGroup::X25519));
            assert_eq!(sessions.kx_hint(&name("other.example")), None);
        });
        assert_eq!(sessions.kx_hint(&far), None, "outside of a connection");
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_is_forgotten() {
        let sessions = Sessions::default();
        let host = |number: usize| name(&format!("host{number}.example"));
        at("192.0.2.1:443", || {
            for number in 0..MAX_BACKENDS + 10 {
                sessions.set_kx_hint(host(number), NamedGroup::X25519);
            }
            assert_eq!(sessions.table().backends.len(), MAX_BACKENDS);
            assert_eq!(sessions.table().order.len(), MAX_BACKENDS);
            assert_eq!(sessions.kx_hint(&host(9)), None);
            assert!(sessions.kx_hint(&host(10)).is_some());
        });
    }
}
