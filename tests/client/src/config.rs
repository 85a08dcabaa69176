// SPDX-License-Identifier: Apache-2.0
//! The rustls configuration that the options ask for.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::Tls12Resumption;
use rustls::crypto::aws_lc_rs::{ALL_CIPHER_SUITES, ALL_KX_GROUPS, default_provider};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{
    CipherSuite, ClientConfig, NamedGroup, ProtocolVersion, RootCertStore, SupportedCipherSuite,
    SupportedProtocolVersion,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::accept_any::AcceptAny;
use crate::compression;
use crate::damage::Damaged;
use crate::ech;
use crate::options::{Options, Resume};
use crate::store::Store;

/// Builds the configuration; the error is the text to print.
pub(crate) fn build(options: &Options) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(provider(options)?);
    let builder = ClientConfig::builder_with_provider(provider.clone());
    let builder = match &options.ech {
        Some(list) => builder.with_ech(ech::mode(list)?),
        None => builder.with_protocol_versions(&versions(options)?),
    };
    let builder = builder.map_err(|error| error.to_string())?;
    let builder = if options.insecure {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAny(provider.clone())))
    } else {
        builder.with_root_certificates(roots(options)?)
    };
    let mut config = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) if options.damage.is_some() => {
            let signer = provider
                .key_provider
                .load_private_key(private_key(key)?)
                .map_err(|error| error.to_string())?;
            let seed = options.damage.unwrap_or_default();
            let damaged = Damaged::new(certificates(cert)?, signer, seed);
            builder.with_client_cert_resolver(Arc::new(damaged))
        }
        (Some(cert), Some(key)) => builder
            .with_client_auth_cert(certificates(cert)?, private_key(key)?)
            .map_err(|error| error.to_string())?,
        _ => builder.with_no_client_auth(),
    };
    config.cert_decompressors = compression::decompressors(&options.compression)?;
    config.enable_sni = options.send_sni;
    config.max_fragment_size = options.max_fragment;
    config.alpn_protocols = options.alpn.iter().map(|p| p.clone().into()).collect();
    config.resumption = match options.resume {
        Resume::None => Resumption::disabled(),
        Resume::First => Resumption::store(Arc::new(Store::new(true))),
        Resume::Newest => Resumption::store(Arc::new(Store::new(false))),
        Resume::SessionId => Resumption::store(Arc::new(Store::new(false)))
            .tls12_resumption(Tls12Resumption::SessionIdOnly),
    };
    Ok(Arc::new(config))
}

/// IANA's name of a suite.
pub(crate) fn suite_name(suite: CipherSuite) -> String {
    format!("{suite:?}").replacen("TLS13_", "TLS_", 1)
}

/// The usual name of a group.
pub(crate) fn group_name(group: NamedGroup) -> String {
    match group {
        NamedGroup::secp256r1 => "P-256".to_owned(),
        NamedGroup::secp384r1 => "P-384".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The usual name of a version, as httpd's `SSL_PROTOCOL` prints it.
pub(crate) fn version_name(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
        ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

fn provider(options: &Options) -> Result<CryptoProvider, String> {
    let mut provider = default_provider();
    if !options.suites.is_empty() {
        provider.cipher_suites = options.suites.iter().map(suite).collect::<Result<_, _>>()?;
    }
    if !options.groups.is_empty() {
        provider.kx_groups = options.groups.iter().map(group).collect::<Result<_, _>>()?;
    }
    Ok(provider)
}

fn suite(name: &String) -> Result<SupportedCipherSuite, String> {
    ALL_CIPHER_SUITES
        .iter()
        .copied()
        .find(|suite| suite_name(suite.suite()) == *name)
        .ok_or_else(|| format!("--suites {name}: unknown"))
}

fn group(name: &String) -> Result<&'static dyn SupportedKxGroup, String> {
    ALL_KX_GROUPS
        .iter()
        .copied()
        .find(|group| group_name(group.name()) == *name)
        .ok_or_else(|| format!("--groups {name}: unknown"))
}

fn versions(options: &Options) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    if options.versions.is_empty() {
        return Ok(rustls::ALL_VERSIONS.to_vec());
    }
    options
        .versions
        .iter()
        .map(|version| match version.as_str() {
            "1.2" => Ok(&rustls::version::TLS12),
            "1.3" => Ok(&rustls::version::TLS13),
            other => Err(format!("--versions {other}: 1.2 or 1.3")),
        })
        .collect()
}

fn roots(options: &Options) -> Result<RootCertStore, String> {
    let file = options.ca.as_deref().unwrap_or_default();
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots
            .add(certificate)
            .map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(roots)
}

fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| format!("{file}: {error}"))
}

fn private_key(file: &str) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| format!("{file}: {error}"))
}
