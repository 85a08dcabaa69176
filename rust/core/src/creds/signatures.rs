//! Whether the certificates of a virtual host can be served under its list of signature algorithms.

use std::sync::Arc;

use rustls::SignatureScheme;

use super::key::KeyKind;
use super::problem::Fault;
use super::select::Pair;
use crate::signatures::{in_tls13, signs};

/// What a virtual host may sign its handshakes with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignatureRequest {
    /// Most preferred first; none: whatever fits the keys.
    pub schemes: Vec<SignatureScheme>,
    /// TLS 1.3 is spoken, so that what exists in TLS 1.2 alone does not suffice.
    pub tls13: bool,
    /// So is TLS 1.2.
    pub tls12: bool,
    /// `file:line` of the list.
    pub place: String,
}

impl SignatureRequest {
    /// What is wrong with the list for these pairs, each of which has a name for people.
    pub(super) fn check(&self, pairs: &[(Arc<Pair>, &str)]) -> Vec<Fault> {
        if self.schemes.is_empty() {
            return Vec::new();
        }
        let fits = |pair: &Pair, tls13: bool| {
            let mut schemes = self.schemes.iter();
            schemes.any(|scheme| (!tls13 || in_tls13(*scheme)) && signs(&*pair.key, *scheme))
        };
        let serves = |pair: &Pair| fits(pair, !self.tls12);
        let any = pairs.iter().any(|(pair, _)| serves(pair));
        let unused = pairs.iter().filter(|(pair, _)| !serves(pair));
        let mut faults: Vec<_> = unused
            .map(|(pair, file)| Fault::NoSignature {
                file: (*file).to_owned(),
                kind: pair.kind.to_string(),
                needed: needed(pair.kind),
                alone: !any,
            })
            .collect();
        let lacks13 = any && self.tls13 && !pairs.iter().any(|(pair, _)| fits(pair, true));
        let first = pairs.first().filter(|_| lacks13);
        faults.extend(first.map(|(pair, file)| Fault::NoTls13Signature {
            file: (*file).to_owned(),
            needed: needed(pair.kind),
        }));
        faults
    }
}

/// A scheme that every client has for this kind of key.
fn needed(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Rsa(_) => "rsa_pss_rsae_sha256",
        KeyKind::Ecdsa(384) => "ecdsa_secp384r1_sha384",
        KeyKind::Ecdsa(521) => "ecdsa_secp521r1_sha512",
        KeyKind::Ecdsa(_) => "ecdsa_secp256r1_sha256",
        KeyKind::Ed25519 => "ed25519",
    }
}
