// SPDX-License-Identifier: Apache-2.0
//! Makes a policy of the files that its settings name: at a start, as root, before the fork.

use super::fault::{BackendFault, BackendFileFault};
use super::files::{Warnings, read_blocks};
use super::identity::MachinePair;
use super::machines::Machines;
use super::policy::{BackendPolicy, algorithms, system_roots};
use super::server_verifier::{BackendMode, BackendVerifier};
use super::settings::Settings;
use crate::system::clock::now;
use crate::verify::fetched::{FetchSettings, FetchedLists};
use crate::verify::foresight::{self, Problems};
use crate::verify::kept::Form;
use crate::verify::{Anchors, Ends, Listed, Revocation, RevocationDepth};

/// Loads certificates with their keys: here, or in the key agent.
pub(super) type LoadMachines<'a> =
    &'a mut dyn FnMut(&Machines, &mut Warnings) -> Result<Vec<MachinePair>, BackendFault>;

/// Reads the files and builds the policy; `machines` is asked where the settings name certificates of our own.
///
/// # Errors
/// A file that cannot be read or holds nothing, or nothing is left to negotiate.
pub fn load(
    settings: Settings,
    machines: LoadMachines<'_>,
    warnings: &mut Warnings,
) -> Result<BackendPolicy, BackendFault> {
    let Authorities {
        anchors,
        ders,
        named,
    } = authorities(&settings, warnings)?;
    let verifier = BackendVerifier {
        mode: settings.verify,
        depth: settings.depth,
        anchors,
        revocation: lists(&settings, ders, &named, warnings)?,
        check_name: settings.check_name,
        common_names: settings.common_names,
        check_dates: settings.check_dates,
        algorithms: algorithms(),
    };
    let named = Machines {
        files: settings.machine_files.clone(),
        directories: settings.directories.clone(),
        chain: settings.machine_chain.clone(),
        pairs: settings.machine_pairs.clone(),
    };
    let pairs = match named.is_empty() {
        true => Vec::new(),
        false => machines(&named, warnings)?,
    };
    BackendPolicy::build(settings, verifier, pairs)
}

/// Whom to trust.
struct Authorities {
    anchors: Anchors,
    /// The certificates (DER) of all.
    ders: Vec<Vec<u8>>,
    /// Those that the settings name.
    named: Vec<Listed>,
}

fn authorities(
    settings: &Settings,
    warnings: &mut Warnings,
) -> Result<Authorities, BackendFileFault> {
    let mut trusted = match settings.system_roots {
        true => system_roots(),
        false => Vec::new(),
    };
    let mut named = Vec::new();
    for path in &settings.authorities {
        let may_be_empty = settings.directories.contains(path);
        let blocks = read_blocks(path, Form::Authorities, may_be_empty, warnings)?;
        named.extend(blocks.into_iter().map(|der| of_file(path, der)));
    }
    let ders = named.iter().map(|listed: &Listed| listed.der.clone());
    trusted.extend(ders.map(Into::into));
    if settings.verify != BackendMode::None {
        let mut problems = Problems::default();
        foresight::tell_authorities(&mut problems, &named, now());
        warnings.said.extend(problems.into_texts());
    }
    if settings.system_roots && trusted.is_empty() {
        warnings.said.push(
            "no authorities are found on this system, so that no backend can be verified: install ca-certificates, or \
             name a file or directory by TLSProxyCA"
                .to_owned(),
        );
    }
    let ends = match settings.roots_only {
        true => Ends::AtRoots,
        false => Ends::Anywhere,
    };
    let (anchors, refused) = Anchors::new(&trusted, ends);
    if !settings.system_roots {
        let told = |(index, why)| format!("certificate {} of the CAs {why}", index + 1);
        warnings.said.extend(refused.into_iter().map(told));
    }
    Ok(Authorities {
        anchors,
        ders: match settings.fetch_lists {
            true => trusted.iter().map(|der| der.to_vec()).collect(),
            false => Vec::new(),
        },
        named,
    })
}

fn of_file(path: &str, der: Vec<u8>) -> Listed {
    Listed {
        source: path.to_owned(),
        place: path.to_owned(),
        der,
    }
}

fn lists(
    settings: &Settings,
    authorities: Vec<Vec<u8>>,
    named: &[Listed],
    warnings: &mut Warnings,
) -> Result<Revocation, BackendFileFault> {
    let mut lists = Vec::new();
    for path in &settings.revocation_lists {
        let may_be_empty = settings.directories.contains(path);
        let found = read_blocks(path, Form::Lists, may_be_empty, warnings)?;
        lists.extend(found.into_iter().map(|der| of_file(path, der)));
    }
    // Whose certificates a lost list was about nobody knows: those without a list do not pass then.
    let missing_ok = settings.revocation.missing_ok && !warnings.list_lost;
    let (revocation, refused) = Revocation::new(settings.revocation.depth, missing_ok, &lists);
    let told = |(index, why)| format!("revocation list {} {why}", index + 1);
    warnings.said.extend(refused.into_iter().map(told));
    let lookup = settings.revocation.depth;
    if lookup != RevocationDepth::None && settings.verify != BackendMode::None {
        let mut problems = Problems::default();
        let missing =
            (!missing_ok && !lists.is_empty() && !settings.system_roots && !settings.fetch_lists)
                .then_some(lookup);
        let used = revocation.lists();
        foresight::tell_lists(&mut problems, named, &lists, &used, missing, now());
        warnings.said.extend(problems.into_texts());
    }
    if !settings.fetch_lists {
        return Ok(revocation);
    }
    let proxy = Some(&settings.list_proxy).filter(|proxy| !proxy.is_empty());
    let fetch = FetchSettings {
        allow: settings.lists_allow,
        urls: settings.list_addresses.clone(),
        proxy: proxy.cloned(),
    };
    let wanted = FetchedLists::new(&fetch, authorities);
    if wanted.is_empty() {
        warnings.said.push(
            "none of the authorities' certificates names a distribution point whose address begins with http://, so that \
             no list is fetched: write the lists' addresses behind \"TLSProxyCRL auto\""
                .to_owned(),
        );
    }
    Ok(revocation.with_fetched(wanted))
}
