// SPDX-License-Identifier: Apache-2.0
//! The files that a client policy names, read once, as root, before the fork.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::fault::BackendFileFault;
use super::identity::{Issuers, MachinePair, read_pairs};
use crate::creds::contents::{Found, LOST};
use crate::creds::{Fault, fault_of, read};
use crate::system::file::{self, Limit};
use crate::verify::kept::{self, Form, REST, Stead, Unread};
use crate::x509::uses::SERVER_AUTH;

/// What reading found that is not quite right, in sentences that name the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    /// To be looked at.
    pub said: Vec<String>,
    /// Files that are damaged, in the place of which what they held before is used.
    pub kept: Vec<String>,
    /// A revocation list is missing.
    pub list_lost: bool,
}

/// All that is of a form in a file, or in every file of a directory (c_rehash directories hold links to the same files,
/// so that each element counts once). Files of a directory that cannot be read are a warning. What was better before is
/// taken as it was then. A directory may be empty where the configuration names one.
///
/// # Errors
/// A file that cannot be read or holds nothing of the form.
pub(super) fn read_blocks(
    path: &str,
    form: Form,
    may_be_empty: bool,
    warnings: &mut Warnings,
) -> Result<Vec<Vec<u8>>, BackendFileFault> {
    let place = Path::new(path);
    if !file::is_directory(place) {
        return blocks_of(place, form, warnings).or_else(|why| {
            // A directory that is gone.
            let known = kept::list(place, form).files;
            known_of(&known, form, why, warnings)
        });
    }
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    for name in kept::list(place, form).files {
        match blocks_of(&name, form, warnings) {
            Ok(blocks) => all.extend(blocks.into_iter().filter(|b| seen.insert(b.clone()))),
            Err(why) => warnings.said.push(format!("{why}; it is left out")),
        }
    }
    if all.is_empty() {
        let why = BackendFileFault::NothingWithin(path.to_owned(), form);
        if may_be_empty {
            warnings.said.push(why.to_string());
            return Ok(all);
        }
        // A directory in the place of a file.
        return known_of(&[place.to_owned()], form, why, warnings);
    }
    Ok(all)
}

/// What is done about a file that was better before.
const KEPT: &str = "what was read from it before is still used";

/// What files held before, where they held anything.
fn known_of(
    files: &[PathBuf],
    form: Form,
    why: BackendFileFault,
    warnings: &mut Warnings,
) -> Result<Vec<Vec<u8>>, BackendFileFault> {
    let mut all = Vec::new();
    for path in files {
        if let Some(found) = kept::last(path, form) {
            all.extend(elements(path, form, &found, &mut Warnings::default()));
        }
    }
    if all.is_empty() {
        return Err(why);
    }
    warnings.kept.push(format!("{why}; {KEPT}"));
    Ok(all)
}

fn blocks_of(
    path: &Path,
    form: Form,
    warnings: &mut Warnings,
) -> Result<Vec<Vec<u8>>, BackendFileFault> {
    let reading = kept::read(path, form);
    let unread = || {
        format!(
            "{}: holds a {} that cannot be read",
            path.display(),
            form.name()
        )
    };
    let mut now = Warnings::default();
    let before = match (reading.stead, &reading.now) {
        (Stead::Before(before), _) => before,
        (Stead::Rest, Ok(found)) => {
            let damage = found.damaged.first();
            let why = damage.map(|damage| format!("{}: {damage}", path.display()));
            let why = why.unwrap_or_else(unread);
            warnings.kept.push(format!("{why}; {REST}"));
            return Ok(elements(path, form, found, warnings));
        }
        _ => {
            let taken = blocks(path, form, reading.now, &mut now);
            warnings.said.append(&mut now.said);
            warnings.list_lost |= now.list_lost;
            return taken;
        }
    };
    let taken = blocks(path, form, reading.now, &mut now);
    let why = match &taken {
        Err(why) => Some(why.to_string()),
        Ok(_) => now.said.first().cloned(),
    };
    let why = why.unwrap_or_else(unread);
    warnings.kept.push(format!("{why}; {KEPT}"));
    let mut all = elements(path, form, &before, &mut now);
    if form == Form::Lists {
        // A list is never worse beside another: of each CA and scope the latest counts.
        all.extend(taken.unwrap_or_default());
    }
    Ok(all)
}

