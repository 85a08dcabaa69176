//! Built policies: one rustls `ServerConfig` per policy id and ALPN choice, shared by all virtual hosts that are equal.

use std::sync::Arc;

use ::aws_lc_rs::digest;
use rustls::compress::CompressionCache;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ProducesTickets, ServerConfig, StoresServerSessions};
use rustls::version::{TLS12, TLS13};
use rustls::{SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion};

use crate::compress::COMPRESSORS;
use crate::resolver::FromContext;
use crate::signatures::Signatures;
use crate::ticket::Resumption;
use crate::transcript;
use crate::verify::Verifier;

/// What a handshake may negotiate, as the configuration settled it.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// Content hash of everything that makes two policies different (design section 3).
    pub id: [u8; 32],
    /// TLS 1.2 is offered.
    pub tls12: bool,
    /// TLS 1.3 is offered.
    pub tls13: bool,
    /// IANA numbers of cipher suites, most preferred first.
    pub suites: Vec<u16>,
    /// IANA numbers of key exchange groups, most preferred first.
    pub groups: Vec<u16>,
    /// What handshakes are signed with, most preferred first; none: whatever fits the key.
    pub signatures: Vec<SignatureScheme>,
    /// The server's order of suites and signatures decides, not the client's.
    pub server_order: bool,
    /// Certificates are sent compressed to clients that take them so.
    pub compress: bool,
    /// Judges client certificates; `None`: they are not asked for.
    pub client_verifier: Option<Arc<Verifier>>,
    /// How sessions are resumed.
    pub sessions: Sessions,
}

/// How sessions are resumed; the default is: not at all.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    /// Makes and reads tickets; None: no tickets.
    pub ticketer: Option<Arc<dyn ProducesTickets>>,
    /// Keeps sessions of clients without tickets; None: nothing does.
    pub store: Option<Arc<dyn StoresServerSessions>>,
    /// Tickets given to the client by a TLS 1.3 handshake.
    pub tickets: usize,
    /// Seconds that a TLS 1.3 session lives.
    pub tls13_lifetime: u32,
    /// Seconds that a TLS 1.2 session lives.
    pub tls12_lifetime: u32,
    /// Where client certificates are asked for, sessions live [`CLIENT_LIFETIME`] at most.
    pub short_with_clients: bool,
}

/// Seconds after which a client with a certificate is judged anew, unless the configuration names another time.
pub const CLIENT_LIFETIME: u32 = 300;

/// A policy ready to serve: immutable, shared by threads and, from before the fork, by processes.
#[derive(Debug)]
pub struct Policy {
    spec: Spec,
    plain: Variants,
    chacha_first: Variants,
}

/// The same policy with each of the ALPN answers that httpd's protocol negotiation usually gives.
#[derive(Debug)]
struct Variants {
    none: Arc<ServerConfig>,
    h2: Arc<ServerConfig>,
    http11: Arc<ServerConfig>,
}

impl Policy {
    /// Builds the configurations. Fails with a sentence when nothing of what was asked for exists.
    pub fn build(spec: &Spec) -> Result<Self, String> {
        let plain = Variants::build(spec, false)?;
        let chacha_first = if spec.server_order {
            Variants::build(spec, true)?
        } else {
            plain.clone()
        };
        Ok(Self {
            spec: spec.clone(),
            plain,
            chacha_first,
        })
    }

    /// Content hash of the policy.
    pub fn id(&self) -> [u8; 32] {
        self.spec.id
    }

    /// Whether a client that speaks TLS 1.3 gets it.
    pub fn speaks_tls13(&self) -> bool {
        self.spec.tls13 && self.has_suite(&TLS13)
    }

    /// The oldest version that is spoken.
    pub fn oldest_version(&self) -> Option<u16> {
        let tls12 = self.spec.tls12 && self.has_suite(&TLS12);
        let oldest = if tls12 {
            Some(&TLS12)
        } else {
            self.speaks_tls13().then_some(&TLS13)
        };
        oldest.map(|version| version.version.into())
    }

    fn has_suite(&self, version: &SupportedProtocolVersion) -> bool {
        let mut suites = self.plain.none.crypto_provider().cipher_suites.iter();
        suites.any(|suite| suite.version() == version)
    }

    /// Bytes of the authorities that clients are told when they are asked for a certificate.
    pub fn authorities(&self) -> usize {
        let names = self
            .spec
            .client_verifier
            .as_ref()
            .map(|verifier| verifier.root_hint_subjects());
        names
            .into_iter()
            .flatten()
            .map(|name| 2 + name.as_ref().len())
            .sum()
    }

