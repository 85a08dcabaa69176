//! Brings certificates, keys and issuers of a virtual host together.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use rustls::sign::CertifiedKey;

use super::certificate::{Certificate, Certificates, find_certificates};
use super::decrypt::decrypt_key;
use super::file::Identity;
use super::key::{FoundKey, PrivateKey, find_key};
use super::passphrase::{Passphrases, Question};
use super::problem::{Fault, Problem};
use super::select::{CertSet, Pair};
use super::shelf::{FileBytes, Item};
use super::store::{Issuers, LoadRequest, PairKey, PairRequest, Store};
use super::{chain, pem};

/// Collects problems; the same line of the configuration is blamed for the same thing once, however many virtual hosts
/// inherit it.
#[derive(Default)]
pub(super) struct Report {
    pub(super) sets: Vec<Option<Arc<CertSet>>>,
    pub(super) problems: Vec<Problem>,
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
pub(super) struct Run<'s, 'p> {
    store: &'s mut Store,
    passphrases: &'p mut dyn Passphrases,
    now: i64,
    /// The file read last: certificate and key are often in one.
    last: Option<(String, Rc<FileBytes>)>,
    /// What was wrong with files in this run, so that each is tried once.
    failed: HashMap<(String, bool), Fault>,
    /// How files looked before they were read in this run.
    looks: HashMap<String, Option<Identity>>,
}

/// A pair of a request as far as its files could be read.
struct Candidate<'a> {
    request: &'a PairRequest,
    chain: Option<Item<Certificates>>,
    key: Option<Item<PrivateKey>>,
}

/// A pair that can be served.
struct Joined {
    pair: Arc<Pair>,
    /// Its whole chain.
    sent: Vec<Arc<Certificate>>,
    /// Why its OCSP response cannot be.
    refused: Option<Fault>,
}

/// A further file of a request with the way in which it is used.
type Further = Option<(Item<Certificates>, Issuers)>;

impl<'s, 'p> Run<'s, 'p> {
    pub(super) fn new(store: &'s mut Store, passphrases: &'p mut dyn Passphrases) -> Run<'s, 'p> {
        Run {
            store,
            passphrases,
            now: chain::now(),
            last: None,
            failed: HashMap::new(),
            looks: HashMap::new(),
        }
    }

    /// Every file of the requests so far, as it looked before it was read.
    pub(super) fn looks(self) -> HashMap<String, Option<Identity>> {
        self.looks
    }

    /// Looks at a file once in a run.
    fn look(&mut self, path: &str) -> Option<Identity> {
        if let Some(look) = self.looks.get(path) {
            return *look;
        }
        let look = Identity::of(path).ok();
        self.looks.insert(path.to_owned(), look);
        look
    }

    /// The usable pairs of one virtual host, in the order of the configuration.
    pub(super) fn load_request(
        &mut self,
        index: usize,
        request: &LoadRequest,
        report: &mut Report,
    ) -> Vec<Arc<Pair>> {
        let mut candidates = Vec::new();
        let mut question = Question {
            source: &request.passphrase,
            host: &request.host,
            ..Question::default()
        };
        for pair in &request.pairs {
            let mut take = |fault: Fault| report.add(index, &pair.place, fault);
            let chain = self.chain(&pair.certificate).map_err(&mut take).ok();
            let key = match (&chain, &pair.key) {
                (None, None) => None, // one file, and what is wrong with it has been said
                _ => self.key(pair, &question).map_err(&mut take).ok(),
            };
            candidates.push(Candidate {
                request: pair,
                chain,
                key,
            });
            question.index += 1;
        }
        let place = request.pairs.last().map_or("", |pair| &pair.place);
        let mut spare = Vec::new();
        for file in &request.spare_keys {
            spare.extend(
                self.read_key(file, &question)
                    .map_err(|f| report.add(index, place, f)),
            );
            question.index += 1;
        }
        let further = self.further(request).unwrap_or_else(|fault| {
            report.add(index, place, fault);
            None
        });
        let mut pairs: Vec<(Arc<Pair>, &str)> = Vec::new();
        for candidate in &candidates {
            let key = find_fitting(candidate, &candidates, &spare, request.strict);
            let made = key.map(|key| key.and_then(|key| self.join(candidate, key, &further)));
            let place = &candidate.request.place;
            match made {
                Ok(Some(Joined {
                    pair,
                    sent,
                    refused,
                })) => {
                    let file = &candidate.request.certificate;
                    let faults = self.judge(file, &pair, &sent, &pairs, request);
                    let faults = faults.into_iter().chain(refused);
                    faults.for_each(|f| report.add(index, place, f));
                    if !request.strict {
                        // OpenSSL has one place for each kind of key, and the last one keeps it.
                        pairs.retain(|(p, _)| !p.kind.same_clients(pair.kind));
                    }
                    pairs.push((pair, file));
                }
                Ok(None) => {}
                Err(fault) => report.add(index, place, fault),
            }
        }
        for fault in request.signatures.check(&pairs) {
            report.add(index, &request.signatures.place, fault);
        }
        pairs.into_iter().map(|(pair, _)| pair).collect()
    }

    /// What is wrong with a pair that can be used all the same, or only in part.
    fn judge(
        &self,
        file: &str,
        pair: &Pair,
        sent: &[Arc<Certificate>],
        before: &[(Arc<Pair>, &str)],
        request: &LoadRequest,
    ) -> Vec<Fault> {
        let mut faults = chain::check(file, sent, request.strict, self.now);
        if let Some((_, first)) = before.iter().find(|(p, _)| p.kind.same_clients(pair.kind)) {
            let (used, unused) = if request.strict {
                (*first, file)
            } else {
                (file, *first)
            };
            let (file, first) = (unused.to_owned(), used.to_owned());
            faults.push(Fault::SameKind {
                file,
                first,
                kind: pair.kind.to_string(),
            });
        }
        faults.extend(chain::check_names(file, &pair.leaf, &request.names));
        faults
    }

