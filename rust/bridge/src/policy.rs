// SPDX-License-Identifier: Apache-2.0
//! `Policy` for C++.

use std::sync::Arc;

use mod_tls_core::tls::policy;
use mod_tls_core::tls::policy::{CurrentPolicy, Negotiated};

use crate::guard::{Thrown, guard, guard_result};
use crate::resumption;
use crate::verifier::ClientVerifier;

/// A built policy; owned by the configuration pool, shared by threads and processes.
pub(crate) struct Policy(pub(crate) CurrentPolicy);

/// What all virtual hosts with this policy share.
///
/// # Errors
/// The settings are none of this version's, or no handshake is possible under them.
pub(crate) fn build_policy(
    settings: &[u8],
    clients: &ClientVerifier,
) -> Result<Box<Policy>, Thrown> {
    guard_result(|| {
        let negotiated = Negotiated::read(settings)?;
        let (sessions, by) = (resumption::sessions(&negotiated), clients.authorities());
        let policy = CurrentPolicy::build(settings, negotiated, sessions, Arc::clone(by))?;
        Ok(Box::new(Policy(policy)))
    })
}

/// SHA-256 of a canonical encoding.
pub(crate) fn policy_id(encoded: &[u8]) -> [u8; 32] {
    guard(|| [0; 32], || policy::digest(encoded))
}
