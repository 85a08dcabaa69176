//! What stands in for files that have turned bad since they were loaded: such a file does not stop a restart, and ends
//! nothing but itself.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::chain;
use super::problem::{Problem, Severity};
use super::request::LoadRequest;
use super::select::{CertSet, Pair};
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

/// Puts what was served before in the place of what cannot be loaded, and says so of each file that is to blame. A virtual
/// host that was never loaded has no excuse, even where it shares a file with one that was.
pub fn stand_in(before: &Before<'_>, requests: &[LoadRequest], report: &mut LoadReport) {
    let mut known: HashSet<&str> = HashSet::new();
    let mut gone: HashSet<&str> = HashSet::new();
    let bad = bad_files(&report.problems);
    for (index, (request, new)) in requests.iter().zip(&mut report.sets).enumerate() {
        let files = request.files();
        let Some(old) = before.get(&files) else {
            continue;
        };
        let Some(old) = old else {
            if new.is_none() {
                gone.extend(files);
            }
            continue;
        };
        // Without the file of its chain a pair is made all the same.
        let chain = request.chain.as_deref();
        let shorter = report.no_issuers.contains(&index) && same_leaves(old, new.as_deref());
        let chainless = shorter || chain.is_some_and(|file| bad.contains(file));
        let whole = |new: &Arc<CertSet>| new.pairs().len() >= old.pairs().len();
        // Fewer pairs of files that are all good are what somebody wanted.
        let wanted =
            |new: &Arc<CertSet>| whole(new) || !files.iter().any(|file| bad.contains(*file));
        if !chainless && new.as_ref().is_some_and(wanted) {
            continue;
        }
        *new = Some(Arc::clone(old));
        known.extend(files);
    }
    for (request, set) in requests.iter().zip(&report.sets) {
        let files = request.files();
        if set.is_none() && !before.contains_key(&files) {
            files.iter().for_each(|file| {
                known.remove(file);
                gone.remove(file);
            });
        }
    }
    for problem in &mut report.problems {
        let file = problem.file.as_str();
        let excuse = match problem.severity {
            Severity::Error if gone.contains(file) => {
                "; nobody has what was loaded from it before, since the key agent had to be made anew: virtual hosts \
                 that need it answer no handshake until it is right"
            }
            Severity::Error if known.contains(file) => {
                "; what was loaded from it before is still served"
            }
            _ => continue,
        };
        problem.severity = Severity::Kept;
        problem.text.push_str(excuse);
    }
    stand_in_staples(before, requests, report);
}

/// Whether nothing but what is sent behind the server's own certificates may differ.
fn same_leaves(old: &CertSet, new: Option<&CertSet>) -> bool {
    let leaves = |set: &CertSet| -> Vec<_> {
        let pairs = set.pairs().iter();
        pairs
            .map(|pair| pair.chain().first().map(|der| der.to_vec()))
            .collect()
    };
    new.is_some_and(|new| leaves(new) == leaves(old))
}

fn bad_files(problems: &[Problem]) -> HashSet<String> {
    let bad = problems.iter().filter(|p| p.severity == Severity::Error);
    bad.map(|problem| problem.file.clone()).collect()
}

/// An OCSP response that is of use is not given up for one that is damaged.
fn stand_in_staples(before: &Before<'_>, requests: &[LoadRequest], report: &mut LoadReport) {
    let now = chain::now();
    for (request, set) in requests.iter().zip(&mut report.sets) {
        let (Some(Some(old)), Some(new)) = (before.get(&request.files()), set.as_mut()) else {
            continue;
        };
        let staples = request.pairs.iter().filter_map(|p| p.staple.as_deref());
        let staples: HashSet<&str> = staples.collect();
        let mut told = report.problems.iter_mut();
        let told = told.find(|p| p.severity == Severity::Warning && staples.contains(&*p.file));
        let lost = |(old, new): (&Arc<Pair>, &Arc<Pair>)| {
            let stapled = old.stapled.as_ref();
            new.stapled.is_none()
                && old.chain() == new.chain()
                && stapled.is_some_and(|stapled| stapled.staple.is_of_use(now))
        };
        let both = || old.pairs().iter().zip(new.pairs());
        let (Some(problem), true) = (told, both().any(lost)) else {
            continue;
        };
        let kept = both().map(|both| Arc::clone(if lost(both) { both.0 } else { both.1 }));
        let kept: Vec<_> = kept
            .chain(new.pairs().iter().skip(old.pairs().len()).cloned())
            .collect();
        *new = Arc::new(CertSet::new(kept));
        problem.severity = Severity::Kept;
        problem
            .text
            .push_str("; the response read before is still sent");
    }
}
