//! Loads the certificates and keys of all virtual hosts.
//!
//! Nothing is done twice: a file is read once, what has equal bytes is parsed once, equal lists of pairs are one
//! [`CertSet`]. A [`Store`] that is kept also remembers files by their identity, so that a restart parses only what
//! changed.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use rustls::sign::CertifiedKey;

use super::certificate::{Certificates, find_certificates};
use super::decrypt::decrypt_key;
use super::key::{FoundKey, PrivateKey, find_key};
use super::passphrase::{Passphrases, Question};
use super::problem::{Fault, Problem};
use super::select::{CertSet, Pair};
use super::shelf::{Digest, FileBytes, Item, Shelf};
use super::{chain, pem};

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
    /// Our own words: a chain out of order is an error, and each key belongs to the certificate it is named with.
    /// mod_ssl's words: it is a warning, and keys find their certificates by themselves.
    pub strict: bool,
}

/// One certificate with its key.
#[derive(Clone, Debug, Default)]
pub struct PairRequest {
    /// File of the certificate and its chain.
    pub certificate: String,
    /// File of the key; `None` where it is in the certificate's file.
    pub key: Option<String>,
    /// Further certificates of the chain.
    pub chain: Option<String>,
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
}

/// Loads once, keeping nothing.
pub fn load(requests: &[LoadRequest], passphrases: &mut dyn Passphrases) -> LoadReport {
    Store::default().load(requests, passphrases)
}

/// Parsed files, by path and by content.
#[derive(Debug, Default)]
pub struct Store {
    chains: Shelf<Certificates>,
    keys: Shelf<PrivateKey>,
    pairs: HashMap<(Digest, Digest, Digest), Arc<Pair>>,
}

impl Store {
    /// Loads what the requests name; what no request names any more is forgotten.
    pub fn load(
        &mut self,
        requests: &[LoadRequest],
        passphrases: &mut dyn Passphrases,
    ) -> LoadReport {
        let mut run = Run {
            store: self,
            passphrases,
            now: chain::now(),
            last: None,
            failed: HashMap::new(),
        };
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
        self.forget(requests);
        LoadReport {
            sets: report.sets,
            problems: report.problems,
        }
    }

    fn forget(&mut self, requests: &[LoadRequest]) {
        let mut named = HashSet::new();
        for pair in requests.iter().flat_map(|r| &r.pairs) {
            named.insert(pair.certificate.as_str());
            named.extend(pair.key.as_deref());
            named.extend(pair.chain.as_deref());
        }
        self.chains.keep(&named);
        self.keys.keep(&named);
        let (chains, keys) = (&self.chains, &self.keys);
        self.pairs
            .retain(|(chain, key, _), _| chains.holds(chain) && keys.holds(key));
    }
}

/// Collects problems; the same line of the configuration is blamed for the same thing once, however many virtual hosts
/// inherit it.
#[derive(Default)]
struct Report {
    sets: Vec<Option<Arc<CertSet>>>,
    problems: Vec<Problem>,
    said: HashSet<(String, String)>,
}

impl Report {
    fn add(&mut self, request: usize, place: &str, fault: Fault) {
        let problem = fault.into_problem(request, place);
        if self
            .said
            .insert((problem.place.clone(), problem.text.clone()))
        {
            self.problems.push(problem);
        }
    }
}

/// One run of [`Store::load`].
struct Run<'s, 'p> {
    store: &'s mut Store,
    passphrases: &'p mut dyn Passphrases,
    now: i64,
    /// The file read last: certificate and key are often in one.
    last: Option<(String, Rc<FileBytes>)>,
    /// What was wrong with files in this run, so that each is tried once.
    failed: HashMap<(String, bool), Fault>,
}

/// A pair of a request as far as its files could be read.
struct Candidate<'a> {
    request: &'a PairRequest,
    chain: Option<Item<Certificates>>,
    extra: Option<Item<Certificates>>,
    key: Option<Item<PrivateKey>>,
}

