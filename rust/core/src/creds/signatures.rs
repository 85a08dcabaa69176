// SPDX-License-Identifier: Apache-2.0
//! Whether the certificates of a virtual host can be served under its list of signature algorithms.

use std::sync::Arc;

use rustls::SignatureScheme;

use super::fault::Fault;
use super::key::KeyKind;
use super::select::Pair;
use crate::tls::signatures::{in_version, signs};

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
    /// What suites of TLS 1.2 are allowed.
    pub suites: Suites12,
}

/// Which keys the suites of TLS 1.2 are for that are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suites12 {
    /// Some are for RSA keys.
    pub rsa: bool,
    /// Some are for ECDSA keys, which Ed25519 goes with.
    pub ecdsa: bool,
    /// `file:line` of the list.
    pub place: String,
}

impl SignatureRequest {
    /// What is wrong with the list for these pairs, each of which has a name for people.
    pub(super) fn check(&self, pairs: &[(Arc<Pair>, &str)]) -> Vec<Fault> {
        let mut faults = self.check_kinds(pairs);
        faults.extend(self.check_suites(pairs));
        if self.schemes.is_empty() {
            return faults;
        }
        let fits = |pair: &Pair, tls13: bool| {
            let mut schemes = self.schemes.iter();
            schemes.any(|scheme| in_version(*scheme, tls13) && signs(&*pair.key, *scheme))
        };
        let serves = |pair: &Pair| {
            let versions = [(self.tls12, false), (self.tls13, true)];
            versions
                .into_iter()
                .any(|(is_on, tls13)| is_on && fits(pair, tls13))
        };
        let any = pairs.iter().any(|(pair, _)| serves(pair));
        let unused = pairs.iter().filter(|(pair, _)| !serves(pair));
        faults.extend(unused.map(|(pair, file)| Fault::NoSignature {
            file: (*file).to_owned(),
            kind: pair.kind.to_string(),
            needed: needed(pair.kind),
            alone: !any,
        }));
        let lacks13 = any && self.tls13 && !pairs.iter().any(|(pair, _)| fits(pair, true));
        let first = pairs.first().filter(|_| lacks13);
        faults.extend(first.map(|(pair, file)| Fault::NoTls13Signature {
            file: (*file).to_owned(),
            needed: needed(pair.kind),
        }));
        faults
    }

    /// Where a fault of `check` is written.
    pub(super) fn place_of(&self, fault: &Fault) -> &str {
        match fault {
            Fault::NoSuite { .. } => &self.suites.place,
            _ => &self.place,
        }
    }

    /// Whether no key fits the suites of TLS 1.2. That there are none at all has been said.
    fn check_suites(&self, pairs: &[(Arc<Pair>, &str)]) -> Option<Fault> {
        let suites = &self.suites;
        if !self.tls12 || !(suites.rsa || suites.ecdsa) {
            return None;
        }
        let mut older = pairs.iter().filter(|(pair, _)| !pair.kind.needs_tls13());
        let (pair, file) = older.clone().next()?;
        let fits = |kind: KeyKind| {
            if kind.is_rsa() {
                suites.rsa
            } else {
                suites.ecdsa
            }
        };
        if older.any(|(pair, _)| fits(pair.kind)) {
            return None;
        }
        Some(Fault::NoSuite {
            file: (*file).to_owned(),
            kind: pair.kind.to_string(),
            needed: match pair.kind.is_rsa() {
                true => "ECDHE-RSA-AES128-GCM-SHA256",
                false => "ECDHE-ECDSA-AES128-GCM-SHA256",
            },
            alone: !self.tls13,
        })
    }

    /// What is wrong with the versions for these kinds of keys.
    fn check_kinds(&self, pairs: &[(Arc<Pair>, &str)]) -> Vec<Fault> {
        let (newest, others): (Vec<_>, Vec<_>) =
            pairs.iter().partition(|(pair, _)| pair.kind.needs_tls13());
        let told = |(pair, file): &(Arc<Pair>, &str)| ((*file).to_owned(), pair.kind.to_string());
        if !self.tls13 {
            let fault = |(file, kind)| Fault::NeedsTls13 {
                file,
                kind,
                alone: others.is_empty(),
            };
            return newest.into_iter().map(told).map(fault).collect();
        }
        let first = newest.first().filter(|_| others.is_empty());
        let fault = |(file, kind)| Fault::OnlyTls13Keys { file, kind };
        first.map(|pair| fault(told(pair))).into_iter().collect()
    }
}

/// A scheme that every client has for this kind of key.
fn needed(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Rsa(_) => "rsa_pss_rsae_sha256",
        KeyKind::RsaPss(_) => "rsa_pss_pss_sha256",
        KeyKind::Ecdsa(384) => "ecdsa_secp384r1_sha384",
        KeyKind::Ecdsa(521) => "ecdsa_secp521r1_sha512",
        KeyKind::Ecdsa(_) => "ecdsa_secp256r1_sha256",
        KeyKind::Ed25519 => "ed25519",
        KeyKind::MlDsa(44) => "mldsa44",
        KeyKind::MlDsa(87) => "mldsa87",
        KeyKind::MlDsa(_) => "mldsa65",
    }
}
