// SPDX-License-Identifier: Apache-2.0
//! Loads the certificates and keys of all virtual hosts.
//!
//! Nothing is done twice: a file is read once, what has equal bytes is parsed once, equal lists of pairs are one
//! [`CertSet`]. A [`Store`] that is kept also remembers files by their identity, so that a restart parses only what
//! changed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::certificate::KnownIssuers;
use super::file_cache::{CachedFile, LoadPass};
use super::loaded::PairKey;
use super::loader::{Load, Report};
use super::passphrase::Passphrases;
use super::placeholder;
use super::request::LoadRequest;
use super::select::{CertSet, Pair};
use super::severity::{Problem, Severity, only_notices};
use crate::system::file::FileIdentity;

/// What came of it.
#[derive(Debug, Default)]
pub struct LoadReport {
    /// One for each request, in order; `None` where no pair of it can be used.
    pub sets: Vec<Option<Arc<CertSet>>>,
    /// In the order of the requests.
    pub problems: Vec<Problem>,
    /// Requests, by index, whose file of authorities could not be read for issuers.
    pub no_issuers: HashSet<usize>,
}

impl LoadReport {
    /// Whether there is nothing for which something of before would have to stand in.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && self.no_issuers.is_empty()
    }
}

/// Loads once, keeping nothing.
pub fn load(requests: &[LoadRequest], passphrases: &mut dyn Passphrases) -> LoadReport {
    Store::default().load(requests, passphrases)
}

/// Parsed files, and the pairs made of them.
#[derive(Debug, Default)]
pub struct Store {
    files: Vec<CachedFile>,
    pairs: Vec<(PairKey, Arc<Pair>)>,
    issuers: KnownIssuers,
    /// Time from which another load may find other problems than the last one, which found none; else 0.
    good_until: i64,
    /// By the names they are for.
    placeholders: HashMap<Vec<String>, Arc<CertSet>>,
}

impl Store {
    /// Loads what the requests name; what no request names any more is forgotten.
    pub fn load(
        &mut self,
        requests: &[LoadRequest],
        passphrases: &mut dyn Passphrases,
    ) -> LoadReport {
        self.run(requests, passphrases, None)
    }

    /// Loads the same requests again after these files changed; how others look now is not asked.
    pub fn reload(
        &mut self,
        requests: &[LoadRequest],
        passphrases: &mut dyn Passphrases,
        changed: &HashSet<String>,
    ) -> LoadReport {
        self.run(requests, passphrases, Some(changed))
    }

    fn run(
        &mut self,
        requests: &[LoadRequest],
        passphrases: &mut dyn Passphrases,
        changed: Option<&HashSet<String>>,
    ) -> LoadReport {
        let files = LoadPass::new(std::mem::take(&mut self.files), changed);
        let pairs = std::mem::take(&mut self.pairs);
        let mut load = Load::new(files, pairs, &mut self.issuers, passphrases);
        let mut report = Report::default();
        let mut sets: HashMap<Vec<(usize, *const Pair)>, Arc<CertSet>> = HashMap::new();
        for (index, request) in requests.iter().enumerate() {
            let pairs = load.load_request(index, request, &mut report);
            let identity = pairs
                .iter()
                .map(|(place, pair)| (*place, Arc::as_ptr(pair)));
            let identity = identity.collect();
            report.sets.push((!pairs.is_empty()).then(|| {
                Arc::clone(
                    sets.entry(identity)
                        .or_insert_with(|| Arc::new(CertSet::of(pairs))),
                )
            }));
        }
        (self.files, self.pairs) = load.into_parts();
        self.issuers.retain(|der, _| Arc::strong_count(der) > 1);
        self.good_until = match only_notices(&report.problems) {
            true => self.pairs.iter().map(good_until).min().unwrap_or(i64::MAX),
            false => 0,
        };
        LoadReport {
            sets: report.sets,
            problems: report.problems,
            no_issuers: report.no_issuers,
        }
    }

    /// Looks at every file that was named; gives those that look otherwise now.
    pub fn changed(&self) -> HashSet<String> {
        let differs = |file: &&CachedFile| FileIdentity::of(&*file.path).ok() != file.look;
        let changed = self.files.iter().filter(differs);
        changed.map(|file| file.path.to_string()).collect()
    }

    /// Whether the same requests would still be answered without a problem where no file changed.
    pub fn is_good(&self) -> bool {
        crate::system::clock::now() < self.good_until
    }

    /// Every file that was named, as it looked before it was read; `None` where it was not there.
    pub fn looks(&self) -> impl Iterator<Item = (&str, Option<FileIdentity>)> {
        self.files.iter().map(|file| (&*file.path, file.look))
    }

    /// Has these files count as changed.
    pub fn forget_looks(&mut self, files: &HashSet<String>) {
        let known = self.files.iter_mut();
        known
            .filter(|file| files.contains(&*file.path))
            .for_each(|file| file.look = None);
    }

    /// Gives placeholders to the requests that want one and have nothing else. What kept a file from being loaded is
    /// then no reason to stop, unless somebody without a placeholder needs that file.
    pub fn fill_gaps(&mut self, requests: &[LoadRequest], report: &mut LoadReport) {
        let mut used = HashMap::new();
        for (request, set) in requests.iter().zip(&mut report.sets) {
            if !request.placeholder || set.is_some() {
                continue;
            }
            let known = self.placeholders.get(&request.names).cloned();
            let made = || {
                let pair = placeholder::make(&request.names, crate::system::clock::now())?;
                Some(Arc::new(CertSet::new(vec![Arc::new(pair)])))
            };
            *set = known.or_else(made);
            if let Some(set) = &set {
                used.insert(request.names.clone(), Arc::clone(set));
            }
        }
        self.placeholders = used;
        let without = requests
            .iter()
            .zip(&report.sets)
            .filter(|(_, set)| set.is_none());
        let needed: HashSet<&str> = without.flat_map(|(request, _)| request.files()).collect();
        for problem in &mut report.problems {
            let set = report.sets.get(problem.request).and_then(Option::as_ref);
            if problem.severity == Severity::Error
                && set.is_some_and(|set| set.is_placeholder())
                && !needed.contains(problem.file.as_str())
            {
                problem.severity = Severity::Warning;
                problem
                    .text
                    .push_str("; a placeholder is served until then");
            }
        }
        for (index, (request, set)) in requests.iter().zip(&report.sets).enumerate() {
            let placeholder = set.iter().filter(|set| set.is_placeholder());
            let pairs = placeholder.flat_map(|set| set.pairs());
            let pairs: Vec<_> = pairs.map(|p| (Arc::clone(p), "the placeholder")).collect();
            let faults = request.signatures.check(&pairs).into_iter();
            report.problems.extend(faults.map(|fault| {
                let place = request.signatures.place_of(&fault).to_owned();
                fault.into_problem(index, &place)
            }));
        }
    }
}

/// Until when nothing is wrong with a pair because of the time.
fn good_until((made, pair): &(PairKey, Arc<Pair>)) -> i64 {
    let further = made.issuers.iter().flat_map(|(file, _)| &*file.0.fields);
    let certificates = made.own.0.fields.iter().chain(further);
    let staple = pair.stapled.as_ref().map(|stapled| stapled.staple.until);
    let ends = certificates.map(|certificate| certificate.not_after);
    ends.chain(staple).min().unwrap_or_default()
}
