// SPDX-License-Identifier: Apache-2.0
//! What one configuration serves: the certificates of its virtual hosts, wherever their keys are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::agent::child::current_certificates::{CurrentCertificates, HostCertificates};
use crate::agent::parent::Loaded;
use crate::creds::{
    self, CertSet, Dialog, LoadRequest, Pair, Passphrases, Problem, Unchecked, standing,
};
use crate::tls::context::CertificateSource;

/// How long a start or restart may take longer for the sake of compressed certificates: enough for a hundred.
const COMPRESSING: Duration = Duration::from_millis(20);

/// Files as they were parsed, so that restarts parse only what changed.
#[derive(Debug, Default)]
pub struct CredentialStore {
    store: creds::Store,
    /// What was loaded last, and what came of it.
    requests: Vec<LoadRequest>,
    sets: Vec<Option<Arc<CertSet>>>,
}

impl CredentialStore {
    /// Loads what the requests name; with `ask` somebody may be asked for pass phrases. Faults of files are problems of the
    /// result.
    pub fn load(&mut self, requests: Vec<LoadRequest>, ask: bool) -> Credentials {
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
        Credentials::new(certificates, report.problems, Vec::new())
    }
}

/// The certificates of all virtual hosts of one configuration.
#[derive(Debug)]
pub struct Credentials {
    certificates: Arc<CurrentCertificates>,
    hosts: Vec<Arc<HostCertificates>>,
    /// What is wrong, in the order of the requests.
    pub problems: Vec<Problem>,
    /// What is less separate than it should be, each with its reason.
    pub weaknesses: Vec<String>,
}

impl From<Loaded> for Credentials {
    fn from(loaded: Loaded) -> Self {
        let weaknesses = loaded.weaknesses.clauses();
        Self::new(loaded.certificates, loaded.problems, weaknesses)
    }
}

impl Credentials {
    fn new(
        certificates: Arc<CurrentCertificates>,
        problems: Vec<Problem>,
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
    pub fn source(&self, index: u32) -> Option<Arc<dyn CertificateSource>> {
        let host = self.hosts.get(usize::try_from(index).ok()?)?;
        self.certificates.set(host.index)?;
        Some(Arc::clone(host) as Arc<dyn CertificateSource>)
    }

    /// The certificates of one virtual host, as they are now.
    pub fn set(&self, index: usize) -> Option<Arc<CertSet>> {
        self.certificates.set(index)
    }

    /// The same, one by one, placeholders included.
    pub fn pairs(&self, index: usize) -> Vec<Arc<Pair>> {
        let set = self.set(index);
        set.map_or_else(Vec::new, |set| set.pairs().to_vec())
    }

    /// The same without placeholders.
    pub fn real_pairs(&self, index: usize) -> Vec<Arc<Pair>> {
        let set = self.set(index).filter(|set| !set.is_placeholder());
        set.map_or_else(Vec::new, |set| set.pairs().to_vec())
    }

    /// Whether a virtual host has a placeholder now.
    pub fn is_placeholder(&self, index: usize) -> bool {
        self.set(index).is_some_and(|set| set.is_placeholder())
    }

    /// Compresses the certificates of these virtual hosts, as many as a short time allows; the others are compressed when a
    /// client has asked for them.
    pub fn compress(&self, indices: &[u32]) {
        let end = Instant::now() + COMPRESSING;
        let indices = indices
            .iter()
            .filter_map(|index| usize::try_from(*index).ok());
        let sets = indices.filter_map(|index| self.set(index));
        sets.take_while(|_| Instant::now() < end)
            .for_each(|set| set.pairs().iter().for_each(|pair| pair.pack()));
    }
}
