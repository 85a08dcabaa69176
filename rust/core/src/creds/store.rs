//! Loads the certificates and keys of all virtual hosts.
//!
//! Nothing is done twice: a file is read once, what has equal bytes is parsed once, equal lists of pairs are one
//! [`CertSet`]. A [`Store`] that is kept also remembers files by their identity, so that a restart parses only what
//! changed.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::assemble::{Report, Run};
use super::certificate::{Certificates, KnownIssuers};
use super::key::PrivateKey;
use super::passphrase::Passphrases;
use super::problem::{Problem, Severity};
use super::select::{CertSet, Pair};
use super::shelf::{Desk, Row, StapleFile};
use super::signatures::SignatureRequest;
use super::{chain, placeholder};
use crate::file::Identity;

/// What one virtual host wants loaded.
#[derive(Clone, Debug, Default)]
pub struct LoadRequest {
    /// `ServerName:port`, as pass phrase programs are told it.
    pub host: String,
    /// Names that the certificates should cover: ServerName and those aliases that are no patterns.
    pub names: Vec<String>,
    /// Where to ask for pass phrases: `builtin` (or nothing), `|program`, `exec:program`, `file:path`.
    pub passphrase: String,
    /// Certificates in the order of the configuration.
    pub pairs: Vec<PairRequest>,
    /// Key files beyond the certificates' number; each may fit one of them.
    pub spare_keys: Vec<String>,
    /// SSLCertificateChainFile: what is sent behind the server's own certificate, in place of what its file holds.
    pub chain: Option<String>,
    /// Authorities among which issuers are looked for where a file holds the server's own certificate alone, as OpenSSL
    /// does with SSLCACertificateFile.
    pub authorities: Option<String>,
    /// Where there is nothing else to serve, a placeholder is made.
    pub placeholder: bool,
    /// Our own words: a chain out of order is an error, and each key belongs to the certificate it is named with.
    /// mod_ssl's words: it is a warning, and keys find their certificates by themselves.
    pub strict: bool,
    /// What handshakes may be signed with.
    pub signatures: SignatureRequest,
}

impl LoadRequest {
    /// The files of this virtual host.
    pub fn files(&self) -> Vec<&str> {
        let mut files = Vec::new();
        for pair in &self.pairs {
            files.push(pair.certificate.as_str());
            files.extend(pair.key.as_deref());
            files.extend(pair.staple.as_deref());
        }
        files.extend(self.spare_keys.iter().map(String::as_str));
        files.extend(self.chain.as_deref());
        files.extend(self.authorities.as_deref());
        files
    }
}

/// One certificate with its key.
#[derive(Clone, Debug, Default)]
pub struct PairRequest {
    /// File of the certificate and its chain.
    pub certificate: String,
    /// File of the key; `None` where it is in the certificate's file.
    pub key: Option<String>,
    /// File with an OCSP response about the certificate, which need not be there.
    pub staple: Option<String>,
    /// `file:line` in the configuration.
    pub place: String,
}

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
    files: Vec<Row>,
    pairs: Vec<(PairKey, Arc<Pair>)>,
    issuers: KnownIssuers,
    /// Time from which another load may find other problems than the last one, which found none; else 0.
    good_until: i64,
    /// By the names they are for.
    placeholders: HashMap<Vec<String>, Arc<CertSet>>,
}

/// What a pair was made of.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PairKey {
    pub(super) own: Shared<Certificates>,
    pub(super) key: Shared<PrivateKey>,
    pub(super) issuers: Option<(Shared<Certificates>, Issuers)>,
    pub(super) staple: Option<Shared<StapleFile>>,
}

/// The same only as itself. What has equal bytes is parsed once, so that this says whether files were equal.
#[derive(Debug)]
pub(super) struct Shared<T>(pub(super) Arc<T>);

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Eq for Shared<T> {}

impl<T> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// How the certificates behind the server's own are taken from a further file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Issuers {
    /// All but the first so many.
    Behind(usize),
    /// Those that issued the one before, as far as they are there.
    Among,
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
        let desk = Desk::new(std::mem::take(&mut self.files), changed);
        let pairs = std::mem::take(&mut self.pairs);
        let mut run = Run::new(desk, pairs, &mut self.issuers, passphrases);
        let mut report = Report::default();
        let mut sets: HashMap<Vec<*const Pair>, Arc<CertSet>> = HashMap::new();
        for (index, request) in requests.iter().enumerate() {
            let pairs = run.load_request(index, request, &mut report);
            let identity = pairs.iter().map(Arc::as_ptr).collect();
            report.sets.push((!pairs.is_empty()).then(|| {
                Arc::clone(
                    sets.entry(identity)
                        .or_insert_with(|| Arc::new(CertSet::new(pairs))),
                )
            }));
        }
        (self.files, self.pairs) = run.into_parts();
        self.issuers.retain(|der, _| Arc::strong_count(der) > 1);
        self.good_until = match report.problems.is_empty() {
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
        let differs = |row: &&Row| Identity::of(&*row.path).ok() != row.look;
        let changed = self.files.iter().filter(differs);
        changed.map(|row| row.path.to_string()).collect()
    }

    /// Whether the same requests would still be answered without a problem where no file changed.
    pub fn is_good(&self) -> bool {
        chain::now() < self.good_until
    }

    /// Every file that was named, as it looked before it was read; `None` where it was not there.
    pub fn looks(&self) -> impl Iterator<Item = (&str, Option<Identity>)> {
        self.files.iter().map(|row| (&*row.path, row.look))
    }

    /// Has these files count as changed.
    pub fn forget_looks(&mut self, files: &HashSet<String>) {
        let rows = self.files.iter_mut();
        rows.filter(|row| files.contains(&*row.path))
            .for_each(|row| row.look = None);
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
                let pair = placeholder::make(&request.names, chain::now())?;
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
            let place = &request.signatures.place;
            report
                .problems
                .extend(faults.map(|fault| fault.into_problem(index, place)));
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