    /// What the sessions of a connection begin with that speaks TLS 1.3, or whose client speaks tickets.
    pub fn resumption(&self, tls13: bool, client_speaks_tickets: bool) -> Resumption {
        let sessions = &self.spec.sessions;
        let lifetime = if tls13 {
            sessions.tls13_lifetime
        } else {
            sessions.tls12_lifetime
        };
        let uses_tickets = client_speaks_tickets && sessions.ticketer.is_some();
        let mut resumption = Resumption::new(lifetime, uses_tickets);
        if let Some(verifier) = &self.spec.client_verifier {
            resumption.generation = verifier.generation();
            if sessions.short_with_clients {
                resumption.lifetime = lifetime.min(CLIENT_LIFETIME);
            }
        }
        resumption
    }

    /// The configuration that answers with `alpn` (empty: no ALPN answer).
    ///
    /// `client_prefers_chacha` says that the client lists ChaCha20 before every AES suite, as devices without AES
    /// instructions do; the server's own order then yields for ChaCha20.
    pub fn config(&self, alpn: &[u8], client_prefers_chacha: bool) -> Arc<ServerConfig> {
        let variants = if self.spec.server_order && client_prefers_chacha {
            &self.chacha_first
        } else {
            &self.plain
        };
        match alpn {
            b"" => variants.none.clone(),
            b"h2" => variants.h2.clone(),
            b"http/1.1" => variants.http11.clone(),
            other => Arc::new(with_alpn(&variants.none, other)),
        }
    }

    /// The configuration for a connection on which an ACME server looks for its challenge and nothing else happens: no
    /// client is asked for a certificate, no session is resumed, and the key of the challenge signs as it can.
    ///
    /// # Errors
    /// As of [`Policy::build`], which has succeeded with more.
    pub fn challenge_config(&self, alpn: &[u8]) -> Result<Arc<ServerConfig>, String> {
        let spec = Spec {
            client_verifier: None,
            sessions: Sessions::default(),
            signatures: Vec::new(),
            ..self.spec.clone()
        };
        server_config(&spec, ordered_suites(&spec, false))
            .map(|config| Arc::new(with_alpn(&config, alpn)))
    }
}

impl Variants {
    fn build(spec: &Spec, chacha_first: bool) -> Result<Self, String> {
        let none = server_config(spec, ordered_suites(spec, chacha_first))?;
        Ok(Self {
            h2: Arc::new(with_alpn(&none, b"h2")),
            http11: Arc::new(with_alpn(&none, b"http/1.1")),
            none: Arc::new(none),
        })
    }
}

impl Clone for Variants {
    fn clone(&self) -> Self {
        Self {
            none: self.none.clone(),
            h2: self.h2.clone(),
            http11: self.http11.clone(),
        }
    }
}

fn with_alpn(base: &ServerConfig, alpn: &[u8]) -> ServerConfig {
    let mut config = base.clone();
    config.alpn_protocols = vec![alpn.to_vec()];
    config
}

fn server_config(
    spec: &Spec,
    cipher_suites: Vec<SupportedCipherSuite>,
) -> Result<ServerConfig, String> {
    let provider = CryptoProvider {
        cipher_suites: transcript::watched(cipher_suites),
        kx_groups: groups(&spec.groups),
        ..aws_lc_rs::default_provider()
    };
    let builder = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&versions(spec.tls12, spec.tls13))
        .map_err(|e| {
            format!("no handshake is possible with these protocols, cipher suites and groups: {e}")
        })?;
    let builder = match &spec.client_verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier.clone()),
        None => builder.with_no_client_auth(),
    };
    let signatures = (!spec.signatures.is_empty()).then(|| Signatures {
        schemes: spec.signatures.clone(),
        own_order: spec.server_order,
    });
    let mut config = builder.with_cert_resolver(Arc::new(FromContext { signatures }));
    config.ignore_client_order = spec.server_order;
    // The defaults depend on how rustls was built.
    config.cert_decompressors = Vec::new();
    config.cert_compressors = match spec.compress {
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
    config.send_tls13_tickets = if resumable { sessions.tickets } else { 0 };
    Ok(config)
}

/// The versions that are on.
pub(crate) fn versions(tls12: bool, tls13: bool) -> Vec<&'static SupportedProtocolVersion> {
    [(tls13, &TLS13), (tls12, &TLS12)]
        .into_iter()
        .filter_map(|(on, v)| on.then_some(v))
        .collect()
}

