// SPDX-License-Identifier: Apache-2.0
//! What a policy is made of, and the configuration of rustls that a handshake gets of it.

use std::sync::Arc;

use rustls::compress::CompressionCache;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{NoServerSessionStorage, ServerConfig, StoresServerSessions};
use rustls::{SignatureScheme, SupportedCipherSuite};

use super::choices::{groups, versions};
use super::no_handshake::NoHandshake;
use crate::compress::COMPRESSORS;
use crate::ticket::Ticketer;
use crate::tls::key_log;
use crate::tls::resolver::FromContext;
use crate::tls::settings::settings;
use crate::tls::signatures::Signatures;
use crate::tls::transcript;
use crate::verify::Verifier;

settings! {
    /// What a handshake may negotiate, as the configuration settled it: the members of src/config/policy/negotiated.def
    /// in their order. Lists are IANA numbers, most preferred first.
    pub struct Negotiated {
        /// What is offered.
        versions: Versions,
        /// Cipher suites.
        suites: Vec<u16>,
        /// The client's order of suites and signatures decides, not the server's.
        honor_client_order: bool,
        /// Key exchange groups.
        groups: Vec<u16>,
        /// Those of them are post-quantum, all: clients without any are to be told so.
        needs_post_quantum: bool,
        /// A client that offers one of them that is gets it, whatever it puts first.
        prefers_post_quantum: bool,
        /// What handshakes are signed with; none: whatever fits the key.
        signatures: Vec<SignatureScheme>,
        /// Certificates are sent compressed to clients that take them so.
        compress_certificates: bool,
        /// Sessions are resumed by tickets.
        tickets: bool,
        /// Tickets given to the client by a TLS 1.3 handshake.
        ticket_count: u32,
        /// How long sessions live.
        lifetime: Lifetimes,
        /// As the configuration says. Where it does not, sessions live [`CLIENT_LIFETIME`] at most where client
        /// certificates are asked for.
        lifetime_written: bool,
        /// Sessions of clients without tickets are kept.
        session_cache: bool,
        /// Secrets of connections are written to the key log.
        key_log: bool,
    }
}

settings! {
    value
    /// Protocol versions.
    pub struct Versions {
        /// TLS 1.2 is offered.
        tls12: bool,
        /// TLS 1.3 is offered.
        tls13: bool,
    }
}

settings! {
    value
    /// How long sessions live, in seconds.
    pub struct Lifetimes {
        /// With TLS 1.3.
        tls13_s: u32,
        /// With TLS 1.2.
        tls12_s: u32,
    }
}

/// What a policy is made of.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// Content hash of everything that makes two policies different.
    pub id: [u8; 32],
    /// What is negotiated.
    pub negotiated: Negotiated,
    /// Judges client certificates; `None`: they are not asked for.
    pub client_verifier: Option<Arc<Verifier>>,
    /// What resumes sessions.
    pub sessions: Sessions,
}

/// What resumes sessions; the default is: nothing.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    /// Makes and reads tickets; None: no tickets.
    pub ticketer: Option<Arc<Ticketer>>,
    /// Keeps sessions of clients without tickets; None: nothing does.
    pub store: Option<Arc<dyn StoresServerSessions>>,
}

/// The configuration for handshakes with these suites and without ALPN.
///
/// # Errors
/// No handshake is possible with what is asked for.
pub(super) fn server_config(
    spec: &Spec,
    cipher_suites: Vec<SupportedCipherSuite>,
) -> Result<ServerConfig, NoHandshake> {
    let negotiated = &spec.negotiated;
    let provider = CryptoProvider {
        cipher_suites: transcript::watched(cipher_suites),
        kx_groups: groups(&negotiated.groups),
        ..aws_lc_rs::default_provider()
    };
    let builder = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&versions(
            negotiated.versions.tls12,
            negotiated.versions.tls13,
        ))
        .map_err(NoHandshake)?;
    let builder = match &spec.client_verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier.clone()),
        None => builder.with_no_client_auth(),
    };
    let signatures = (!negotiated.signatures.is_empty()).then(|| Signatures {
        schemes: negotiated.signatures.clone(),
        own_order: !negotiated.honor_client_order,
    });
    let mut config = builder.with_cert_resolver(Arc::new(FromContext { signatures }));
    config.ignore_client_order = !negotiated.honor_client_order;
    // The defaults depend on how rustls was built.
    config.cert_decompressors = Vec::new();
    config.cert_compressors = match negotiated.compress_certificates {
        true => COMPRESSORS.to_vec(),
        false => Vec::new(),
    };
    config.cert_compression_cache = Arc::new(CompressionCache::Disabled);
    let sessions = &spec.sessions;
    config.session_storage = match &sessions.store {
        Some(store) => store.clone(),
        None => Arc::new(NoServerSessionStorage {}),
    };
    if let Some(ticketer) = &sessions.ticketer {
        config.ticketer = ticketer.clone();
    }
    let resumable = sessions.ticketer.is_some() || sessions.store.is_some();
    let tickets = usize::try_from(negotiated.ticket_count).unwrap_or(0);
    config.send_tls13_tickets = if resumable { tickets } else { 0 };
    if negotiated.key_log
        && let Some(log) = key_log::current()
    {
        config.key_log = log;
    }
    Ok(config)
}
