// SPDX-License-Identifier: Apache-2.0
//! Built policies: one rustls `ServerConfig` per policy id and ALPN choice, shared by all virtual hosts that are equal.

mod choices;
mod current;
mod hybrid;
mod no_handshake;
mod spec;

use std::sync::Arc;

use rustls::server::ServerConfig;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

use super::context::Context;
use crate::ticket::Resumption;

use choices::is_chacha;
pub use choices::{digest, prefers_chacha};
pub(crate) use choices::{groups, suites, versions};
pub use current::CurrentPolicy;
pub(crate) use hybrid::is_post_quantum;
pub use no_handshake::NoHandshake;
use spec::server_config;
pub use spec::{Lifetimes, Negotiated, Sessions, Spec, Versions};

/// Seconds after which a client with a certificate is judged anew, unless the configuration names another time.
pub const CLIENT_LIFETIME: u32 = 300;

/// A policy ready to serve: immutable, shared by threads and, from before the fork, by processes.
#[derive(Debug)]
pub struct Policy {
    spec: Spec,
    any_group: Orders,
    /// With post-quantum groups alone, where those are preferred: rustls goes by the client's order.
    post_quantum: Option<Orders>,
}

/// The same policy for clients that have AES instructions and for those that have not.
#[derive(Debug)]
struct Orders {
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
    /// Builds the configurations.
    ///
    /// # Errors
    /// Nothing of what was asked for exists.
    pub fn build(spec: &Spec) -> Result<Self, NoHandshake> {
        let negotiated = &spec.negotiated;
        let post_quantum = if negotiated.prefers_post_quantum && negotiated.versions.tls13 {
            let mut narrowed = spec.clone();
            narrowed
                .negotiated
                .groups
                .retain(|group| is_post_quantum(*group));
            Some(Orders::build(&narrowed)?)
        } else {
            None
        };
        Ok(Self {
            spec: spec.clone(),
            any_group: Orders::build(spec)?,
            post_quantum,
        })
    }

    /// Content hash of the policy.
    pub fn id(&self) -> [u8; 32] {
        self.spec.id
    }

    /// Whether clients without a post-quantum group are turned away.
    pub fn needs_post_quantum(&self) -> bool {
        self.spec.negotiated.needs_post_quantum
    }

    /// Whether a client that speaks TLS 1.3 gets it.
    pub fn speaks_tls13(&self) -> bool {
        self.spec.negotiated.versions.tls13 && self.has_suite(&TLS13)
    }

    /// The oldest version that is spoken.
    pub fn oldest_version(&self) -> Option<u16> {
        let tls12 = self.spec.negotiated.versions.tls12 && self.has_suite(&TLS12);
        let oldest = if tls12 {
            Some(&TLS12)
        } else {
            self.speaks_tls13().then_some(&TLS13)
        };
        oldest.map(|version| version.version.into())
    }

    fn has_suite(&self, version: &SupportedProtocolVersion) -> bool {
        let mut suites = self
            .any_group
            .plain
            .none
            .crypto_provider()
            .cipher_suites
            .iter();
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

    /// Whether OCSP responders are asked about clients.
    pub fn asks_responders(&self) -> bool {
        let verifier = self.spec.client_verifier.as_ref();
        verifier.is_some_and(|verifier| verifier.asks_responders())
    }

    /// What the sessions of a connection begin with that speaks TLS 1.3, or whose client speaks tickets.
    pub fn resumption(&self, tls13: bool, client_speaks_tickets: bool) -> Resumption {
        let lifetimes = &self.spec.negotiated.lifetime;
        let lifetime = if tls13 {
            lifetimes.tls13_s
        } else {
            lifetimes.tls12_s
        };
        let uses_tickets = client_speaks_tickets && self.spec.sessions.ticketer.is_some();
        let mut resumption = Resumption::new(lifetime, uses_tickets);
        if let Some(verifier) = &self.spec.client_verifier {
            resumption.generation = verifier.generation();
            if !self.spec.negotiated.lifetime_written {
                resumption.lifetime = lifetime.min(CLIENT_LIFETIME);
            }
        }
        resumption
    }

    /// Whether a connection's ticket would be accepted. Counts nothing: rustls will ask in its own time.
    pub fn opens(&self, context: &Context, ticket: &[u8]) -> bool {
        let ticketer = self.spec.sessions.ticketer.as_ref();
        ticketer.is_some_and(|ticketer| ticketer.opens(context, ticket))
    }

    /// The configuration that answers with `alpn` (empty: no ALPN answer).
    ///
    /// `client_prefers_chacha` says that the client lists ChaCha20 before every AES suite, as devices without AES
    /// instructions do; the server's own order then yields for ChaCha20. `offered13` are the groups that it offers with
    /// TLS 1.3.
    pub fn config(
        &self,
        alpn: &[u8],
        client_prefers_chacha: bool,
        offered13: &[u16],
    ) -> Arc<ServerConfig> {
        let both = |group: &u16| is_post_quantum(*group) && offered13.contains(group);
        let orders = match &self.post_quantum {
            Some(orders) if self.spec.negotiated.groups.iter().any(both) => orders,
            _ => &self.any_group,
        };
        let variants = if !self.spec.negotiated.honor_client_order && client_prefers_chacha {
            &orders.chacha_first
        } else {
            &orders.plain
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
    pub fn challenge_config(&self, alpn: &[u8]) -> Result<Arc<ServerConfig>, NoHandshake> {
        let spec = Spec {
            client_verifier: None,
            sessions: Sessions::default(),
            negotiated: Negotiated {
                signatures: Vec::new(),
                ..self.spec.negotiated.clone()
            },
            ..self.spec.clone()
        };
        server_config(&spec, ordered_suites(&spec, false))
            .map(|config| Arc::new(with_alpn(&config, alpn)))
    }
}

impl Orders {
    fn build(spec: &Spec) -> Result<Self, NoHandshake> {
        let plain = Variants::build(spec, false)?;
        let chacha_first = if !spec.negotiated.honor_client_order {
            Variants::build(spec, true)?
        } else {
            plain.clone()
        };
        Ok(Self {
            plain,
            chacha_first,
        })
    }
}

impl Variants {
    fn build(spec: &Spec, chacha_first: bool) -> Result<Self, NoHandshake> {
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

fn ordered_suites(spec: &Spec, chacha_first: bool) -> Vec<SupportedCipherSuite> {
    let mut list = suites(&spec.negotiated.suites);
    if chacha_first {
        list.sort_by_key(|suite| !is_chacha(suite.suite().into()));
    }
    list
}

#[cfg(test)]
mod tests;
