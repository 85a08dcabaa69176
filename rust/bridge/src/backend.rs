//! Policies for connections to backends, for C++.

use std::sync::{Mutex, PoisonError};

use mod_tls_core::backend::files;
use mod_tls_core::backend::{self, Judge, Machinery, Machines, Mode, Spec, Warnings};
use mod_tls_core::kept::{self, Form};
use mod_tls_core::verify::{Anchors, Ends, Listed, Revocation, RevocationDepth};

use crate::agent;
use crate::ffi;
use crate::guard::{guard, guard_result};

/// A built policy; owned by the configuration pool, shared by threads and processes.
pub struct BackendPolicy(pub(crate) backend::BackendPolicy);

/// See the bridge.
pub fn build_backend_policy(
    spec: &ffi::BackendSpec,
    warnings: &mut Vec<String>,
    kept: &mut Vec<String>,
) -> Result<Box<BackendPolicy>, String> {
    guard_result(|| {
        let mut found = Warnings::default();
        let policy = backend::BackendPolicy::build(Spec {
            tls12: spec.tls12,
            tls13: spec.tls13,
            suites: spec.suites.clone(),
            groups: spec.groups.clone(),
            judge: judge(spec, &mut found)?,
            pairs: pairs(spec, &mut found)?,
        })?;
        warnings.append(&mut found.said);
        kept.append(&mut found.kept);
        Ok(Box::new(BackendPolicy(policy)))
    })
}

fn judge(spec: &ffi::BackendSpec, warnings: &mut Warnings) -> Result<Judge, String> {
    let may_be_empty = |path: &String| spec.directories.contains(path);
    let mut trusted = if spec.system_roots {
        backend::system_roots()
    } else {
        Vec::new()
    };
    for path in &spec.authorities {
        trusted.extend(
            files::read_blocks(path, Form::Authorities, may_be_empty(path), warnings)?
                .into_iter()
                .map(Into::into),
        );
    }
    if spec.system_roots && trusted.is_empty() {
        warnings.said.push(
            "no authorities are found on this system, so that no backend can be verified: install ca-certificates, or \
             name a file or directory by TLSProxyCA"
                .to_owned(),
        );
    }
    let ends = if spec.roots_only {
        Ends::AtRoots
    } else {
        Ends::Anywhere
    };
    let (anchors, refused) = Anchors::new(&trusted, ends);
    if !spec.system_roots {
        warnings.said.extend(
            refused
                .into_iter()
                .map(|(index, why)| format!("certificate {} of the CAs {why}", index + 1)),
        );
    }
    let mut lists = Vec::new();
    for path in &spec.revocation_lists {
        let found = files::read_blocks(path, Form::Lists, may_be_empty(path), warnings)?;
        lists.extend(found.into_iter().map(|der| Listed {
            source: path.clone(),
            place: path.clone(),
            der,
        }));
    }
    let depth = match spec.revocation {
        ffi::Revocation::Leaf => RevocationDepth::Leaf,
        ffi::Revocation::Chain => RevocationDepth::Chain,
        _ => RevocationDepth::None,
    };
    // Whose certificates a lost list was about nobody knows: those without a list do not pass then.
    let missing_ok = spec.missing_list_ok && !warnings.list_lost;
    let (revocation, refused) = Revocation::new(depth, missing_ok, &lists);
    warnings.said.extend(
        refused
            .into_iter()
            .map(|(index, why)| format!("revocation list {} {why}", index + 1)),
    );
    Ok(Judge {
        mode: match spec.trust {
            ffi::Trust::Required => Mode::Required,
            ffi::Trust::OptionalNoCa => Mode::OptionalNoCa,
            _ => Mode::None,
        },
        depth: spec.depth,
        anchors,
        revocation,
        check_name: spec.check_name,
        common_names: spec.common_names,
        check_dates: spec.check_dates,
        algorithms: backend::algorithms(),
    })
}

fn pairs(spec: &ffi::BackendSpec, warnings: &mut Warnings) -> Result<Vec<backend::Pair>, String> {
    let machines = Machines {
        files: spec.machine_files.clone(),
        directories: spec.directories.clone(),
        chain: spec.machine_chain.clone(),
        pairs: spec
            .machine_pairs
            .chunks_exact(2)
            .filter_map(|pair| Some((pair.first()?.clone(), pair.get(1)?.clone())))
            .collect(),
    };
    if machines.is_empty() {
        return Ok(Vec::new());
    }
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

/// See the bridge.
pub fn begin_configuration() {
    guard(
        || (),
        || {
            kept::begin();
            OWN.lock().unwrap_or_else(PoisonError::into_inner).begin();
        },
    );
}
