// SPDX-License-Identifier: Apache-2.0
//! What stands in for files that have turned bad since they were loaded: such a file does not stop a restart, and ends
//! nothing but itself.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::request::LoadRequest;
use super::select::{CertSet, Pair};
use super::severity::{Problem, Severity};
use super::store::LoadReport;

/// Virtual hosts of the configuration before, by the files that they name, with what they served; `None` where nobody has
/// that any more.
pub type Before<'a> = HashMap<Vec<&'a str>, Option<Arc<CertSet>>>;

/// What the requests of the configuration before came to. One that came to nothing, or to a placeholder, is not there.
pub fn before<'a>(requests: &'a [LoadRequest], sets: &[Option<Arc<CertSet>>]) -> Before<'a> {
    let all = requests.iter().zip(sets);
    all.filter_map(|(request, set)| Some((request.files(), set.clone()?)))
        .filter(|(_, set)| !set.is_placeholder())
        .map(|(files, set)| (files, Some(set)))
        .collect()
}

/// Puts what was served before in the place of what cannot be loaded, pair by pair, and says so of each file that is to
/// blame. A pair stands in whole, with the chain of then: nothing is made of files of two times. A virtual host that was
/// never loaded has no excuse, even where it shares a file with one that was.
pub fn stand_in(before: &Before<'_>, requests: &[LoadRequest], report: &mut LoadReport) {
    let mut excuses = Excuses {
        bad: bad_files(&report.problems),
        ..Excuses::default()
    };
    let mut mixed: HashMap<Vec<(usize, *const Pair)>, Arc<CertSet>> = HashMap::new();
    for (index, (request, set)) in requests.iter().zip(&mut report.sets).enumerate() {
        let Some(old) = before.get(&request.files()) else {
            continue;
        };
        let host = Host {
            request,
            old: old.as_deref(),
            new: set.as_deref(),
            no_issuers: report.no_issuers.contains(&index),
        };
        let Some(pairs) = host.pairs(&mut excuses) else {
            continue;
        };
        let identity = |pairs: &[(usize, Arc<Pair>)]| -> Vec<_> {
            let each = pairs.iter();
            each.map(|(place, pair)| (*place, Arc::as_ptr(pair)))
                .collect()
        };
        let as_before = old.as_ref().filter(|old| {
            let mut placed: Vec<_> = old.placed().map(|(n, pair)| (n, pair.clone())).collect();
            placed.sort_by_key(|(place, _)| *place);
            identity(&placed) == identity(&pairs)
        });
        *set = Some(match as_before {
            Some(old) => Arc::clone(old),
            None => Arc::clone(
                mixed
                    .entry(identity(&pairs))
                    .or_insert_with(|| Arc::new(CertSet::of(pairs))),
            ),
        });
    }
    for (request, set) in requests.iter().zip(&report.sets) {
        if !before.contains_key(&request.files()) {
            excuses.take_away(request, set.as_deref());
        }
    }
    for problem in &mut report.problems {
        if problem.severity == Severity::Error
            && let Some(excuse) = excuses.of(&problem.file)
        {
            problem.severity = Severity::Kept;
            problem.text.push_str(&excuse);
        }
    }
    stand_in_staples(before, requests, report);
}

/// A virtual host that was served before, and what its files come to now.
struct Host<'a> {
    request: &'a LoadRequest,
    old: Option<&'a CertSet>,
    new: Option<&'a CertSet>,
    /// The file of authorities could not be read for issuers.
    no_issuers: bool,
}

impl Host<'_> {
    /// All its pairs, in the order of the configuration, where something stands in for one of them.
    fn pairs(&self, excuses: &mut Excuses) -> Option<Vec<(usize, Arc<Pair>)>> {
        let mut pairs: Vec<(usize, Arc<Pair>)> = Vec::new();
        let mut stood_in = false;
        for place in 0..self.request.pairs.len() {
            let new = self.new.and_then(|set| set.at(place));
            let old = self.old.and_then(|set| set.at(place));
            let at_fault = excuses.at_fault(self.request, place, new.is_some());
            let pair = match (new, old) {
                (Some(new), Some(old)) if !at_fault.is_empty() || self.is_shorter(new, old) => {
                    let same = new.chain().first() == old.chain().first();
                    excuses.keep(self.request, place, &at_fault, same);
                    stood_in = true;
                    old
                }
                (Some(new), _) => {
                    excuses.gone.extend(at_fault);
                    new
                }
                (None, Some(old)) if !at_fault.is_empty() => {
                    excuses.keep(self.request, place, &at_fault, false);
                    stood_in = true;
                    old
                }
                // Fewer pairs of files that are all good are what somebody wanted.
                (None, _) => {
                    excuses.gone.extend(at_fault);
                    continue;
                }
            };
            if !self.request.strict {
                // OpenSSL has one place for each kind of key, and the last one keeps it.
                pairs.retain(|(_, before)| !before.kind.same_place(pair.kind));
            }
            pairs.push((place, Arc::clone(pair)));
        }
        stood_in.then_some(pairs)
    }

    /// Without the file of authorities a pair is made all the same, and lacks what was found there.
    fn is_shorter(&self, new: &Pair, old: &Pair) -> bool {
        self.no_issuers && new.chain().len() == 1 && old.chain().len() > 1
    }
}