fn ordered_suites(spec: &Spec, chacha_first: bool) -> Vec<SupportedCipherSuite> {
    let mut list = suites(&spec.suites);
    if chacha_first {
        list.sort_by_key(|suite| !is_chacha(suite.suite().into()));
    }
    list
}

/// The suites of these numbers that exist here, in this order.
pub(crate) fn suites(ids: &[u16]) -> Vec<SupportedCipherSuite> {
    ids.iter()
        .filter_map(|id| {
            aws_lc_rs::ALL_CIPHER_SUITES
                .iter()
                .find(|s| u16::from(s.suite()) == *id)
                .copied()
        })
        .collect()
}

/// The groups of these numbers that exist here, in this order.
pub(crate) fn groups(ids: &[u16]) -> Vec<&'static dyn SupportedKxGroup> {
    ids.iter()
        .filter_map(|id| {
            aws_lc_rs::ALL_KX_GROUPS
                .iter()
                .find(|g| u16::from(g.name()) == *id)
                .copied()
        })
        .collect()
}

/// SHA-256 of a canonical encoding.
pub fn digest(encoded: &[u8]) -> [u8; 32] {
    let hash = digest::digest(&digest::SHA256, encoded);
    let mut id = [0; 32];
    id.iter_mut()
        .zip(hash.as_ref())
        .for_each(|(to, from)| *to = *from);
    id
}

/// Whether the client wants ChaCha20: it is offered, and before every suite with AES that we know.
pub fn prefers_chacha(offered: &[u16]) -> bool {
    offered
        .iter()
        .find(|id| {
            aws_lc_rs::ALL_CIPHER_SUITES
                .iter()
                .any(|s| u16::from(s.suite()) == **id)
        })
        .is_some_and(|id| is_chacha(*id))
}

fn is_chacha(id: u16) -> bool {
    // TLS_CHACHA20_POLY1305_SHA256 (RFC 8446 B.4), ECDHE_RSA and ECDHE_ECDSA with it (RFC 7905 2)
    matches!(id, 0x1303 | 0xcca8 | 0xcca9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        Spec {
            tls12: true,
            tls13: true,
            suites: vec![0x1301, 0x1303, 0xc02b, 0xcca9],
            groups: vec![0x11ec, 29],
            ..Spec::default()
        }
    }

    #[test]
    fn chacha_only_where_listed_before_aes() {
        assert!(prefers_chacha(&[0x1303, 0x1301]));
        assert!(prefers_chacha(&[0x0a0a, 0xc013, 0x1303, 0x1301])); // GREASE and CBC do not count
        assert!(!prefers_chacha(&[0x1301, 0x1303]));
        assert!(!prefers_chacha(&[]));
    }

    #[test]
    fn order_of_suites_and_groups_is_the_configured_one() {
        let policy = Policy::build(&Spec {
            server_order: true,
            ..spec()
        })
        .unwrap();
        let suites = |c: &ServerConfig| -> Vec<u16> {
            c.crypto_provider()
                .cipher_suites
                .iter()
                .map(|s| s.suite().into())
                .collect()
        };
        assert_eq!(
            suites(&policy.config(b"", false)),
            [0x1301, 0x1303, 0xc02b, 0xcca9]
        );
        assert_eq!(
            suites(&policy.config(b"", true)),
            [0x1303, 0xcca9, 0x1301, 0xc02b]
        );
    }

    #[test]
    fn alpn_answers_share_the_rest() {
        let policy = Policy::build(&spec()).unwrap();
        assert_eq!(policy.config(b"h2", false).alpn_protocols, [b"h2".to_vec()]);
        assert_eq!(
            policy.config(b"acme-tls/1", false).alpn_protocols,
            [b"acme-tls/1".to_vec()]
        );
        assert!(policy.config(b"", false).alpn_protocols.is_empty());
    }

    #[test]
    fn nothing_compressed_is_taken_from_clients() {
        for compress in [true, false] {
            let policy = Policy::build(&Spec { compress, ..spec() }).unwrap();
            let config = policy.config(b"", false);
            assert!(config.cert_decompressors.is_empty());
            assert_eq!(config.cert_compressors.is_empty(), !compress);
        }
    }

    #[test]
    fn nothing_left_is_an_error() {
        assert!(
            Policy::build(&Spec {
                suites: vec![],
                ..spec()
            })
            .is_err()
        );
        assert!(
            Policy::build(&Spec {
                tls13: false,
                suites: vec![0x1301],
                ..spec()
            })
            .is_err()
        );
    }
}
