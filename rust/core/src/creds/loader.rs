// SPDX-License-Identifier: Apache-2.0
//! Brings certificates, keys and issuers of a virtual host together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::certificate::{CertificateFields, Certificates, KnownIssuers};
use super::chain;
use super::fault::Fault;
use super::file_cache::{CachedFile, LoadPass};
use super::key::PrivateKey;
use super::key_matching::{Candidate, find_matching_key};
use super::loaded::{Issuers, PairKey, Shared};
use super::passphrase::{Passphrases, Question};
use super::request::LoadRequest;
use super::select::{CertSet, Pair};
use super::severity::Problem;
use super::upwards::Upwards;

mod forms;

/// Collects problems; the same line of the configuration is blamed for the same thing once, however many virtual hosts
/// inherit it.
#[derive(Default)]
pub(super) struct Report {
    pub(super) sets: Vec<Option<Arc<CertSet>>>,
    pub(super) problems: Vec<Problem>,
    pub(super) no_issuers: HashSet<usize>,
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
pub(super) struct Load<'a, 'p> {
    files: LoadPass<'a>,
    /// Pairs as they were made before, and those that this run has come to so far.
    known: HashMap<PairKey, Arc<Pair>>,
    used: HashMap<PairKey, Arc<Pair>>,
    issuers: &'a mut KnownIssuers,
    passphrases: &'p mut dyn Passphrases,
    upwards: Upwards,
    now: i64,
}

/// A pair that can be served.
struct ServablePair {
    pair: Arc<Pair>,
    /// Its whole chain.
    sent: Arc<Certificates>,
    /// Why its OCSP response cannot be.
    refused: Option<Fault>,
}

/// A further file of a request with the way in which it is used.
type Further = Option<(Arc<Certificates>, Issuers)>;

impl<'a, 'p> Load<'a, 'p> {
    pub(super) fn new(
        files: LoadPass<'a>,
        pairs: Vec<(PairKey, Arc<Pair>)>,
        issuers: &'a mut KnownIssuers,
        passphrases: &'p mut dyn Passphrases,
    ) -> Self {
        let used = HashMap::with_capacity(pairs.len());
        Load {
            files,
            known: pairs.into_iter().collect(),
            used,
            issuers,
            passphrases,
            upwards: Upwards::default(),
            now: crate::system::clock::now(),
        }
    }

    /// What the run came to: its files, and its pairs.
    pub(super) fn into_parts(self) -> (Vec<CachedFile>, Vec<(PairKey, Arc<Pair>)>) {
        let mut pairs: Vec<_> = self.used.into_iter().collect();
        pairs.shrink_to_fit();
        (self.files.into_files(), pairs)
    }