fn blocks(
    path: &Path,
    form: Form,
    now: Result<Found, Unread>,
    warnings: &mut Warnings,
) -> Result<Vec<Vec<u8>>, BackendFileFault> {
    let name = path.display().to_string();
    let found = now.map_err(|why| {
        warnings.list_lost |= form == Form::Lists;
        match why {
            Unread::Refused(refusal) => fault_of(&name, refusal),
            Unread::Panicked => Fault::Panicked { file: name.clone() },
        }
    })?;
    for damage in &found.damaged {
        // A list that is damaged is left out: certificates of its CA are refused where lists are asked.
        if form != Form::Lists {
            return Err(BackendFileFault::Damaged(name, *damage));
        }
        warnings.list_lost = true;
        let text = format!("{name}: {damage}; this list is left out");
        warnings.said.push(text);
    }
    let lost = found.lost.iter();
    let lost = lost.map(|line| format!("{name}: line {line} {LOST}"));
    warnings.said.extend(lost);
    warnings.list_lost |= form == Form::Lists && !found.lost.is_empty();
    if found.taken.is_empty() && found.damaged.is_empty() {
        let instead = found.instead();
        return Err(BackendFileFault::Nothing(name, form, instead));
    }
    Ok(elements(path, form, &found, warnings))
}

fn elements(path: &Path, form: Form, found: &Found, warnings: &mut Warnings) -> Vec<Vec<u8>> {
    let mut taken = Vec::new();
    for item in &found.taken {
        if form == Form::Authorities && !item.may_vouch_for(SERVER_AUTH) {
            warnings.said.push(format!(
                "{}: the certificate that begins in line {} is not to be trusted for servers, as it says itself \
                 (openssl x509 -text shows it); it is left out",
                path.display(),
                item.line
            ));
        } else {
            taken.push(item.element().to_vec());
        }
    }
    taken
}

/// The files of a directory.
///
/// # Errors
/// It cannot be listed.
pub(super) fn files_of(directory: &str) -> Result<Vec<String>, BackendFileFault> {
    let names = file::list(Path::new(directory));
    let names = names.map_err(|why| BackendFileFault::Unlisted(directory.to_owned(), why))?;
    Ok(names
        .iter()
        .filter_map(|p| p.to_str().map(str::to_owned))
        .collect())
}

/// The pairs of a file.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read_machine(
    name: &str,
    chain: &Issuers,
) -> Result<Vec<MachinePair>, BackendFileFault> {
    let bytes = read(name, Limit::CREDENTIAL)?;
    contained(name, &bytes, chain)
}

/// The pair of a certificate file and a key file.
///
/// # Errors
/// What is wrong with them.
pub(super) fn read_pair(
    certificate: &str,
    key: &str,
) -> Result<Vec<MachinePair>, BackendFileFault> {
    let certificate_bytes = read(certificate, Limit::CREDENTIAL)?;
    if key.is_empty() || key == certificate {
        return contained(certificate, &certificate_bytes, &Issuers::default());
    }
    let key_bytes = read(key, Limit::CREDENTIAL)?;
    let mut both = Zeroizing::new(Vec::with_capacity(
        certificate_bytes.len() + key_bytes.len() + 1,
    ));
    both.extend_from_slice(&certificate_bytes);
    both.push(b'\n');
    both.extend_from_slice(&key_bytes);
    contained(key, &both, &Issuers::default())
}

/// The pairs of a file; a panic while it is read is its own fault.
fn contained(
    name: &str,
    bytes: &[u8],
    chain: &Issuers,
) -> Result<Vec<MachinePair>, BackendFileFault> {
    let file = name.to_owned();
    let pairs = file::contained(|| read_pairs(name, bytes, chain));
    pairs.unwrap_or_else(|| Err(Fault::Panicked { file }.into()))
}
