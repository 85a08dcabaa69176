// SPDX-License-Identifier: Apache-2.0
//! The policy that a virtual host serves by now.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::{Negotiated, NoHandshake, Policy, Sessions, Spec, digest};
use crate::verify::Authorities;

/// A built policy. Where the CAs that judge clients are taken up without a restart, another policy, with another id,
/// takes its place in each process.
pub struct CurrentPolicy {
    current: RwLock<Arc<Policy>>,
    source: Source,
    /// Which state of the CAs `current` was built of.
    built: AtomicU64,
    building: Mutex<()>,
}

/// What a policy is built of.
struct Source {
    negotiated: Negotiated,
    sessions: Sessions,
    /// The canonical bytes of everything but the CAs.
    settings: Vec<u8>,
    clients: Arc<Authorities>,
}

impl Source {
    fn build(&self) -> Result<Policy, NoHandshake> {
        let verifier = self.clients.current();
        let contents = verifier.as_ref().map_or([0; 32], |verifier| verifier.id());
        Policy::build(&Spec {
            id: digest(&[&self.settings[..], &contents].concat()),
            negotiated: self.negotiated.clone(),
            client_verifier: verifier,
            sessions: self.sessions.clone(),
        })
    }
}

impl CurrentPolicy {
    /// Builds the policy with these `settings`, of which `negotiated` is the beginning. In the parent, before the fork.
    ///
    /// # Errors
    /// Nothing of what was asked for exists.
    pub fn build(
        settings: &[u8],
        negotiated: Negotiated,
        sessions: Sessions,
        clients: Arc<Authorities>,
    ) -> Result<Self, NoHandshake> {
        let source = Source {
            negotiated,
            sessions,
            settings: settings.to_vec(),
            clients,
        };
        let built = AtomicU64::new(source.clients.state());
        Ok(Self {
            current: RwLock::new(Arc::new(source.build()?)),
            source,
            built,
            building: Mutex::new(()),
        })
    }

    /// What a handshake that begins now is made under. Any thread; builds a new policy where the CAs are others.
    pub fn get(&self) -> Arc<Policy> {
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
