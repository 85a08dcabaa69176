// SPDX-License-Identifier: Apache-2.0
//! What a connection knows once its handshake is complete.

use std::sync::Arc;

use rustls::{Error, HandshakeKind, PeerIncompatible};

use super::Session;
use super::alerts::TLS12;
use crate::backend::{BackendPolicy, Made};
use crate::ticket::session_state::ClientVerdict;
use crate::tls::describe;
use crate::tls::engine::RustlsConnection;
use crate::tls::hello::Offered;
use crate::verify::Verdict;
use crate::x509::{Identity, Name};

/// What the handshake settled; zero or empty where it has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Protocol version as on the wire: 0x0303, 0x0304.
    pub version: u16,
    /// IANA number of the cipher suite.
    pub suite: u16,
    /// IANA number of the key exchange group; 0 on resumption without one.
    pub group: u16,
    /// Our handshake signature's scheme; 0 on resumption.
    pub signature_scheme: u16,
    /// ALPN's answer.
    pub alpn: Vec<u8>,
    /// The session was resumed.
    pub resumed: bool,
    /// The id that a TLS 1.2 session can be, or was, resumed by; empty with TLS 1.3.
    pub session_id: Vec<u8>,
}

impl Session {
    /// What the handshake settled.
    pub fn facts(&self) -> Facts {
        let Some(common) = self.tls.as_ref().map(RustlsConnection::common) else {
            return Facts::default();
        };
        let version = common.protocol_version().map_or(0, u16::from);
        let resumed = self.is_resumed();
        Facts {
            version,
            suite: common
                .negotiated_cipher_suite()
                .map_or(0, |s| s.suite().into()),
            group: common
                .negotiated_key_exchange_group()
                .map_or(0, |g| g.name().into()),
            signature_scheme: self
                .context
                .as_ref()
                .and_then(|c| c.signature_scheme)
                .map_or(0, u16::from),
            alpn: common
                .alpn_protocol()
                .map(<[u8]>::to_vec)
                .unwrap_or_default(),
            resumed,
            session_id: match (&self.context, version) {
                (Some(context), TLS12) => context.resumption.session_id(resumed).to_vec(),
                _ => Vec::new(),
            },
        }
    }

    /// Whether a session was resumed.
    pub fn is_resumed(&self) -> bool {
        let common = self.tls.as_ref().map(RustlsConnection::common);
        common.is_some_and(|tls| tls.handshake_kind() == Some(HandshakeKind::Resumed))
    }

    /// The client's certificates as sent, leaf first, in DER.
    pub fn peer_certificates(&self) -> impl Iterator<Item = &[u8]> {
        let chain = self
            .tls
            .as_ref()
            .map(RustlsConnection::common)
            .and_then(|tls| tls.peer_certificates());
        chain.unwrap_or_default().iter().map(AsRef::as_ref)
    }

    /// The certificates of both sides, for variables and access rules; of a client that was refused its own alone.
    pub fn identity(&self) -> Identity {
        let chain = self
            .tls
            .as_ref()
            .map(RustlsConnection::common)
            .and_then(|tls| tls.peer_certificates());
        let presented = self
            .context
            .as_ref()
            .and_then(|context| context.presented.clone());
        let refused = self.context.as_ref().and_then(|c| c.refused.clone());
        let chain = match chain {
            Some(chain) => chain.to_vec(),
            None => refused.into_iter().collect(),
        };
        Identity::new(presented, chain)
    }

    /// What the client offered in its hello; `None` on a connection of our own.
    pub fn offered(&self) -> Option<Arc<Offered>> {
        self.offered.clone()
    }

    /// What was found of the client's certificate: now, or in the full handshake that a resumed session began with.
    pub fn verdict(&self) -> Verdict {
        let Some(context) = self.context.as_ref() else {
            return Verdict::default();
        };
        let kept = |client: &ClientVerdict| {
            let not_after = i64::try_from(client.not_after).unwrap_or(i64::MAX);
            Verdict::from_code(client.code, not_after)
        };
        let verdict = context.verdict.clone();
        verdict
            .or_else(|| context.resumption.client.as_ref().map(kept))
            .unwrap_or_default()
    }

    /// Whether this outgoing connection, made under another policy, is good enough for `policy`.
    pub fn fits(&self, policy: &BackendPolicy) -> bool {
        let common = self.tls.as_ref().map(RustlsConnection::common);
        let chain = common.and_then(|tls| tls.peer_certificates());
        let Some(context) = self.context.as_deref() else {
            return false;
        };
        let facts = self.facts();
        policy.accepts(&Made {
            version: facts.version,
            suite: facts.suite,
            group: facts.group,
            groups: &context.groups,
            chain: chain.unwrap_or_default(),
            host: context.server_name.as_deref(),
            presented: context.stands_for().map(Arc::as_ref),
        })
    }

    /// Name of the CA that the verified path of the peer's certificate ends in; `None` where none was verified, or where
    /// the session was resumed.
    pub fn authority(&self) -> Option<String> {
        let verdict = self.context.as_ref()?.verdict.as_ref()?;
        let name = Name::parse(&verdict.authority).filter(|_| !verdict.authority.is_empty())?;
        Some(String::from_utf8_lossy(&name.rfc2253()).into_owned())
    }

    /// Whether the handshake failed because a post-quantum group is demanded; of a backend, whether that may be why.
    pub fn lacks_post_quantum(&self) -> bool {
        self.needs_post_quantum
            && self.failure.as_ref().is_some_and(|error| match error {
                Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon) => true,
                error => self.is_outgoing() && describe::disagrees_on_groups(error),
            })
    }
}
