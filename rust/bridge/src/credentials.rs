// SPDX-License-Identifier: Apache-2.0
//! `CredentialStore` and `Credentials` for C++.

pub(crate) mod boundary;

use std::sync::Arc;

use mod_tls_core::creds::{
    self, FileAt, LoadRequest, Pair, PairRequest, SignatureRequest, Suites12,
};
use mod_tls_core::system::clock;
use mod_tls_core::tls::signatures::schemes;
use mod_tls_core::x509::time;
use mod_tls_core::{credentials, x509};

use crate::guard::{Thrown, guard, guard_result};

use boundary::ffi;

/// Files as they were parsed; owned by the process pool, so that restarts parse only what changed.
#[derive(Default)]
pub(crate) struct CredentialStore(credentials::CredentialStore);

named_in_cpp!(Credentials, "tls::rs::Credentials");

/// The certificates of all virtual hosts of one configuration; owned by the configuration pool.
pub(crate) struct Credentials(pub(crate) credentials::Credentials);

impl Credentials {
    /// Certificates of a request that responses may be stapled for; see the boundary.
    pub(crate) fn staple_facts(&self, index: usize) -> Vec<ffi::StapleFacts> {
        let all = || self.0.real_pairs(index).iter().map(Into::into).collect();
        guard(Vec::new, all)
    }

    /// Whether a request has a placeholder now.
    pub(crate) fn is_placeholder(&self, index: usize) -> bool {
        guard(|| false, || self.0.is_placeholder(index))
    }

    /// See [`credentials::Credentials::compress`].
    pub(crate) fn compress(&self, indices: &[u32]) {
        guard(|| (), || self.0.compress(indices));
    }

    /// What is less separate than it should be.
    pub(crate) fn weaknesses(&self) -> Vec<String> {
        guard(Vec::new, || self.0.weaknesses.clone())
    }

    /// What is wrong, in the order of the requests.
    pub(crate) fn problems(&self) -> Vec<ffi::Problem> {
        let all = || self.0.problems.iter().map(Into::into).collect();
        guard(Vec::new, all)
    }

    /// The certificates of a request, for people.
    pub(crate) fn describe(&self, index: usize) -> Vec<ffi::CertificateFacts> {
        let all = || self.0.pairs(index).iter().map(Into::into).collect();
        guard(Vec::new, all)
    }
}

/// A store of nothing.
pub(crate) fn new_credential_store() -> Box<CredentialStore> {
    guard(Box::default, Box::default)
}

impl CredentialStore {
    /// What the requests name, loaded; fails after a panic alone.
    pub(crate) fn load(
        &mut self,
        requests: &[ffi::LoadRequest],
        ask: bool,
    ) -> Result<Box<Credentials>, Thrown> {
        guard_result(|| {
            let requests = requests.iter().map(request).collect();
            Ok(Box::new(Credentials(self.0.load(requests, ask))))
        })
    }
}

impl From<&Arc<Pair>> for ffi::StapleFacts {
    fn from(pair: &Arc<Pair>) -> Self {
        Self {
            id: pair.id(),
            pem: match &pair.chain()[..] {
                [leaf, issuer, ..] => x509::pem(leaf) + &x509::pem(issuer),
                _ => String::new(),
            },
            names: pair.leaf.names_for_people(),
            must: pair.leaf.must_staple,
            responder: pair.leaf.has_responder,
            stapled: pair.stapled.is_some(),
        }
    }
}

impl From<&Arc<Pair>> for ffi::CertificateFacts {
    fn from(pair: &Arc<Pair>) -> Self {
        Self {
            key: pair.kind.to_string(),
            subject: pair.leaf.display.to_string(),
            names: pair.leaf.names_for_people(),
            not_after: time::date(pair.leaf.not_after),
            days_left: creds::chain::days_left(pair.leaf.not_after, clock::now()),
            chain_length: pair.chain().len(),
        }
    }
}

impl From<&creds::Problem> for ffi::Problem {
    fn from(problem: &creds::Problem) -> Self {
        Self {
            severity: problem.severity.into(),
            request: problem.request,
            place: problem.place.clone(),
            text: problem.text.clone(),
        }
    }
}

impl From<creds::Severity> for ffi::Severity {
    fn from(severity: creds::Severity) -> Self {
        match severity {
            creds::Severity::Notice => Self::Notice,
            creds::Severity::Warning => Self::Warning,
            creds::Severity::Kept => Self::Kept,
            creds::Severity::Error => Self::Error,
        }
    }
}

/// The request that C++ means.
pub(crate) fn request(from: &ffi::LoadRequest) -> LoadRequest {
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    let pair = |p: &ffi::CertificatePair| PairRequest {
        certificate: p.certificate.clone(),
        key: given(&p.key),
        staple: from.staples.then(|| format!("{}.ocsp", p.certificate)),
        place: p.place.clone(),
        key_place: p.key_place.clone(),
    };
    let file_at = |file: &ffi::FileAt| FileAt {
        path: file.path.clone(),
        place: file.place.clone(),
    };
    LoadRequest {
        host: from.host.clone(),
        names: from.names.clone(),
        passphrase: from.passphrase.clone(),
        pairs: from.pairs.iter().map(pair).collect(),
        spare_keys: from.spare_keys.iter().map(file_at).collect(),
        chain: Some(file_at(&from.chain)).filter(|file| !file.path.is_empty()),
        authorities: given(&from.authorities),
        strict: from.strict,
        placeholder: from.placeholder,
        signatures: SignatureRequest {
            schemes: schemes(&from.signatures),
            tls13: from.tls13,
            tls12: from.tls12,
            place: from.signatures_place.clone(),
            suites: Suites12 {
                rsa: from.suites_rsa,
                ecdsa: from.suites_ecdsa,
                place: from.suites_place.clone(),
            },
        },
    }
}