/// Other files that a line names at most.
const NAMED: usize = 4;

/// What is said of files that are damaged.
#[derive(Default)]
struct Excuses {
    bad: HashSet<String>,
    /// Those of before stand in for them; with each the files that are good, and are not taken up because of it.
    kept: HashMap<String, BTreeSet<String>>,
    /// Nobody has what they held before.
    gone: HashSet<String>,
}

impl Excuses {
    /// The damaged files because of which a pair is missing; or, where it is `made`, is without its chain.
    fn at_fault(&self, request: &LoadRequest, place: usize, made: bool) -> Vec<String> {
        let mut files: Vec<&String> = request.chain.iter().map(|file| &file.path).collect();
        if !made {
            let pair = request.pairs.get(place);
            files.extend(pair.map(|pair| &pair.certificate));
            files.extend(pair.and_then(|pair| pair.key.as_ref()));
            files.extend(request.spare_keys.iter().map(|file| &file.path));
        }
        files.retain(|file| self.bad.contains(*file));
        files.into_iter().cloned().collect()
    }

    fn keep(&mut self, request: &LoadRequest, place: usize, at_fault: &[String], same: bool) {
        let mut good = BTreeSet::new();
        if let (Some(pair), false) = (request.pairs.get(place), same) {
            good.insert(pair.certificate.clone());
            good.extend(pair.key.clone());
            good.extend(request.chain.as_ref().map(|file| file.path.clone()));
            good.retain(|file| !self.bad.contains(file));
        }
        for file in at_fault {
            let others = self.kept.entry(file.clone()).or_default();
            others.extend(good.iter().cloned());
        }
    }

    /// A virtual host that was never served needs these files.
    fn take_away(&mut self, request: &LoadRequest, set: Option<&CertSet>) {
        for place in 0..request.pairs.len() {
            let made = set.is_some_and(|set| set.at(place).is_some());
            for file in self.at_fault(request, place, made) {
                self.kept.remove(&file);
                self.gone.remove(&file);
            }
        }
    }

    fn of(&self, file: &str) -> Option<String> {
        if self.gone.contains(file) {
            return Some(
                "; nobody has what was loaded from it before, since the key agent had to be made anew: virtual hosts that \
                 need it go without it, and answer no handshake where they have nothing else, until it is right"
                    .to_owned(),
            );
        }
        let others = self.kept.get(file)?;
        let mut text = "; what was loaded from it before is still served".to_owned();
        let named: Vec<&str> = others.iter().map(String::as_str).take(NAMED).collect();
        if !named.is_empty() {
            let more = match others.len() - named.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            text.push_str(", and what belongs to it as it was then: ");
            text.push_str(&named.join(", "));
            text.push_str(&more);
        }
        Some(text)
    }
}

fn bad_files(problems: &[Problem]) -> HashSet<String> {
    let bad = problems.iter().filter(|p| p.severity == Severity::Error);
    bad.map(|problem| problem.file.clone()).collect()
}

/// An OCSP response that is of use is not given up for one that is damaged.
fn stand_in_staples(before: &Before<'_>, requests: &[LoadRequest], report: &mut LoadReport) {
    let now = crate::system::clock::now();
    for (request, set) in requests.iter().zip(&mut report.sets) {
        let (Some(Some(old)), Some(new)) = (before.get(&request.files()), set.as_mut()) else {
            continue;
        };
        let staples = request.pairs.iter().filter_map(|p| p.staple.as_deref());
        let staples: HashSet<&str> = staples.collect();
        let mut told = report.problems.iter_mut();
        let told = told.find(|p| p.severity == Severity::Warning && staples.contains(&*p.file));
        let lost = |place: usize, new: &Pair| {
            let old = old.at(place)?;
            let stapled = old.stapled.as_ref()?;
            let is_lost = new.stapled.is_none() && old.chain() == new.chain();
            (is_lost && stapled.staple.is_of_use(now)).then_some(old)
        };
        let (Some(problem), true) = (told, new.placed().any(|(n, pair)| lost(n, pair).is_some()))
        else {
            continue;
        };
        let kept = new
            .placed()
            .map(|(n, pair)| (n, Arc::clone(lost(n, pair).unwrap_or(pair))));
        *new = Arc::new(CertSet::of(kept.collect()));
        problem.severity = Severity::Kept;
        problem
            .text
            .push_str("; the response read before is still sent");
    }
}
