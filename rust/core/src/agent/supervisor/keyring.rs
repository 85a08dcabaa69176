//! The keys that a signer gets: those of the present certificates, and for a while those of before.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::sign::SigningKey;

use crate::agent::keys::{KeyTable, PublicHalf};
use crate::agent::wire::{KeyId, Role};
use crate::creds::CertSet;

/// How long a key that nothing names any more still signs: handshakes under way, children of before.
const AFTERLIFE: Duration = Duration::from_secs(600);

/// Keys by what they are for.
#[derive(Default)]
pub struct Keyring {
    sets: Vec<Option<Arc<CertSet>>>,
    machines: Vec<Arc<dyn SigningKey>>,
    retired: HashMap<(Role, KeyId), (Arc<dyn SigningKey>, Instant)>,
}

impl Keyring {
    /// The present certificates, by index of their virtual host.
    pub fn sets(&self) -> &[Option<Arc<CertSet>>] {
        &self.sets
    }

    /// Takes other certificates; those of before are given back. Their keys sign on for a while.
    pub fn replace(&mut self, next: Vec<Option<Arc<CertSet>>>) -> Vec<Option<Arc<CertSet>>> {
        let now = Instant::now();
        self.retired.retain(|_, (_, until)| *until > now);
        let stays: HashSet<*const CertSet> = next.iter().flatten().map(Arc::as_ptr).collect();
        let leaving = keys_of(
            self.sets
                .iter()
                .flatten()
                .filter(|set| !stays.contains(&Arc::as_ptr(set))),
        );
        self.retire(Role::Server, leaving, now);
        std::mem::replace(&mut self.sets, next)
    }

    /// Adds keys of machine certificates; says whether a signer made before lacks one of them.
    pub fn add_machines(&mut self, keys: Vec<Arc<dyn SigningKey>>) -> bool {
        let mut lacking = false;
        for key in keys {
            let Some(id) = PublicHalf::of(key.as_ref()).map(|half| half.id()) else {
                continue;
            };
            let had = self.retired.remove(&(Role::ProxyClient, id)).is_some();
            let has = |known: &Arc<dyn SigningKey>| {
                PublicHalf::of(known.as_ref()).is_some_and(|half| half.id() == id)
            };
            if !self.machines.iter().any(has) {
                self.machines.push(key);
                lacking |= !had;
            }
        }
        lacking
    }

    /// A new configuration names its machine certificates itself; those of before sign on for a while.
    pub fn retire_machines(&mut self) {
        let machines = std::mem::take(&mut self.machines);
        self.retire(Role::ProxyClient, machines, Instant::now());
    }

    fn retire(&mut self, role: Role, keys: Vec<Arc<dyn SigningKey>>, now: Instant) {
        for key in keys {
            if let Some(half) = PublicHalf::of(key.as_ref()) {
                self.retired
                    .insert((role, half.id()), (key, now + AFTERLIFE));
            }
        }
    }

    /// All of them.
    pub fn table(&self) -> KeyTable {
        let mut table = KeyTable::default();
        for ((role, _), (key, _)) in &self.retired {
            table.insert(*role, Arc::clone(key));
        }
        for key in keys_of(self.sets.iter().flatten()) {
            table.insert(Role::Server, key);
        }
        for key in &self.machines {
            table.insert(Role::ProxyClient, Arc::clone(key));
        }
        table
    }
}

fn keys_of<'a>(sets: impl Iterator<Item = &'a Arc<CertSet>>) -> Vec<Arc<dyn SigningKey>> {
    let mut seen = HashSet::new();
    sets.filter(|set| seen.insert(Arc::as_ptr(set)))
        .flat_map(|set| {
            set.pairs()
                .iter()
                .map(|pair| Arc::clone(&pair.certified.key))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::pair;

    #[test]
    fn keys_of_before_sign_on() {
        let (first, second) = (pair("a.example"), pair("a.example"));
        let set = |pair: &Arc<crate::creds::Pair>| {
            vec![Some(Arc::new(CertSet::new(vec![Arc::clone(pair)])))]
        };
        let mut ring = Keyring::default();
        ring.replace(set(&first));
        ring.replace(set(&second));
        let key = |pair: &Arc<crate::creds::Pair>| Arc::clone(&pair.certified.key);
        assert!(ring.table().holds(Role::Server, key(&first).as_ref()));
        assert!(ring.table().holds(Role::Server, key(&second).as_ref()));
        assert!(!ring.table().holds(Role::ProxyClient, key(&second).as_ref()));
        assert!(ring.add_machines(vec![key(&first)]), "a role of its own");
        assert!(!ring.add_machines(vec![key(&first)]), "known");
        assert!(ring.table().holds(Role::ProxyClient, key(&first).as_ref()));
        ring.retire_machines();
        assert!(ring.table().holds(Role::ProxyClient, key(&first).as_ref()));
        assert!(
            !ring.add_machines(vec![key(&first)]),
            "a signer of before has it"
        );
    }
}
