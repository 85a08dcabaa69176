//! The files that a client policy names, read once, as root, before the fork.

use std::collections::HashSet;
use std::path::Path;

use zeroize::Zeroizing;

use super::identity::{Issuers, Pair, read_pairs};
use crate::creds::contents::{self, LOST};
use crate::creds::read;
use crate::file::{self, Limit};

/// What reading found that is not quite right, in sentences that name the file.
pub type Warnings = Vec<String>;

/// What is looked for in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// CAs that backends are judged by.
    Authorities,
    /// CAs to send along.
    Chain,
    /// Revocation lists.
    Lists,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Authorities | Kind::Chain => "certificate",
            Kind::Lists => "revocation list",
        }
    }
}

/// serverAuth: 1.3.6.1.5.5.7.3.1
const BACKENDS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];

/// All that is of a kind in a file, or in every file of a directory (c_rehash directories hold links to the same files,
/// so that each element counts once). Files of a directory that cannot be read are a warning.
///
/// # Errors
/// A sentence, for a file that cannot be read or holds nothing of the kind.
pub fn read_blocks(
    path: &str,
    kind: Kind,
    warnings: &mut Warnings,
) -> Result<Vec<Vec<u8>>, String> {
    if !file::is_directory(Path::new(path)) {
        return blocks_of(path, kind, warnings);
    }
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    for name in files_of(path)? {
        match blocks_of(&name, kind, warnings) {
            Ok(blocks) => all.extend(blocks.into_iter().filter(|b| seen.insert(b.clone()))),
            Err(why) => warnings.push(format!("{why}; it is left out")),
        }
    }
    Ok(all)
}

fn blocks_of(path: &str, kind: Kind, warnings: &mut Warnings) -> Result<Vec<Vec<u8>>, String> {
    let limit = match kind {
        Kind::Authorities | Kind::Chain => Limit::AUTHORITIES,
        Kind::Lists => Limit::LISTS,
    };
    let bytes = read(path, limit).map_err(|fault| fault.text())?;
    let read = || match kind {
        Kind::Authorities => contents::authorities(&bytes),
        Kind::Chain => contents::certificates(&bytes),
        Kind::Lists => contents::lists(&bytes),
    };
    let found = file::contained(read).ok_or_else(|| format!("{path}: {}", file::PANICKED))?;
    for damage in &found.damaged {
        // A list that is damaged is left out: certificates of its CA are refused where lists are asked.
        match kind {
            Kind::Lists => warnings.push(format!("{path}: {damage}; this list is left out")),
            _ => return Err(format!("{path}: {damage}")),
        }
    }
    warnings.extend(
        found
            .lost
            .iter()
            .map(|line| format!("{path}: line {line} {LOST}")),
    );
    if found.taken.is_empty() && found.damaged.is_empty() {
        return Err(format!(
            "{path} holds no {}{}",
            kind.name(),
            found.instead()
        ));
    }
    let mut taken = Vec::new();
    for item in &found.taken {
        if kind == Kind::Authorities && !item.may_vouch_for(BACKENDS) {
            warnings.push(format!(
                "{path}: the certificate that begins in line {} is not to be trusted for servers, as it says itself \
                 (openssl x509 -text shows it); it is left out",
                item.line
            ));
        } else {
            taken.push(item.element().to_vec());
        }
    }
    Ok(taken)
}

fn files_of(directory: &str) -> Result<Vec<String>, String> {
    let names = file::list(Path::new(directory));
    let names = names.map_err(|why| format!("{directory} cannot be read: {why}"))?;
    Ok(names
        .iter()
        .filter_map(|p| p.to_str().map(str::to_owned))
        .collect())
}

/// The pairs of a file, or of every file of a directory.
///
/// # Errors
/// A sentence that names the file and what to do.
pub fn read_machine(path: &str, chain: &Issuers) -> Result<Vec<Pair>, String> {
    let names = if file::is_directory(Path::new(path)) {
        files_of(path)?
    } else {
        vec![path.to_owned()]
    };
    let mut pairs = Vec::new();
    for name in names {
        let bytes = read(&name, Limit::CREDENTIAL).map_err(|fault| fault.text())?;
        pairs.extend(contained(&name, &bytes, chain)?);
    }
    Ok(pairs)
}

/// The pair of a certificate file and a key file.
///
/// # Errors
/// A sentence that names the files and what to do.
pub fn read_pair(certificate: &str, key: &str) -> Result<Vec<Pair>, String> {
    let certificate_bytes = read(certificate, Limit::CREDENTIAL).map_err(|fault| fault.text())?;
    if key.is_empty() || key == certificate {
        return contained(certificate, &certificate_bytes, &Issuers::default());
    }
    let key_bytes = read(key, Limit::CREDENTIAL).map_err(|fault| fault.text())?;
    let mut both = Zeroizing::new(Vec::with_capacity(
        certificate_bytes.len() + key_bytes.len() + 1,
    ));
    both.extend_from_slice(&certificate_bytes);
    both.push(b'\n');
    both.extend_from_slice(&key_bytes);
    contained(key, &both, &Issuers::default())
}

/// The pairs of a file; a panic while it is read is its own fault.
fn contained(name: &str, bytes: &[u8], chain: &Issuers) -> Result<Vec<Pair>, String> {
    let pairs = file::contained(|| read_pairs(name, bytes, chain));
    pairs.unwrap_or_else(|| Err(format!("{name}: {}", file::PANICKED)))
}
