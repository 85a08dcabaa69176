//! Built client policies: one rustls `ClientConfig` per distinct policy, shared by all workers that have it.

use std::sync::Arc;

use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls_pki_types::{CertificateDer, ServerName};

use super::identity::{Identities, Pair};
use super::judge::Judge;
use super::sessions::Sessions;
use crate::policy;

/// What a client policy is built from.
#[derive(Debug)]
pub struct Spec {
    /// TLS 1.2 is offered.
    pub tls12: bool,
    /// TLS 1.3 is offered.
    pub tls13: bool,
    /// IANA numbers of cipher suites, most preferred first.
    pub suites: Vec<u16>,
    /// IANA numbers of key exchange groups; a share is sent for the first.
    pub groups: Vec<u16>,
    /// Judges backends.
    pub judge: Judge,
    /// Shown to backends that ask.
    pub pairs: Vec<Pair>,
}

/// A policy ready to connect: immutable but for its sessions.
#[derive(Debug)]
pub struct ClientPolicy {
    config: Arc<ClientConfig>,
}

impl ClientPolicy {
    /// Builds the configuration. Fails with a sentence when nothing of what was asked for exists.
    pub fn build(spec: Spec) -> Result<Self, String> {
        let provider = CryptoProvider {
            cipher_suites: policy::suites(&spec.suites),
            kx_groups: policy::groups(&spec.groups),
            ..aws_lc_rs::default_provider()
        };
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&policy::versions(spec.tls12, spec.tls13))
            .map_err(|e| {
                format!(
                    "no handshake is possible with these protocols, cipher suites and groups: {e}"
                )
            })?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(spec.judge));
        let mut config = if spec.pairs.is_empty() {
            builder.with_no_client_auth()
        } else {
            builder.with_client_cert_resolver(Arc::new(Identities::new(spec.pairs)))
        };
        config.resumption = Resumption::store(Arc::new(Sessions::default()));
        Ok(Self {
            config: Arc::new(config),
        })
    }

    /// The configuration for connections; one object, because rustls resumes only under the verifier of old.
    pub fn config(&self) -> Arc<ClientConfig> {
        self.config.clone()
    }
}

/// The name to put into SNI: the host where it is a DNS name, else the address, for which none is sent (RFC 6066 3).
pub fn server_name(host: &str, address: &str) -> Option<ServerName<'static>> {
    let host = host.strip_suffix('.').unwrap_or(host);
    ServerName::try_from(host.to_owned())
        .or_else(|_| ServerName::try_from(address.to_owned()))
        .ok()
}

/// The CAs of the system; what cannot be read of them is left out.
pub fn system_roots() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// Signature algorithms by which backends may prove themselves.
pub fn algorithms() -> WebPkiSupportedAlgorithms {
    aws_lc_rs::default_provider().signature_verification_algorithms
}
