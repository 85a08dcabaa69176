// SPDX-License-Identifier: Apache-2.0
//! Sessions to resume with backends.
//!
//! rustls' own store knows a backend by the name that was verified. Behind one name (`ProxyPreserveHost`) there may be
//! many balancer members, each of which can resume only its own sessions, so this one keeps them apart by address.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::sign::CertifiedKey;
use rustls_pki_types::ServerName;

use crate::tls::context;

/// Backends remembered at most; the one first seen is forgotten first.
const MAX_BACKENDS: usize = 1024;

/// Names remembered for one address: visitors choose them where `ProxyPreserveHost` is on.
const MAX_NAMES: usize = 64;

/// Tickets kept per backend: as many as servers send at a time, and some in reserve for parallel connections.
const MAX_TICKETS: usize = 8;

/// Octets kept for one backend, for one address, and in all. rustls keeps a copy of the backend's chain with each
/// ticket, and gives no way to share it.
const MAX_OCTETS: [usize; 3] = [256 << 10, 1 << 20, 8 << 20];

/// What a session takes besides its ticket and its chain, and a backend besides its sessions.
const OVERHEAD: usize = 512;

/// Address and port, and the name that the backend has proven.
type Key = (Arc<str>, ServerName<'static>);

/// A session, and what it takes at most.
#[derive(Debug)]
struct Kept<T> {
    value: T,
    /// What the backend knows us by in it: a resumption shows nothing, and stands for the same.
    shown: Option<Arc<CertifiedKey>>,
    octets: usize,
}

#[derive(Debug, Default)]
struct Backend {
    group: Option<NamedGroup>,
    tls12: Option<Kept<Tls12ClientSessionValue>>,
    tickets: VecDeque<Kept<Tls13ClientSessionValue>>,
}

impl Backend {
    fn octets(&self) -> usize {
        let tickets: usize = self.tickets.iter().map(|kept| kept.octets).sum();
        let session = self.tls12.as_ref().map_or(0, |kept| kept.octets);
        OVERHEAD + tickets + session
    }

    /// Forgets the oldest sessions until the rest fits.
    fn trim(&mut self) {
        let [most, ..] = MAX_OCTETS;
        while self.tickets.len() > MAX_TICKETS || (self.octets() > most && !self.tickets.is_empty())
        {
            self.tickets.pop_front();
        }
        if self.octets() > most {
            self.tls12 = None;
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Usage {
    names: usize,
    octets: usize,
}

#[derive(Debug, Default)]
struct Table {
    backends: HashMap<Key, Backend>,
    order: VecDeque<Key>,
    addresses: HashMap<Arc<str>, Usage>,
    octets: usize,
}

/// Address and port of an identity: what stands before the name that a visitor may have chosen.
fn address(identity: &str) -> &str {
    identity.split('/').next().unwrap_or(identity)
}

impl Table {
    fn change(&mut self, key: &Key, change: impl FnOnce(&mut Backend)) {
        if !self.backends.contains_key(key) {
            self.order.push_back(key.clone());
        }
        let before = self.backends.get(key).map(Backend::octets);
        let backend = self.backends.entry(key.clone()).or_default();
        change(backend);
        backend.trim();
        let after = backend.octets();
        self.account(&key.0, before, Some(after));
        self.forget_the_oldest(key);
    }

    fn account(&mut self, identity: &str, before: Option<usize>, after: Option<usize>) {
        let address = address(identity);
        if !self.addresses.contains_key(address) {
            self.addresses.insert(Arc::from(address), Usage::default());
        }
        let (old, new) = (before.unwrap_or(0), after.unwrap_or(0));
        self.octets = (self.octets + new).saturating_sub(old);
        if let Some(usage) = self.addresses.get_mut(address) {
            usage.octets = (usage.octets + new).saturating_sub(old);
            usage.names = (usage.names + usize::from(after.is_some()))
                .saturating_sub(usize::from(before.is_some()));
            if usage.names == 0 {
                self.addresses.remove(address);
            }
        }
    }

    /// Makes room behind `changed`, at its address first.
    fn forget_the_oldest(&mut self, changed: &Key) {
        let [_, of_address, in_all] = MAX_OCTETS;
        let here = address(&changed.0);
        loop {
            let usage = self.addresses.get(here).copied().unwrap_or_default();
            let crowded = usage.names > MAX_NAMES || usage.octets > of_address;
            let full = self.order.len() > MAX_BACKENDS || self.octets > in_all;
            let oldest = match crowded {
                true => self.order.iter().position(|key| address(&key.0) == here),
                false if full => Some(0),
                false => return,
            };
            let Some(key) = oldest.and_then(|at| self.order.remove(at)) else {
                return;
            };
            if let Some(backend) = self.backends.remove(&key) {
                self.account(&key.0, Some(backend.octets()), None);
            }
        }
    }
}

/// The sessions of one client policy in one process.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Table>);

impl Sessions {
    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic elsewhere costs a session at most: what the table holds is valid at every point.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, name: &ServerName<'_>, change: impl FnOnce(&mut Backend)) {
        if let Some(key) = key(name) {
            self.table().change(&key, change);
        }
    }

    fn find<R>(
        &self,
        name: &ServerName<'_>,
        find: impl FnOnce(&mut Backend) -> Option<R>,
    ) -> Option<R> {
        let key = key(name)?;
        let mut table = self.table();
        let backend = table.backends.get_mut(&key)?;
        let before = backend.octets();
        let found = find(backend);
        let after = backend.octets();
        table.account(&key.0, Some(before), Some(after));
        found
    }
}

/// A session that came just now, with what it takes at most.
fn kept<T>(value: T) -> Kept<T> {
    let octets = context::with(|context| context.peer_octets + context.arrived).unwrap_or(0);
    Kept {
        value,
        shown: context::with(|context| context.stands_for().cloned()).flatten(),
        octets: octets + OVERHEAD,
    }
}

/// Notes what a session that is to be resumed stands for.
fn resume<T>((value, shown): (T, Option<Arc<CertifiedKey>>)) -> T {
    context::with(|context| context.resumes = shown);
    value
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
        self.change(&name, |backend| backend.tls12 = Some(kept(value)));
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.find(name, |backend| {
            let kept = backend.tls12.as_ref()?;
            Some((kept.value.clone(), kept.shown.clone()))
        })
        .map(resume)
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.find(name, |backend| backend.tls12.take());
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.change(&name, |backend| backend.tickets.push_back(kept(value)));
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        // The newest: it has the longest to live.
        self.find(name, |backend| {
            let kept = backend.tickets.pop_back()?;
            Some((kept.value, kept.shown))
        })
        .map(resume)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::context::{Context, enter};

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
        let host = name("a.example");
        let place = |number: usize| format!("192.0.2.1:{number}/a.example");
        for number in 0..MAX_BACKENDS + 10 {
            at(&place(number), || {
                sessions.set_kx_hint(host.clone(), NamedGroup::X25519);
            });
        }
        assert_eq!(sessions.table().backends.len(), MAX_BACKENDS);
        assert_eq!(sessions.table().order.len(), MAX_BACKENDS);
        assert_eq!(sessions.table().addresses.len(), MAX_BACKENDS);
        assert_eq!(at(&place(9), || sessions.kx_hint(&host)), None);
        assert!(at(&place(10), || sessions.kx_hint(&host)).is_some());
    }

    /// A session of TLS 1.2 that is taken back leaves a backend of which nothing is known.
    #[test]
    fn what_is_taken_is_counted_once_however_often_it_comes_and_goes() {
        let sessions = Sessions::default();
        let host = name("a.example");
        for _ in 0..100 {
            at("192.0.2.1:443/a.example", || {
                sessions.set_kx_hint(host.clone(), NamedGroup::X25519);
                sessions.find(&host, |backend| backend.group.take());
            });
        }
        let table = sessions.table();
        let usage = table.addresses["192.0.2.1:443"];
        assert_eq!(table.octets, OVERHEAD);
        assert_eq!((usage.names, usage.octets), (1, OVERHEAD));
    }

    #[test]
    fn names_that_visitors_choose_push_out_those_of_their_address_alone() {
        let sessions = Sessions::default();
        let elsewhere = name("b.example");
        at("192.0.2.2:443/b.example", || {
            sessions.set_kx_hint(elsewhere.clone(), NamedGroup::X25519);
        });
        for number in 0..3 * MAX_NAMES {
            let host = format!("host{number}.example");
            at(&format!("192.0.2.1:443/{host}"), || {
                sessions.set_kx_hint(name(&host), NamedGroup::X25519);
            });
        }
        let table = sessions.table();
        assert_eq!(table.backends.len(), MAX_NAMES + 1);
        assert_eq!(table.addresses["192.0.2.1:443"].names, MAX_NAMES);
        drop(table);
        at("192.0.2.2:443/b.example", || {
            assert!(sessions.kx_hint(&elsewhere).is_some());
        });
    }
}
