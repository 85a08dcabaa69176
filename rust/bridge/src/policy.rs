// SPDX-License-Identifier: Apache-2.0
//! `Policy` for C++.

use std::sync::Arc;

use mod_tls_core::tls::policy;
use mod_tls_core::tls::policy::{CurrentPolicy, Negotiated};

use crate::guard::{guard, guard_result};
use crate::resumption;
use crate::verifier::ClientVerifier;

/// A built policy; owned by the configuration pool, shared by threads and processes.
pub struct Policy(pub(crate) CurrentPolicy);

/// What all virtual hosts with this policy share. Fails with a sentence.
pub fn build_policy(settings: &[u8], clients: &ClientVerifier) -> Result<Box<Policy>, String> {
    guard_result(|| {
        let negotiated = Negotiated::read(settings).map_err(|e| e.to_string())?;
        let (sessions, by) = (resumption::sessions(&negotiated), clients.authorities());
        let policy = CurrentPolicy::build(settings, negotiated, sessions, Arc::clone(by))?;
        Ok(Box::new(Policy(policy)))
    })
}

/// SHA-256 of a canonical encoding.
pub fn policy_id(encoded: &[u8]) -> [u8; 32] {
    guard(|| [0; 32], || policy::digest(encoded))
}
