// SPDX-License-Identifier: Apache-2.0
//! Certificates that this server shows to backends which ask for one.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use super::fault::BackendFileFault;
use crate::creds::certificate::CertificateFields;
use crate::creds::contents::{self, Taken, What, what};
use crate::creds::key::{PrivateKey, damage_fault, is_encrypted, is_key, pem_fault, read_key};
use crate::creds::pem;
use crate::creds::public_key::PublicKey;
use crate::tls::context;

/// A certificate with the key that fits it and the links above it.
#[derive(Clone, Debug)]
pub struct MachinePair {
    /// Certificate, links above it, and what signs.
    pub certified: Arc<CertifiedKey>,
    /// DER names of the CAs above the certificate, the nearest first.
    pub issuers: Vec<Vec<u8>>,
}

/// The pairs of one client policy.
#[derive(Debug, Default)]
pub struct Identities(Vec<MachinePair>);

impl Identities {
    /// Takes pairs in the order in which they are tried.
    pub fn new(pairs: Vec<MachinePair>) -> Self {
        Self(pairs)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `pair` is among them.
    pub fn holds(&self, pair: &CertifiedKey) -> bool {
        self.0.iter().any(|own| own.certified.cert == pair.cert)
    }

    fn choose(&self, authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<&MachinePair> {
        let fits = |pair: &&MachinePair| pair.certified.key.choose_scheme(schemes).is_some();
        let known = |pair: &&MachinePair| {
            pair.issuers
                .iter()
                .any(|name| authorities.contains(&name.as_slice()))
        };
        // RFC 5246 7.4.4: an empty list of authorities leaves the choice to the client.
        match authorities {
            [] => self.0.iter().find(fits),
            _ => self.0.iter().filter(known).find(fits),
        }
    }
}

impl ResolvesClientCert for Identities {
    fn resolve(
        &self,
        authorities: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let pair = self.choose(authorities, schemes)?;
        context::with(|context| context.presented = Some(pair.certified.clone()));
        Some(pair.certified.clone())
    }

    fn has_certs(&self) -> bool {
        !self.is_empty()
    }
}

/// CA certificates to send along and to find issuers in, read once for all pairs.
#[derive(Debug, Default)]
pub struct Issuers {
    listed: Vec<(CertificateDer<'static>, CertificateFields)>,
    /// The first of each name.
    by_subject: HashMap<Box<[u8]>, usize>,
}

impl Issuers {
    /// Takes certificates, those that are none left out.
    pub fn new(ders: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        let mut issuers = Self::default();
        for der in ders {
            let Ok(certificate) = CertificateFields::parse(&der) else {
                continue;
            };
            let (name, index) = (certificate.subject.clone(), issuers.listed.len());
            issuers.by_subject.entry(name).or_insert(index);
            issuers.listed.push((der, certificate));
        }
        issuers
    }

    fn named(&self, subject: &[u8]) -> Option<&(CertificateDer<'static>, CertificateFields)> {
        self.listed.get(*self.by_subject.get(subject)?)
    }
}

/// Links above a certificate that are sent: no path in use is longer.
const MAX_LINKS: usize = 10;

/// Reads the pairs of a file: certificates and keys in any order, each key with the certificate it fits.
///
/// # Errors
/// A block of it cannot be read, a key is encrypted, or a key or certificate is missing.
pub fn read_pairs(
    name: &str,
    file: &[u8],
    chain: &Issuers,
) -> Result<Vec<MachinePair>, BackendFileFault> {
    let mut keys = Vec::new();
    for block in pem::blocks(file) {
        let block = block.map_err(|e| pem_fault(name, e))?;
        if !is_key(block.label) {
            continue;
        }
        let der = match is_encrypted(&block) {
            true => None,
            false => Some(block.decode().map_err(|e| pem_fault(name, e))?),
        };
        match der.filter(|der| what(der) != What::EncryptedKey) {
            Some(der) => keys.push(read_key(name, &der)?),
            None => {
                let line = block.line;
                return Err(BackendFileFault::EncryptedKey(name.to_owned(), line));
            }
        }
    }
    let contents = contents::certificates(file);
    if let Some(damage) = contents.damaged.first() {
        return Err(damage_fault(name, *damage).into());
    }
    let element = |taken: &Taken| CertificateDer::from(taken.element().to_vec());
    let own = Issuers::new(contents.taken.iter().map(element));
    if keys.is_empty() {
        return Err(match own.listed.is_empty() {
            true => BackendFileFault::NoPair(name.to_owned()),
            false => BackendFileFault::NoKey(name.to_owned()),
        });
    }
    let by_key: HashMap<&PublicKey, usize> = own
        .listed
        .iter()
        .enumerate()
        .rev()
        .map(|(index, (_, certificate))| (&certificate.public, index))
        .collect();
    let pair = |key: PrivateKey| {
        let leaf = by_key
            .get(&key.public)
            .and_then(|index| own.listed.get(*index));
        let missing = || BackendFileFault::NoCertificate(name.to_owned(), key.kind);
        let (leaf, certificate) = leaf.ok_or_else(missing)?;
        Ok(join(key, leaf, certificate, [chain, &own]))
    };
    keys.into_iter().map(pair).collect()
}

/// Follows the issuers' names upwards, each certificate once, those of `among` that come first preferred.
fn join(
    key: PrivateKey,
    leaf: &CertificateDer<'static>,
    certificate: &CertificateFields,
    among: [&Issuers; 2],
) -> MachinePair {
    let mut sent = vec![leaf.clone()];
    let mut issuers = vec![certificate.issuer.to_vec()];
    let mut current = certificate;
    while !current.is_self_issued() && sent.len() <= MAX_LINKS {
        let mut places = among.iter();
        let Some((der, issuer)) = places.find_map(|list| list.named(&current.issuer)) else {
            break;
        };
        // CAs that issued each other, of which the certificate itself may be one.
        if sent.contains(der) {
            break;
        }
        issuers.push(issuer.issuer.to_vec());
        if !issuer.is_self_issued() {
            sent.push(der.clone());
        }
        current = issuer;
    }
    MachinePair {
        certified: Arc::new(CertifiedKey::new(sent, key.signing)),
        issuers,
    }
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