    /// Makes the pair of a certificate and the key that fits it, with the chain to be sent.
    fn join(
        &mut self,
        candidate: &Candidate<'_>,
        key: &Item<PrivateKey>,
        further: &Further,
    ) -> Option<Joined> {
        let own = candidate.chain.as_ref()?;
        let leaf = own.value.fields.first()?;
        let among = |how: Issuers| how == Issuers::Among;
        let further = further
            .as_ref()
            .filter(|(_, how)| !among(*how) || own.value.fields.len() == 1);
        let sent = match further {
            None => Certificates::clone(&own.value),
            Some((item, Issuers::Behind(skip))) => own.value.leaf_before(&item.value, *skip),
            Some((item, Issuers::Among)) => own.value.extended_from(&item.value),
        };
        let (staple, unread) = self.staple(candidate.request);
        let made = PairKey {
            leaf_file: own.digest,
            key_file: key.digest,
            issuers: further.map(|(item, how)| (item.digest, *how)),
            staple: staple.as_ref().map(|item| item.digest),
        };
        let now = self.now;
        let make = || {
            // Not from_der(): it would have webpki judge our own certificate.
            let certified = CertifiedKey::new(sent.ders.clone(), Arc::clone(&key.value.signing));
            Pair::new(certified, key.value.kind, Arc::clone(leaf))
        };
        let known = self.store.pairs.get(&made).cloned();
        let of_use = |pair: &Pair| {
            pair.stapled
                .as_ref()
                .is_some_and(|s| s.staple.is_of_use(now))
        };
        let (pair, refused) = match (known, staple) {
            (Some(known), None) => (known, unread),
            (None, None) => (Arc::new(make()), unread),
            (Some(known), Some(_)) if of_use(&known) => (known, None),
            (known, Some(staple)) => {
                let fresh = make();
                match fresh.judge_staple(&staple.value, now) {
                    Ok(staple) => (Arc::new(fresh.with_staple(staple)), None),
                    Err(refusal) => {
                        let known = known.filter(|known| known.stapled.is_none());
                        let fault = Fault::StapleRefused {
                            file: candidate.request.staple.clone().unwrap_or_default(),
                            cause: refusal.to_string(),
                        };
                        (known.unwrap_or_else(|| Arc::new(fresh)), Some(fault))
                    }
                }
            }
        };
        self.store.pairs.insert(made, Arc::clone(&pair));
        Some(Joined {
            pair,
            sent: sent.fields,
            refused,
        })
    }

    /// The OCSP response beside a certificate, where there is one, or why it cannot be read.
    fn staple(&mut self, request: &PairRequest) -> (Option<Item<Vec<u8>>>, Option<Fault>) {
        let Some(path) = &request.staple else {
            return (None, None);
        };
        let Some(look) = self.look(path) else {
            return (None, None);
        };
        if let Some(item) = self.store.staples.known(path, Some(look)) {
            return (Some(item), None);
        }
        match FileBytes::read(path) {
            Ok(file) => {
                let value = Arc::new(file.bytes.to_vec());
                (Some(self.store.staples.add(path, &file, value)), None)
            }
            Err(fault) => {
                let (file, cause) = (path.clone(), fault.text());
                (None, Some(Fault::StapleRefused { file, cause }))
            }
        }
    }

    /// The file with further certificates of a request. mod_ssl passes over the first certificate of a chain file that is
    /// a certificate file too; authorities are asked only where no chain is configured, and faults of their file are told
    /// by those who judge clients with it.
    fn further(&mut self, request: &LoadRequest) -> Result<Further, Fault> {
        if let Some(file) = &request.chain {
            let own = request.pairs.iter().any(|pair| pair.certificate == *file);
            return self
                .chain(file)
                .map(|item| Some((item, Issuers::Behind(usize::from(own)))));
        }
        let file = request.authorities.as_ref();
        Ok(file
            .and_then(|file| self.chain(file).ok())
            .map(|item| (item, Issuers::Among)))
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
        let look = self.look(path);
        if let Some(item) = self.store.chains.known(path, look) {
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
        let look = self.look(path);
        if let Some(item) = self.store.keys.known(path, look) {
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

/// The key for a certificate: its own, or in mod_ssl's words any that is named; `None` where one of both is missing, which
/// has been said.
fn find_fitting<'a>(
    candidate: &'a Candidate<'_>,
    all: &'a [Candidate<'_>],
    spare: &'a [Item<PrivateKey>],
    strict: bool,
) -> Result<Option<&'a Item<PrivateKey>>, Fault> {
    let (Some(chain), Some(own)) = (&candidate.chain, &candidate.key) else {
        return Ok(None);
    };
    let fits = |key: &&Item<PrivateKey>| {
        chain
            .value
            .fields
            .first()
            .is_some_and(|l| l.public == key.value.public)
    };
    let others = all
        .iter()
        .filter_map(|c| c.key.as_ref())
        .chain(spare)
        .filter(|_| !strict);
    match std::iter::once(own).chain(others).find(fits) {
        Some(key) => Ok(Some(key)),
        None => Err(mismatch(candidate, &own.value, &chain.value, all)),
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
