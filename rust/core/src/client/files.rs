//! The files that a client policy names, read once, as root, before the fork.

use std::path::Path;

use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::identity::{Pair, read_pairs};
use crate::creds::pem;
use crate::creds::read;
use crate::file::{self, Limit};
use crate::x509::first_element_length;

/// What reading found that is not quite right, in sentences that name the file.
pub type Warnings = Vec<String>;

/// All blocks of `labels` in a file, or in every file of a directory (c_rehash directories hold links to the same
/// files, so that each block counts once). Files of a directory that cannot be read are a warning.
///
/// # Errors
/// A sentence, for a file that cannot be read or holds nothing of the kind.
pub fn read_blocks(
    path: &str,
    labels: &[&str],
    warnings: &mut Warnings,
) -> Result<Vec<Vec<u8>>, String> {
    if !file::is_directory(Path::new(path)) {
        return blocks_of(path, labels);
    }
    let mut all = Vec::new();
    for name in files_of(path)? {
        match blocks_of(&name, labels) {
            Ok(blocks) => all.extend(
                blocks
                    .into_iter()
                    .filter(|b| !all.contains(b))
                    .collect::<Vec<_>>(),
            ),
            Err(why) => warnings.push(format!("{why}; it is left out")),
        }
    }
    Ok(all)
}

fn blocks_of(path: &str, labels: &[&str]) -> Result<Vec<Vec<u8>>, String> {
    let bytes = read(path, Limit::LISTS).map_err(|fault| fault.text())?;
    let mut found = Vec::new();
    for block in pem::blocks(&bytes) {
        let block = block.map_err(|e| crate::creds::key::pem_fault(path, e).text())?;
        if labels.contains(&block.label) {
            let der = block
                .decode()
                .map_err(|e| crate::creds::key::pem_fault(path, e).text())?;
            found.push(first_element(&der).to_vec());
        }
    }
    if found.is_empty() {
        return Err(format!(
            "{path} holds no {} in PEM",
            labels.first().unwrap_or(&"block")
        ));
    }
    Ok(found)
}

/// OpenSSL puts its trust settings behind the certificate in a TRUSTED CERTIFICATE.
pub(super) fn first_element(der: &[u8]) -> &[u8] {
    first_element_length(der)
        .and_then(|length| der.get(..length))
        .unwrap_or(der)
}

fn files_of(directory: &str) -> Result<Vec<String>, String> {
    let names = file::list(Path::new(directory));
    let names = names.map_err(|why| format!("{directory} cannot be read: {why}"))?;
    Ok(names
        .iter()
        .filter_map(|p| p.to_str().map(str::to_owned))
        .collect())
}

/// Labels of certificates.
pub const CERTIFICATES: &[&str] = &["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];
/// Labels of revocation lists.
pub const LISTS: &[&str] = &["X509 CRL"];

/// The pairs of a file, or of every file of a directory.
///
/// # Errors
/// A sentence that names the file and what to do.
pub fn read_machine(path: &str, chain: &[CertificateDer<'static>]) -> Result<Vec<Pair>, String> {
    let names = if file::is_directory(Path::new(path)) {
        files_of(path)?
    } else {
        vec![path.to_owned()]
    };
    let mut pairs = Vec::new();
    for name in names {
        let bytes = read(&name, Limit::CREDENTIAL).map_err(|fault| fault.text())?;
        pairs.extend(read_pairs(&name, &bytes, chain)?);
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
        return read_pairs(certificate, &certificate_bytes, &[]);
    }
    let key_bytes = read(key, Limit::CREDENTIAL).map_err(|fault| fault.text())?;
    let mut both = Zeroizing::new(Vec::with_capacity(
        certificate_bytes.len() + key_bytes.len() + 1,
    ));
    both.extend_from_slice(&certificate_bytes);
    both.push(b'\n');
    both.extend_from_slice(&key_bytes);
    read_pairs(key, &both, &[])
}
