//! Policies for connections to backends, for C++.

use std::sync::{Mutex, PoisonError};

use mod_tls_core::backend::{self, Machinery, Machines, Pair, Settings, Warnings};
use mod_tls_core::kept;

use crate::agent;
use crate::guard::{guard, guard_result};

/// A built policy; owned by the configuration pool, shared by threads and processes.
pub(crate) struct BackendPolicy(pub(crate) backend::BackendPolicy);

pub(crate) fn build_backend_policy(
    settings: &[u8],
    warnings: &mut Vec<String>,
    kept: &mut Vec<String>,
) -> Result<Box<BackendPolicy>, String> {
    guard_result(|| {
        let mut found = Warnings::default();
        let settings = Settings::read(settings).map_err(|e| e.to_string())?;
        let policy = backend::load(settings, &mut load_machines, &mut found)?;
        warnings.append(&mut found.said);
        kept.append(&mut found.kept);
        Ok(Box::new(BackendPolicy(policy)))
    })
}

fn load_machines(machines: Machines, warnings: &mut Warnings) -> Result<Vec<Pair>, String> {
    agent::load_machines(&machines, warnings).unwrap_or_else(|| {
        let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
        own.load(machines, warnings)
    })
}

/// Machine certificates where keys are in httpd's own processes.
static OWN: Mutex<Machinery> = Mutex::new(Machinery::new());

/// Keys are the agent's from now on.
pub(crate) fn forget_own() {
    *OWN.lock().unwrap_or_else(PoisonError::into_inner) = Machinery::new();
}

pub(crate) fn begin_configuration() {
    guard(
        || (),
        || {
            kept::begin();
            OWN.lock().unwrap_or_else(PoisonError::into_inner).begin();
        },
    );
}