    /// The usable pairs of one virtual host, in the order of the configuration, each with its place among all.
    pub(super) fn load_request(
        &mut self,
        index: usize,
        request: &LoadRequest,
        report: &mut Report,
    ) -> Vec<(usize, Arc<Pair>)> {
        let mut candidates = Vec::new();
        let mut question = Question {
            source: &request.passphrase,
            host: &request.host,
            ..Question::default()
        };
        for pair in &request.pairs {
            let mut take = |fault: Fault| report.add(index, &pair.place, fault);
            let chain = self.own_chain(&pair.certificate, &question);
            let chain = chain.map_err(&mut take).ok();
            for line in chain.iter().flat_map(|chain| &chain.lost) {
                take(Fault::Lost {
                    file: pair.certificate.clone(),
                    line: *line,
                });
            }
            let key = match (&chain, &pair.key) {
                (None, None) => None, // one file, and what is wrong with it has been said
                _ => {
                    let place = match pair.key_place.as_str() {
                        "" => &pair.place,
                        own => own,
                    };
                    let key = self.key(pair, &question);
                    key.map_err(|fault| report.add(index, place, fault)).ok()
                }
            };
            candidates.push(Candidate {
                request: pair,
                chain,
                key,
            });
            question.index += 1;
        }
        let mut spare = Vec::new();
        for file in &request.spare_keys {
            spare.extend(
                self.read_key(&file.path, &question)
                    .map_err(|f| report.add(index, &file.place, f)),
            );
            question.index += 1;
        }
        let further = self.further(request).unwrap_or_else(|fault| {
            match &request.chain {
                Some(file) => report.add(index, &file.place, fault),
                None => {
                    report.no_issuers.insert(index);
                }
            }
            None
        });
        let mut pairs: Vec<(Arc<Pair>, &str)> = Vec::new();
        for candidate in &candidates {
            let key = find_matching_key(candidate, &candidates, &spare, request.strict);
            let made = key.map(|key| key.and_then(|key| self.join(candidate, key, &further)));
            let place = &candidate.request.place;
            match made {
                Ok(Some(ServablePair {
                    pair,
                    sent,
                    refused,
                })) => {
                    let file = &candidate.request.certificate;
                    let faults = self.judge(file, &pair, &sent.fields, &pairs, request);
                    let faults = faults.into_iter().chain(refused);
                    for fault in faults {
                        let chain = request.chain.iter();
                        let named = chain.clone().find(|chain| chain.path == fault.file());
                        let place = named.map_or(place, |chain| &chain.place);
                        report.add(index, place, fault);
                    }
                    if !request.strict {
                        // OpenSSL has one place for each kind of key, and the last one keeps it.
                        pairs.retain(|(p, _)| !p.kind.same_place(pair.kind));
                    }
                    pairs.push((pair, file));
                }
                Ok(None) => {}
                Err(fault) => report.add(index, place, fault),
            }
        }
        for fault in request.signatures.check(&pairs) {
            report.add(index, request.signatures.place_of(&fault), fault);
        }
        let place = |file: &str| {
            let mut named = request.pairs.iter();
            named.position(|pair| std::ptr::eq(pair.certificate.as_str(), file))
        };
        let placed = |(pair, file): (Arc<Pair>, &str)| Some((place(file)?, pair));
        pairs.into_iter().filter_map(placed).collect()
    }

    /// What is wrong with a pair that can be used all the same, or only in part.
    fn judge(
        &mut self,
        file: &str,
        pair: &Pair,
        sent: &[Arc<CertificateFields>],
        before: &[(Arc<Pair>, &str)],
        request: &LoadRequest,
    ) -> Vec<Fault> {
        let behind = request.chain.as_ref().map_or(file, |chain| &chain.path);
        let mut faults = chain::check((file, behind), sent, request.strict, self.now);
        let same = |(p, _): &&(Arc<Pair>, &str)| match request.strict {
            true => p.kind.same_clients(pair.kind),
            false => p.kind.same_place(pair.kind),
        };
        if let Some((_, first)) = before.iter().find(same) {
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
        faults.extend(self.upwards.missing(file, sent));
        faults
    }

    /// Makes the pair of a certificate and the key that fits it, with the chain to be sent.
    fn join(
        &mut self,
        candidate: &Candidate<'_>,
        key: &Arc<PrivateKey>,
        further: &Further,
    ) -> Option<ServablePair> {
        let own = candidate.chain.as_ref()?;
        let leaf = own.fields.first()?;
        let among = |how: Issuers| how == Issuers::Among;
        let further = further
            .as_ref()
            .filter(|(_, how)| !among(*how) || own.fields.len() == 1);
        let sent = match further {
            None => Arc::clone(own),
            Some((file, Issuers::Behind(skip))) => Arc::new(own.leaf_before(file, *skip)),
            Some((file, Issuers::Among)) => Arc::new(own.extended_from(file)),
        };
        let (staple, unread) = self.staple(candidate.request);
        let made = PairKey {
            own: Shared(Arc::clone(own)),
            key: Shared(Arc::clone(key)),
            issuers: further.map(|(file, how)| (Shared(Arc::clone(file)), *how)),
            staple: staple.clone().map(Shared),
        };
        let now = self.now;
        let make = || {
            let signing = Arc::clone(&key.signing);
            Pair::of_files(sent.ders.clone(), signing, key.kind, Arc::clone(leaf))
        };
        let before = self.known.remove_entry(&made);
        let known = match &before {
            Some((_, pair)) => Some(Arc::clone(pair)),
            None => self.used.get(&made).cloned(),
        };
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
                match fresh.judge_staple(&staple.0, now) {
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
        self.used.insert(made, Arc::clone(&pair));
        Some(ServablePair {
            pair,
            sent,
            refused,
        })
    }
}