impl Run<'_, '_> {
    fn load_request(
        &mut self,
        index: usize,
        request: &LoadRequest,
        report: &mut Report,
    ) -> Vec<Arc<Pair>> {
        let mut candidates = Vec::new();
        for (number, pair) in request.pairs.iter().enumerate() {
            let mut take = |fault: Fault| report.add(index, &pair.place, fault);
            let chain = self.chain(&pair.certificate).map_err(&mut take).ok();
            let question = Question {
                source: &request.passphrase,
                host: &request.host,
                index: number,
                ..Question::default()
            };
            let key = match (&chain, &pair.key) {
                (None, None) => None, // one file, and what is wrong with it has been said
                _ => self.key(pair, &question).map_err(&mut take).ok(),
            };
            let extra = pair
                .chain
                .as_deref()
                .and_then(|f| self.chain(f).map_err(&mut take).ok());
            candidates.push(Candidate {
                request: pair,
                chain,
                extra,
                key,
            });
        }
        let mut pairs: Vec<(Arc<Pair>, String)> = Vec::new();
        for candidate in &candidates {
            let place = &candidate.request.place;
            match self.join(candidate, &candidates, request.strict) {
                Ok(Some((pair, faults))) => {
                    faults.into_iter().for_each(|f| report.add(index, place, f));
                    let file = &candidate.request.certificate;
                    let twin = pairs.iter().find(|(p, _)| p.kind.same_clients(pair.kind));
                    let twin = twin.map(|(_, first)| Fault::SameKind {
                        file: file.clone(),
                        first: first.clone(),
                        kind: pair.kind.to_string(),
                    });
                    let names = chain::check_names(file, &pair.leaf, &request.names);
                    twin.into_iter()
                        .chain(names)
                        .for_each(|f| report.add(index, place, f));
                    pairs.push((pair, file.clone()));
                }
                Ok(None) => {}
                Err(fault) => report.add(index, place, fault),
            }
        }
        pairs.into_iter().map(|(pair, _)| pair).collect()
    }

