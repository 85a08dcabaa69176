//! Policies for connections to backends, for C++.

use mod_tls_core::backend::files::{self, Kind};
use mod_tls_core::backend::{self, Judge, Machines, Mode, Spec};
use mod_tls_core::verify::{Anchors, Ends, Listed, Revocation, RevocationDepth};

use crate::agent;
use crate::ffi;
use crate::guard::guard_result;

/// A built policy; owned by the configuration pool, shared by threads and processes.
pub struct BackendPolicy(pub(crate) backend::BackendPolicy);

/// See the bridge.
pub fn build_backend_policy(
    spec: &ffi::BackendSpec,
    warnings: &mut Vec<String>,
) -> Result<Box<BackendPolicy>, String> {
    guard_result(|| {
        let policy = backend::BackendPolicy::build(Spec {
            tls12: spec.tls12,
            tls13: spec.tls13,
            suites: spec.suites.clone(),
            groups: spec.groups.clone(),
            judge: judge(spec, warnings)?,
            pairs: pairs(spec, warnings)?,
        })?;
        Ok(Box::new(BackendPolicy(policy)))
    })
}

fn judge(spec: &ffi::BackendSpec, warnings: &mut Vec<String>) -> Result<Judge, String> {
    let mut trusted = if spec.system_roots {
        backend::system_roots()
    } else {
        Vec::new()
    };
    for path in &spec.authorities {
        trusted.extend(
            files::read_blocks(path, Kind::Authorities, warnings)?
                .into_iter()
                .map(Into::into),
        );
    }
    if spec.system_roots && trusted.is_empty() {
        warnings.push(
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
        warnings.extend(
            refused
                .into_iter()
                .map(|(index, why)| format!("certificate {} of the CAs {why}", index + 1)),
        );
    }
    let mut lists = Vec::new();
    for path in &spec.revocation_lists {
        let found = files::read_blocks(path, Kind::Lists, warnings)?;
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
    let (revocation, refused) = Revocation::new(depth, spec.missing_list_ok, &lists);
    warnings.extend(
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

fn pairs(
    spec: &ffi::BackendSpec,
    warnings: &mut Vec<String>,
) -> Result<Vec<backend::Pair>, String> {
    let machines = Machines {
        files: spec.machine_files.clone(),
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
    agent::load_machines(&machines, warnings).unwrap_or_else(|| machines.load(warnings))
}
