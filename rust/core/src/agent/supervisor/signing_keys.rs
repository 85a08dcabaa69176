// SPDX-License-Identifier: Apache-2.0
//! The keys that signers get: those of the present certificates, and for a while those of before.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::sign::SigningKey;

use crate::agent::protocol::wire::{KeyId, Role};
use crate::agent::signer::keys::KeyTable;
use crate::creds::CertSet;

/// How long a key that nothing names any more still signs: handshakes under way, children of before. Ten minutes, less
/// what it takes until a signer without the key has followed one with it.
const GRACE: Duration = Duration::from_secs(590);

/// Keys by what they are for.
///
/// One table, changed where the certificates change and nowhere else: a signer shares its memory by copy on write,
/// so that a supervisor which counted references anew for each signer would have every key copied.
#[derive(Default)]
pub(super) struct SigningKeys {
    sets: Vec<Option<Arc<CertSet>>>,
    table: Arc<KeyTable>,
    /// Keys of the pairs of `sets`, by the pair's address.
    pairs: HashMap<usize, KeyId>,
    machines: HashSet<KeyId>,
    retired: HashMap<(Role, KeyId), Instant>,
}

impl SigningKeys {
    /// The present certificates, by index of their virtual host.
    pub(super) fn sets(&self) -> &[Option<Arc<CertSet>>] {
        &self.sets
    }

    /// All keys, those included that sign on for a while.
    pub(super) fn table(&self) -> &Arc<KeyTable> {
        &self.table
    }

    /// Takes other certificates; those of before are given back. Their keys sign on for a while.
    pub(super) fn replace(&mut self, next: Vec<Option<Arc<CertSet>>>) -> Vec<Option<Arc<CertSet>>> {
        self.drop_expired(Instant::now());
        let mut pairs = HashMap::new();
        for pair in next.iter().flatten().flat_map(|set| set.pairs()) {
            let address = Arc::as_ptr(pair).addr();
            if pairs.contains_key(&address) {
                continue;
            }
            let id = match self.pairs.get(&address) {
                Some(id) => Some(*id),
                None => self.insert(Role::Server, &pair.key),
            };
            if let Some(id) = id {
                pairs.insert(address, id);
            }
        }
        let used: HashSet<KeyId> = pairs.values().copied().collect();
        let before = std::mem::replace(&mut self.pairs, pairs);
        let left = before.into_values().filter(|id| !used.contains(id));
        self.retire(Role::Server, left.collect());
        std::mem::replace(&mut self.sets, next)
    }

    /// Adds keys of machine certificates; says whether signers made before lack one of them.
    pub(super) fn add_machines(&mut self, keys: &[Arc<dyn SigningKey>]) -> bool {
        let before = self.table.len();
        for key in keys {
            let id = self.insert(Role::ProxyClient, key);
            self.machines.extend(id);
        }
        self.table.len() > before
    }

    /// A new configuration names its machine certificates itself; those of before sign on for a while.
    pub(super) fn retire_machines(&mut self) {
        let machines = std::mem::take(&mut self.machines);
        self.retire(Role::ProxyClient, machines.into_iter().collect());
    }

    fn insert(&mut self, role: Role, key: &Arc<dyn SigningKey>) -> Option<KeyId> {
        let id = Arc::make_mut(&mut self.table)
            .insert(role, Arc::clone(key))?
            .id();
        self.retired.remove(&(role, id));
        Some(id)
    }

    fn retire(&mut self, role: Role, keys: Vec<KeyId>) {
        let until = Instant::now() + GRACE;
        self.retired
            .extend(keys.into_iter().map(|id| ((role, id), until)));
    }

    /// Forgets keys that have signed on for long enough; says whether there were any. Signers made before hold them.
    pub(super) fn drop_expired(&mut self, now: Instant) -> bool {
        let dead: Vec<(Role, KeyId)> = self
            .retired
            .iter()
            .filter(|(_, until)| **until <= now)
            .map(|(key, _)| *key)
            .collect();
        for (role, id) in &dead {
            self.retired.remove(&(*role, *id));
            Arc::make_mut(&mut self.table).remove(*role, *id);
        }
        !dead.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::pair;
    use crate::creds::Pair;

    fn set(pair: &Arc<Pair>) -> Vec<Option<Arc<CertSet>>> {
        vec![Some(Arc::new(CertSet::new(vec![Arc::clone(pair)])))]
    }

    fn key(pair: &Arc<Pair>) -> Arc<dyn SigningKey> {
        Arc::clone(&pair.key)
    }

    #[test]
    fn keys_of_before_sign_on_for_a_while() {
        let (first, second) = (pair("a.example"), pair("a.example"));
        let mut keys = SigningKeys::default();
        keys.replace(set(&first));
        keys.replace(set(&second));
        assert!(keys.table().holds(Role::Server, key(&first).as_ref()));
        assert!(keys.table().holds(Role::Server, key(&second).as_ref()));
        assert!(!keys.drop_expired(Instant::now()), "not yet");
        assert!(keys.drop_expired(Instant::now() + GRACE));
        assert!(!keys.drop_expired(Instant::now() + GRACE), "once");
        assert!(!keys.table().holds(Role::Server, key(&first).as_ref()));
        assert!(keys.table().holds(Role::Server, key(&second).as_ref()));
        keys.replace(set(&second));
        keys.drop_expired(Instant::now() + GRACE);
        assert!(
            keys.table().holds(Role::Server, key(&second).as_ref()),
            "in use"
        );
    }

    #[test]
    fn nothing_is_left_of_a_dropped_key() {
        let first = pair("a.example");
        let key = Arc::downgrade(&first.key);
        let mut keys = SigningKeys::default();
        keys.replace(set(&first));
        drop(first);
        drop(keys.replace(set(&pair("a.example"))));
        assert!(key.upgrade().is_some(), "it signs on");
        keys.drop_expired(Instant::now() + GRACE);
        assert!(key.upgrade().is_none(), "AWS-LC wipes what it frees");
    }

    #[test]
    fn machines_have_a_role_of_their_own() {
        let pair = pair("a.example");
        let mut keys = SigningKeys::default();
        keys.replace(set(&pair));
        assert!(!keys.table().holds(Role::ProxyClient, key(&pair).as_ref()));
        assert!(keys.add_machines(&[key(&pair)]));
        assert!(!keys.add_machines(&[key(&pair)]), "known");
        keys.retire_machines();
        assert!(
            !keys.add_machines(&[key(&pair)]),
            "a signer of before has it"
        );
        keys.drop_expired(Instant::now() + GRACE);
        assert!(
            keys.table().holds(Role::ProxyClient, key(&pair).as_ref()),
            "in use"
        );
    }
}
