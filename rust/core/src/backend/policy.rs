// SPDX-License-Identifier: Apache-2.0
//! Built policies for backends: one rustls `ClientConfig` per distinct policy, shared by all workers that have it.

use std::sync::Arc;

use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::fault::BackendFault;
use super::identity::{Identities, MachinePair};
use super::server_verifier::BackendVerifier;
use super::sessions::Sessions;
use super::settings::Settings;
use crate::tls::key_log;
use crate::tls::policy;
use crate::tls::policy::{NoHandshake, Versions};
use crate::tls::transcript;

/// Version of TLS 1.2 (RFC 5246 A.1).
const TLS12: u16 = 0x0303;

/// A policy ready to connect: immutable but for its sessions.
#[derive(Debug)]
pub struct BackendPolicy {
    config: Arc<ClientConfig>,
    verifier: Arc<BackendVerifier>,
    identities: Arc<Identities>,
    versions: Versions,
    suites: Vec<u16>,
    groups: Arc<[u16]>,
    needs_post_quantum: bool,
}

/// What an open connection to a backend stands for.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// Protocol version as on the wire.
    pub version: u16,
    /// IANA number of the cipher suite.
    pub suite: u16,
    /// IANA number of the key exchange group; 0 where a session of TLS 1.2 was resumed.
    pub group: u16,
    /// Those that were offered: such a session came of one of them.
    pub groups: &'a [u16],
    /// The backend's certificates, its own first.
    pub chain: &'a [CertificateDer<'a>],
    /// The name that was asked for.
    pub host: Option<&'a str>,
    /// What the backend knows us by: shown in this handshake, or in the one that the resumed session began with.
    pub presented: Option<&'a CertifiedKey>,
}

impl BackendPolicy {
    /// Builds the configuration: `verifier` judges backends, `pairs` are shown to those that ask.
    ///
    /// # Errors
    /// Nothing of what was asked for exists.
    pub(super) fn build(
        settings: Settings,
        verifier: BackendVerifier,
        pairs: Vec<MachinePair>,
    ) -> Result<Self, BackendFault> {
        let spoken13 = settings.versions.tls13
            && policy::suites(&settings.suites)
                .iter()
                .any(|suite| suite.tls13().is_some());
        if settings.needs_post_quantum && !spoken13 {
            return Err(BackendFault::NoPostQuantum);
        }
        let provider = CryptoProvider {
            cipher_suites: transcript::watched(policy::suites(&settings.suites)),
            kx_groups: policy::groups(&settings.groups),
            ..aws_lc_rs::default_provider()
        };
        let verifier = Arc::new(verifier);
        let identities = Arc::new(Identities::new(pairs));
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&policy::versions(
                settings.versions.tls12,
                settings.versions.tls13,
            ))
            .map_err(|error| BackendFault::NoHandshake(NoHandshake(error)))?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone());
        let mut config = builder.with_client_cert_resolver(identities.clone());
        config.resumption = Resumption::store(Arc::new(Sessions::default()));
        if settings.key_log
            && let Some(log) = key_log::current()
        {
            config.key_log = log;
        }
        Ok(Self {
            config: Arc::new(config),
            verifier,
            identities,
            versions: settings.versions,
            needs_post_quantum: settings.needs_post_quantum,
            suites: settings.suites,
            groups: settings.groups.into(),
        })
    }

    /// Whether a connection that was made under another policy is good enough for this one: its version, suite and group
    /// are allowed here too, its backend is believed here too, and what the backend knows us by would be shown to it here.
    pub fn accepts(&self, made: &Made<'_>) -> bool {
        let version = match made.version {
            TLS12 => self.versions.tls12,
            _ => self.versions.tls13,
        };
        version
            && self.suites.contains(&made.suite)
            && self.takes_group(made)
            && made
                .presented
                .is_none_or(|pair| self.identities.holds(pair))
            && self
                .verifier
                .verify(made.chain, made.host, UnixTime::now())
                .is_ok()
    }

    fn takes_group(&self, made: &Made<'_>) -> bool {
        let allowed = |group: &u16| self.groups.contains(group);
        match made.group {
            0 => !self.needs_post_quantum && made.groups.iter().all(allowed),
            group => {
                allowed(&group) && (!self.needs_post_quantum || policy::is_post_quantum(group))
            }
        }
    }

    /// IANA numbers of the groups that are offered.
    pub(crate) fn groups(&self) -> Arc<[u16]> {
        self.groups.clone()
    }

    /// Whether backends without a post-quantum group are not spoken to.
    pub fn needs_post_quantum(&self) -> bool {
        self.needs_post_quantum
    }

    /// The configuration for connections; one object, because rustls resumes only under the verifier of old.
    pub fn config(&self) -> Arc<ClientConfig> {
        self.config.clone()
    }
}

/// Where an outgoing connection goes.
#[derive(Clone, Debug)]
pub struct Target {
    /// The name to verify and to send as SNI; empty: none is known, and none is verified.
    pub host: String,
    /// Address of the backend.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// Protocols to offer; none: no ALPN.
    pub alpn: Vec<String>,
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
pub(super) fn algorithms() -> WebPkiSupportedAlgorithms {
    aws_lc_rs::default_provider().signature_verification_algorithms
}
