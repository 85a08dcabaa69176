//! Certificates that this server shows to backends which ask for one.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use super::files::first_element;
use crate::context;
use crate::creds::certificate::Certificate;
use crate::creds::key::{Form, PrivateKey, is_encrypted, pem_fault, read_key};
use crate::creds::pem;

/// A certificate with the key that fits it and the links above it.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Certificate, links above it, and what signs.
    pub certified: Arc<CertifiedKey>,
    /// DER names of the CAs above the certificate, the nearest first.
    pub issuers: Vec<Vec<u8>>,
}

/// The pairs of one client policy.
#[derive(Debug, Default)]
pub struct Identities(Vec<Pair>);

impl Identities {
    /// Takes pairs in the order in which they are tried.
    pub fn new(pairs: Vec<Pair>) -> Self {
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

    fn choose(&self, authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<&Pair> {
        let fits = |pair: &&Pair| pair.certified.key.choose_scheme(schemes).is_some();
        let known = |pair: &&Pair| {
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

/// Reads the pairs of a PEM file: certificates and keys in any order, each key with the certificate it fits.
/// `chain` holds CA certificates to send along and to find issuers in.
///
/// # Errors
/// A sentence that names the file and what to do.
pub fn read_pairs(
    name: &str,
    file: &[u8],
    chain: &[CertificateDer<'static>],
) -> Result<Vec<Pair>, String> {
    let mut leaves = Vec::new();
    let mut keys = Vec::new();
    for block in pem::blocks(file) {
        let block = block.map_err(|e| pem_fault(name, e).text())?;
        if is_encrypted(&block) || block.label == "ENCRYPTED PRIVATE KEY" {
            return Err(format!(
                "{name}: the private key in line {} is encrypted, and nobody can be asked for the pass phrase of a \
                 proxy's key; decrypt it with: openssl pkey -in {name} -out NEW",
                block.line
            ));
        }
        let form = match block.label {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                let der = block.decode().map_err(|e| pem_fault(name, e).text())?;
                leaves.push(CertificateDer::from(first_element(&der).to_vec()));
                continue;
            }
            "PRIVATE KEY" => Form::Pkcs8,
            "RSA PRIVATE KEY" => Form::Pkcs1,
            "EC PRIVATE KEY" => Form::Sec1,
            _ => continue,
        };
        let der = block.decode().map_err(|e| pem_fault(name, e).text())?;
        keys.push(read_key(name, &der, form).map_err(|fault| fault.text())?);
    }
    let pairs: Vec<Pair> = keys
        .into_iter()
        .map(|key| join(name, key, &leaves, chain))
        .collect::<Result<_, _>>()?;
    if pairs.is_empty() {
        return Err(format!(
            "{name}: it holds no certificate with its private key; put both into this file, in PEM"
        ));
    }
    Ok(pairs)
}

fn join(
    name: &str,
    key: PrivateKey,
    leaves: &[CertificateDer<'static>],
    chain: &[CertificateDer<'static>],
) -> Result<Pair, String> {
    let fits = |der: &&CertificateDer<'static>| {
        Certificate::parse(der).is_ok_and(|c| c.public == key.public)
    };
    let leaf = leaves.iter().find(fits).ok_or_else(|| {
        format!(
            "{name}: no certificate in this file belongs to its {} key",
            key.kind
        )
    })?;
    let mut sent = vec![leaf.clone()];
    let mut issuers = Vec::new();
    let mut current = Certificate::parse(leaf).ok();
    while let Some(certificate) = current.take() {
        let done = certificate.is_self_issued() || sent.len() > chain.len() + leaves.len();
        issuers.push(certificate.issuer.into_vec());
        if done {
            break;
        }
        let above = |der: &&CertificateDer<'static>| {
            Certificate::parse(der)
                .is_ok_and(|c| issuers.last().is_some_and(|issuer| **issuer == *c.subject))
        };
        if let Some(issuer) = chain.iter().chain(leaves).find(above) {
            current = Certificate::parse(issuer).ok();
            if current.as_ref().is_some_and(|c| !c.is_self_issued()) {
                sent.push(issuer.clone());
            }
        }
    }
    Ok(Pair {
        certified: Arc::new(CertifiedKey::new(sent, key.signing)),
        issuers,
    })
}