    /// Brings certificate and key together; `None` where one of them is missing, which has been said.
    #[allow(clippy::type_complexity)]
    fn join(
        &mut self,
        candidate: &Candidate<'_>,
        all: &[Candidate<'_>],
        strict: bool,
    ) -> Result<Option<(Arc<Pair>, Vec<Fault>)>, Fault> {
        let (Some(chain), Some(own)) = (&candidate.chain, &candidate.key) else {
            return Ok(None);
        };
        let Some(leaf) = chain.value.fields.first() else {
            return Ok(None);
        };
        let fits = |key: &&Item<PrivateKey>| key.value.public == leaf.public;
        let others = all
            .iter()
            .filter_map(|c| c.key.as_ref())
            .filter(|_| !strict);
        let Some(key) = std::iter::once(own).chain(others).find(fits) else {
            return Err(mismatch(candidate, &own.value, &chain.value, all));
        };
        let file = &candidate.request.certificate;
        let extra = candidate.extra.as_ref();
        let digest = (
            chain.digest,
            key.digest,
            extra.map_or([0; 32], |e| e.digest),
        );
        let mut fields = chain.value.fields.clone();
        fields.extend(
            extra
                .into_iter()
                .flat_map(|e| e.value.fields.iter().cloned()),
        );
        let faults = chain::check(file, &fields, strict, self.now);
        let pair = self.store.pairs.entry(digest).or_insert_with(|| {
            let mut ders = chain.value.ders.clone();
            ders.extend(extra.into_iter().flat_map(|e| e.value.ders.iter().cloned()));
            // Not from_der(): it would have webpki judge our own certificate.
            let certified = Arc::new(CertifiedKey::new(ders, Arc::clone(&key.value.signing)));
            Arc::new(Pair {
                certified,
                kind: key.value.kind,
                leaf: Arc::clone(leaf),
            })
        });
        Ok(Some((Arc::clone(pair), faults)))
    }

    fn chain(&mut self, path: &str) -> Result<Item<Certificates>, Fault> {
        if let Some(fault) = self.failed.get(&(path.to_owned(), false)) {
            return Err(fault.clone());
        }
        self.read_chain(path).inspect_err(|fault| {
            self.failed.insert((path.to_owned(), false), fault.clone());
        })
    }

    fn read_chain(&mut self, path: &str) -> Result<Item<Certificates>, Fault> {
        if let Some(item) = self.store.chains.known(path) {
            return Ok(item);
        }
        let file = self.read(path)?;
        let value = match self.store.chains.equal(&file) {
            Some(known) => known,
            None => {
                let found = find_certificates(path, &file.bytes)?;
                if found.ders.is_empty() {
                    return Err(nothing_found(path, &file.bytes, |holds| {
                        Fault::NoCertificate {
                            file: path.to_owned(),
                            holds,
                        }
                    }));
                }
                Arc::new(found)
            }
        };
        Ok(self.store.chains.add(path, &file, value))
    }

    /// The key of a pair. Where its file is the certificate's and that one cannot be read, it has been said.
    fn key(
        &mut self,
        pair: &PairRequest,
        question: &Question<'_>,
    ) -> Result<Item<PrivateKey>, Fault> {
        let path = pair.key.as_ref().unwrap_or(&pair.certificate);
        if let Some(fault) = self.failed.get(&(path.clone(), true)) {
            return Err(fault.clone());
        }
        let result = self.read_key(path, question).map_err(|fault| match fault {
            Fault::NoKey { file } if pair.key.is_none() => Fault::NoKeyBeside { file },
            other => other,
        });
        result.inspect_err(|fault| {
            self.failed.insert((path.clone(), true), fault.clone());
        })
    }

    fn read_key(&mut self, path: &str, question: &Question<'_>) -> Result<Item<PrivateKey>, Fault> {
        if let Some(item) = self.store.keys.known(path) {
            return Ok(item);
        }
        let file = self.read(path)?;
        let value = match self.store.keys.equal(&file) {
            Some(known) => known,
            None => Arc::new(match find_key(path, &file.bytes) {
                Ok(FoundKey::Plain(key)) => key,
                Ok(FoundKey::Encrypted(block)) => decrypt_key(
                    &block,
                    &Question {
                        file: path,
                        ..*question
                    },
                    self.passphrases,
                )?,
                Err(Fault::NoKey { file: name }) => {
                    return Err(nothing_found(path, &file.bytes, |_| Fault::NoKey {
                        file: name,
                    }));
                }
                Err(fault) => return Err(fault),
            }),
        };
        Ok(self.store.keys.add(path, &file, value))
    }

    fn read(&mut self, path: &str) -> Result<Rc<FileBytes>, Fault> {
        if let Some((last, file)) = &self.last
            && last == path
        {
            return Ok(Rc::clone(file));
        }
        let file = Rc::new(FileBytes::read(path)?);
        self.last = Some((path.to_owned(), Rc::clone(&file)));
        Ok(file)
    }
}

/// What to say of a file without the block that was looked for: that it is no PEM file at all, or what else it holds.
fn nothing_found(path: &str, bytes: &[u8], otherwise: impl FnOnce(String) -> Fault) -> Fault {
    let file = path.to_owned();
    let labels: Vec<String> = pem::blocks(bytes)
        .flatten()
        .map(|b| b.label.to_owned())
        .collect();
    match (labels.is_empty(), bytes.first()) {
        (false, _) => otherwise(format!("\"{}\"", labels.join("\", \""))),
        (true, Some(0x30)) => Fault::IsDer { file },
        (true, _) => Fault::NotPem { file },
    }
}

/// Says why no key fits: the certificate stands in the wrong place, or the key is another certificate's.
fn mismatch(
    candidate: &Candidate<'_>,
    key: &PrivateKey,
    chain: &Certificates,
    all: &[Candidate<'_>],
) -> Fault {
    let request = candidate.request;
    if let Some(position) = chain.fields.iter().position(|c| c.public == key.public) {
        return Fault::LeafNotFirst {
            file: request.certificate.clone(),
            position: position + 1,
        };
    }
    let owner = all.iter().find(|c| {
        c.chain
            .as_ref()
            .and_then(|i| i.value.fields.first())
            .is_some_and(|l| l.public == key.public)
    });
    Fault::KeyMismatch {
        key: request.key.as_ref().unwrap_or(&request.certificate).clone(),
        certificate: request.certificate.clone(),
        hint: owner.map_or(String::new(), |c| format!(" ({})", c.request.certificate)),
    }
}
