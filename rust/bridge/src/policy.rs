//! `Policy` for C++.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use mod_tls_core::policy;
use mod_tls_core::signatures::schemes;

use crate::ffi::PolicySpec;
use crate::guard::{guard, guard_result};
use crate::resumption;
use crate::verifier::{Authorities, ClientVerifier};

/// A built policy; owned by the configuration pool, shared by threads and processes. Where the CAs that judge clients
/// are taken up without a restart, another policy, with another id, takes its place in each process.
pub struct Policy {
    current: RwLock<Arc<policy::Policy>>,
    source: Source,
    /// Which state of the CAs `current` was built of.
    built: AtomicU64,
    building: Mutex<()>,
}

/// What a policy is built of.
struct Source {
    spec: policy::Spec,
    /// The canonical bytes of everything but the CAs.
    settings: Vec<u8>,
    clients: Arc<Authorities>,
}

impl Source {
    fn build(&self) -> Result<policy::Policy, String> {
        let verifier = self.clients.current();
        let digest = verifier.as_ref().map_or([0; 32], |verifier| verifier.id());
        policy::Policy::build(&policy::Spec {
            id: policy::digest(&[&self.settings[..], &digest].concat()),
            client_verifier: verifier,
            ..self.spec.clone()
        })
    }
}

impl Policy {
    /// What a handshake that begins now is made under.
    pub(crate) fn current(&self) -> Arc<policy::Policy> {
        if self.built.load(Ordering::Acquire) != self.source.clients.state() {
            self.build_again();
        }
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    fn build_again(&self) {
        let _one = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let present = self.source.clients.state();
        if self.built.load(Ordering::Acquire) == present {
            return;
        }
        // Cannot fail: the same settings could be built before, and only the CAs are others.
        if let Ok(next) = self.source.build() {
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        }
        self.built.store(present, Ordering::Release);
    }
}

/// See the bridge.
pub fn build_policy(spec: &PolicySpec, clients: &ClientVerifier) -> Result<Box<Policy>, String> {
    guard_result(|| {
        let source = Source {
            settings: spec.settings.clone(),
            clients: Arc::clone(&clients.authorities),
            spec: policy::Spec {
                id: [0; 32],
                tls12: spec.tls12,
                tls13: spec.tls13,
                suites: spec.suites.clone(),
                groups: spec.groups.clone(),
                signatures: schemes(&spec.signatures),
                server_order: spec.server_order,
                compress: spec.compress,
                sessions: resumption::sessions(spec),
                client_verifier: None,
            },
        };
        let built = AtomicU64::new(source.clients.state());
        let current = RwLock::new(Arc::new(source.build()?));
        Ok(Box::new(Policy {
            current,
            source,
            built,
            building: Mutex::new(()),
        }))
    })
}

/// See the bridge.
pub fn policy_id(encoded: &[u8]) -> [u8; 32] {
    guard(|| [0; 32], || policy::digest(encoded))
}
