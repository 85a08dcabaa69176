// SPDX-License-Identifier: Apache-2.0
//! Policies for connections to backends, for C++.

use mod_tls_core::agent::instance;
use mod_tls_core::backend::{self, Settings, Warnings};
use mod_tls_core::verify::kept;

use crate::guard::{Thrown, guard, guard_result};

/// A built policy; owned by the configuration pool, shared by threads and processes.
pub(crate) struct BackendPolicy(pub(crate) backend::BackendPolicy);

pub(crate) fn build_backend_policy(
    settings: &[u8],
    warnings: &mut Vec<String>,
    kept: &mut Vec<String>,
) -> Result<Box<BackendPolicy>, Thrown> {
    guard_result(|| {
        let (policy, mut found) = build(settings)?;
        warnings.append(&mut found.said);
        kept.append(&mut found.kept);
        Ok(Box::new(policy))
    })
}

fn build(settings: &[u8]) -> Result<(BackendPolicy, Warnings), Thrown> {
    let mut found = Warnings::default();
    let settings = Settings::read(settings)?;
    let policy = backend::load(settings, &mut instance::load_machines, &mut found)?;
    Ok((BackendPolicy(policy), found))
}

pub(crate) fn begin_configuration() {
    guard(
        || (),
        || {
            kept::begin();
            instance::begin_configuration();
        },
    );
}
