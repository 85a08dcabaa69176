//! `Policy` for C++.

use mod_tls_core::policy;

use crate::ffi::PolicySpec;
use crate::guard::{guard, guard_result};
use crate::resumption;
use crate::verifier::ClientVerifier;

/// A built policy; owned by the configuration pool, shared by threads and processes.
pub struct Policy(pub(crate) policy::Policy);

/// See the bridge.
pub fn build_policy(spec: &PolicySpec, clients: &ClientVerifier) -> Result<Box<Policy>, String> {
    guard_result(|| {
        let spec = policy::Spec {
            id: spec.id,
            tls12: spec.tls12,
            tls13: spec.tls13,
            suites: spec.suites.clone(),
            groups: spec.groups.clone(),
            server_order: spec.server_order,
            sessions: resumption::sessions(spec),
            client_verifier: clients.verifier.clone(),
        };
        policy::Policy::build(&spec).map(|policy| Box::new(Policy(policy)))
    })
}

/// See the bridge.
pub fn policy_id(encoded: &[u8]) -> [u8; 32] {
    guard(|| [0; 32], || policy::digest(encoded))
}
