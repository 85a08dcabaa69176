// SPDX-License-Identifier: Apache-2.0
//! `CredentialStore` and `Credentials` for C++.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mod_tls_core::agent::child::current_certificates::{CurrentCertificates, HostCertificates};
use mod_tls_core::creds::{
    self, CertSet, Dialog, FileAt, LoadRequest, PairRequest, Passphrases, SignatureRequest,
    Unchecked, standing,
};
use mod_tls_core::tls::context::CertificateSource;
use mod_tls_core::tls::signatures::schemes;
use mod_tls_core::x509;

use crate::ffi;
use crate::guard::{guard, guard_result};

/// How long a start or restart may take longer for the sake of compressed certificates: enough for a hundred.
const COMPRESSING: Duration = Duration::from_millis(20);

/// Files as they were parsed; owned by the process pool, so that restarts parse only what changed.
#[derive(Default)]
pub struct CredentialStore {
    store: creds::Store,
    /// What was loaded last, and what came of it.
    requests: Vec<LoadRequest>,
    sets: Vec<Option<Arc<CertSet>>>,
}

/// The certificates of all virtual hosts of one configuration; owned by the configuration pool.
pub struct Credentials {
    certificates: Arc<CurrentCertificates>,
    hosts: Vec<Arc<HostCertificates>>,
    problems: Vec<creds::Problem>,
    weaknesses: Vec<String>,
}

impl Credentials {
    /// Credentials of `live`; `weaknesses` are what is less separate than it should be.
    pub(crate) fn new(
        certificates: Arc<CurrentCertificates>,
        problems: Vec<creds::Problem>,
        weaknesses: Vec<String>,
    ) -> Self {
        let host = |index| {
            Arc::new(HostCertificates {
                certificates: Arc::clone(&certificates),
                index,
            })
        };
        let hosts = (0..certificates.len()).map(host).collect();
        Self {
            certificates,
            hosts,
            problems,
            weaknesses,
        }
    }

    /// Certificates of one virtual host; `None` where it has none that can be used.
    pub(crate) fn source(&self, index: u32) -> Option<Arc<dyn CertificateSource>> {
        let host = self.hosts.get(usize::try_from(index).ok()?)?;
        self.certificates.set(host.index)?;
        Some(Arc::clone(host) as Arc<dyn CertificateSource>)
    }

    /// The certificates of one virtual host, as they are now.
    pub(crate) fn set(&self, index: usize) -> Option<Arc<creds::CertSet>> {
        self.certificates.set(index)
    }

    /// See the bridge.
    pub fn staple_facts(&self, index: usize) -> Vec<ffi::StapleFacts> {
        let facts = |pair: &Arc<creds::Pair>| ffi::StapleFacts {
            id: pair.id(),
            pem: match &pair.chain()[..] {
                [leaf, issuer, ..] => x509::pem(leaf) + &x509::pem(issuer),
                _ => String::new(),
            },
            names: pair.leaf.names_for_people(),
            must: pair.leaf.must_staple,
            responder: pair.leaf.has_responder,
            stapled: pair.stapled.is_some(),
        };
        guard(Vec::new, || {
            let set = self.certificates.set(index);
            let set = set.filter(|set| !set.is_placeholder());
            set.map(|set| set.pairs().iter().map(facts).collect())
                .unwrap_or_default()
        })
    }

    /// See the bridge.
    pub fn is_placeholder(&self, index: usize) -> bool {
        guard(
            || false,
            || {
                self.certificates
                    .set(index)
                    .is_some_and(|set| set.is_placeholder())
            },
        )
    }

    /// See the bridge.
    pub fn compress(&self, indices: &[u32]) {
        let end = Instant::now() + COMPRESSING;
        let sets = indices
            .iter()
            .filter_map(|index| self.certificates.set(usize::try_from(*index).ok()?));
        guard(
            || (),
            || {
                sets.take_while(|_| Instant::now() < end)
                    .for_each(|set| set.pairs().iter().for_each(|pair| pair.pack()));
            },
        );
    }

    /// See the bridge.
    pub fn weaknesses(&self) -> Vec<String> {
        guard(Vec::new, || self.weaknesses.clone())
    }

    /// See the bridge.
    pub fn problems(&self) -> Vec<ffi::Problem> {
        let severity = |severity| match severity {
            creds::Severity::Notice => ffi::Severity::Notice,
            creds::Severity::Warning => ffi::Severity::Warning,
            creds::Severity::Kept => ffi::Severity::Kept,
            creds::Severity::Error => ffi::Severity::Error,
        };
        let problem = |p: &creds::Problem| ffi::Problem {
            severity: severity(p.severity),
            request: p.request,
            place: p.place.clone(),
            text: p.text.clone(),
        };
        guard(Vec::new, || self.problems.iter().map(problem).collect())
    }

    /// See the bridge.
    pub fn describe(&self, index: usize) -> Vec<ffi::CertificateFacts> {
        guard(Vec::new, || self.facts(index))
    }

    fn facts(&self, index: usize) -> Vec<ffi::CertificateFacts> {
        let now = mod_tls_core::x509::time::now();
        let set = self.certificates.set(index);
        let facts = |pair: &Arc<creds::Pair>| ffi::CertificateFacts {
            key: pair.kind.to_string(),
            subject: pair.leaf.display.to_string(),
            names: pair.leaf.names_for_people(),
            not_after: mod_tls_core::x509::time::date(pair.leaf.not_after),
            days_left: creds::chain::days_left(pair.leaf.not_after, now),
            chain_length: pair.chain().len(),
        };
        set.map(|set| set.pairs().iter().map(facts).collect())
            .unwrap_or_default()
    }
}

/// See the bridge.
pub fn new_credential_store() -> Box<CredentialStore> {
    let empty = || Box::new(CredentialStore::default());
    guard(empty, empty)
}

impl CredentialStore {
    /// See the bridge.
    pub fn load(
        &mut self,
        requests: &[ffi::LoadRequest],
        ask: bool,
    ) -> Result<Box<Credentials>, String> {
        guard_result(|| {
            let requests: Vec<_> = requests.iter().map(request).collect();
            let passphrases: &mut dyn Passphrases = if ask {
                &mut Dialog::default()
            } else {
                &mut Unchecked
            };
            let mut report = self.store.load(&requests, passphrases);
            if !report.is_good() {
                let before = standing::before(&self.requests, &self.sets);
                standing::stand_in(&before, &requests, &mut report);
            }
            self.store.fill_gaps(&requests, &mut report);
            self.requests = requests;
            self.sets.clone_from(&report.sets);
            // Children share what is made before they are forked.
            let pairs = report.sets.iter().flatten().flat_map(|set| set.pairs());
            pairs.for_each(|pair| {
                pair.certified();
            });
            let certificates = CurrentCertificates::fixed(report.sets);
            Ok(Box::new(Credentials::new(
                certificates,
                report.problems,
                Vec::new(),
            )))
        })
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
        },
    }
}
