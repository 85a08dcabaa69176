// SPDX-License-Identifier: Apache-2.0
//! Whether what is in changed files may be served in the place of what was there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::creds::{CertSet, LoadReport, LoadRequest, Pair, Severity};
use crate::hex;
use crate::ocsp::Staple;
use crate::x509::{self, time::date};

/// What became of changed files.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    /// Virtual hosts, by index, that get other certificates.
    pub accepted: Vec<(usize, Arc<CertSet>)>,
    /// One line for each new set: names; kind, serial number, file and expiry of each; expiry of those before.
    pub lines: Vec<String>,
    /// One line for each reason why something stays as it is.
    pub refused: Vec<String>,
}

/// Judges what was loaded after `changed` files changed. A virtual host changes as a whole or not at all.
pub(crate) fn judge(
    requests: &[LoadRequest],
    present: &[Option<Arc<CertSet>>],
    report: &LoadReport,
    changed: &HashSet<String>,
) -> Decision {
    let faulty: HashMap<&str, &str> = report
        .problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(|problem| (problem.file.as_str(), problem.text.as_str()))
        .collect();
    let mut decision = Decision::default();
    let mut said = HashSet::new();
    for (index, request) in requests.iter().enumerate() {
        let files = || request.files().into_iter();
        if !files().any(|file| changed.contains(file)) {
            continue;
        }
        let old = present
            .get(index)
            .and_then(Option::as_ref)
            .filter(|set| !set.is_placeholder());
        let new = report.sets.get(index).and_then(Option::as_ref);
        let fault = files().find_map(|file| faulty.get(file).map(|text| (*text).to_owned()));
        let no_issuers = || match &request.authorities {
            Some(file) if report.no_issuers.contains(&index) => Some(format!(
                "the issuers of certificates cannot be read from {file}"
            )),
            _ => None,
        };
        let refusal = fault.or_else(no_issuers).or_else(|| match new {
            Some(new) => objection(old.map(Arc::as_ref), new, crate::system::clock::now()),
            None => Some(format!("nothing could be loaded for {}", request.host)),
        });
        let refusal = refusal
            .or_else(|| lost_staple(request, old?, new?, report, crate::system::clock::now()));
        match (refusal, new) {
            (Some(reason), _) => {
                let news = said.insert(reason.clone());
                decision.refused.extend(news.then_some(reason));
            }
            (None, Some(new)) if !old.is_some_and(|old| same(old, new)) => {
                if !decision
                    .accepted
                    .iter()
                    .any(|(_, known)| Arc::ptr_eq(known, new))
                {
                    decision
                        .lines
                        .push(line(request, old.map(Arc::as_ref), new));
                }
                decision.accepted.push((index, Arc::clone(new)));
            }
            _ => {}
        }
    }
    decision
}

/// Whether both serve the same certificates.
pub(crate) fn same(old: &CertSet, new: &CertSet) -> bool {
    let both = old.pairs().iter().zip(new.pairs());
    old.pairs().len() == new.pairs().len()
        && both
            .into_iter()
            .all(|(old, new)| old.chain() == new.chain() && staple(old) == staple(new))
}

fn staple(pair: &Pair) -> Option<&Staple> {
    pair.stapled.as_ref().map(|stapled| &stapled.staple)
}

/// Why an OCSP response that is still of use is not given up: nothing but its file changed, and not for the better.
fn lost_staple(
    request: &LoadRequest,
    old: &CertSet,
    new: &CertSet,
    report: &LoadReport,
    now: i64,
) -> Option<String> {
    let lost = |(old, new): &(&Arc<Pair>, &Arc<Pair>)| {
        old.chain() == new.chain()
            && staple(old).is_some_and(|staple| staple.is_of_use(now))
            && staple(new).is_none()
    };
    let (pair, _) = old.pairs().iter().zip(new.pairs()).find(lost)?;
    let files: Vec<&str> = request
        .pairs
        .iter()
        .filter_map(|p| p.staple.as_deref())
        .collect();
    let mut problems = report.problems.iter();
    let told = problems.find(|problem| files.contains(&problem.file.as_str()));
    Some(told.map_or_else(
        || {
            format!(
                "the file of the OCSP response for {} is gone",
                pair.leaf.names_for_people()
            )
        },
        |problem| problem.text.clone(),
    ))
}

/// Why `new` must not take the place of `old`.
fn objection(old: Option<&CertSet>, new: &CertSet, now: i64) -> Option<String> {
    let old = old.map_or(&[][..], CertSet::pairs);
    if new.pairs().len() < old.len() {
        return Some(format!(
            "of {} certificates only {} could be loaded",
            old.len(),
            new.pairs().len()
        ));
    }
    for pair in new.pairs() {
        let leaf = &pair.leaf;
        if leaf.not_before > now {
            let date = date(leaf.not_before);
            return Some(format!(
                "the new certificate for {} is not valid before {date}",
                leaf.names_for_people()
            ));
        }
        if leaf.not_after < now {
            let date = date(leaf.not_after);
            return Some(format!(
                "the new certificate for {} expired on {date}",
                leaf.names_for_people()
            ));
        }
    }
    old.iter()
        .zip(new.pairs())
        .find_map(|(old, new)| lost_name(old, new))
}

fn lost_name(old: &Pair, new: &Pair) -> Option<String> {
    let mut names = old
        .leaf
        .dns_names
        .iter()
        .map(ToString::to_string)
        .chain(old.leaf.addresses.iter().map(ToString::to_string));
    let lost = names.find(|name| {
        !new.leaf.covers(name) && !new.leaf.dns_names.iter().any(|other| **other == **name)
    })?;
    Some(format!(
        "the new certificate covers {}, but not {lost}, which the one in use covers; a restart takes it as it is",
        new.leaf.names_for_people()
    ))
}

/// Which certificate it is: kind of its key, serial number, and the file that the configuration names for it.
fn identified(pair: &Pair, file: Option<&str>) -> String {
    let chain = pair.chain();
    let whole = chain.first().and_then(|der| x509::Certificate::parse(der));
    let serial = hex::upper(whole.as_ref().map_or(&[][..], |whole| whole.serial));
    let file = file.map_or(String::new(), |file| format!(", {file}"));
    format!("{}, serial {serial}{file}", pair.kind)
}

fn line(request: &LoadRequest, old: Option<&CertSet>, new: &CertSet) -> String {
    let dates = |set: &CertSet| {
        let all: Vec<String> = set
            .pairs()
            .iter()
            .map(|pair| date(pair.leaf.not_after))
            .collect();
        all.join(" and ")
    };
    let names = new
        .pairs()
        .first()
        .map_or(String::new(), |pair| pair.leaf.names_for_people());
    let renewed = |old: &CertSet| {
        let mut both = old.pairs().iter().zip(new.pairs());
        both.all(|(old, new)| old.chain() == new.chain())
    };
    if old.is_some_and(renewed) {
        let until = new
            .pairs()
            .iter()
            .filter_map(|pair| staple(pair))
            .map(|staple| staple.until);
        let until = until.min().map_or("none".to_owned(), date);
        return format!(
            "{names}: the certificate of before, with an OCSP response valid until {until}"
        );
    }
    let before = old.map_or("none".to_owned(), dates);
    let earliest = |set: &CertSet| set.pairs().iter().map(|pair| pair.leaf.not_after).min();
    let shorter = old.is_some_and(|old| earliest(new) < earliest(old));
    let hint = if shorter {
        "; that is earlier than before"
    } else {
        ""
    };
    let mut files = request.pairs.iter().map(|pair| pair.certificate.as_str());
    let each: Vec<String> = new
        .pairs()
        .iter()
        .map(|pair| {
            let until = date(pair.leaf.not_after);
            format!("{until} ({})", identified(pair, files.next()))
        })
        .collect();
    format!(
        "{names}: valid until {}, the one before until {before}{hint}",
        each.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::{pair, pair_from};
    use crate::creds::{PairRequest, Problem};

    fn request(file: &str) -> LoadRequest {
        let pairs = vec![PairRequest {
            certificate: file.to_owned(),
            ..PairRequest::default()
        }];
        LoadRequest {
            host: "a.example:443".to_owned(),
            pairs,
            ..LoadRequest::default()
        }
    }

    fn decision(old: &Arc<Pair>, new: &Arc<Pair>, problems: Vec<Problem>) -> Decision {
        let set = |pair: &Arc<Pair>| Some(Arc::new(CertSet::new(vec![Arc::clone(pair)])));
        let report = LoadReport {
            no_issuers: HashSet::new(),
            sets: vec![set(new)],
            problems,
        };
        judge(
            &[request("/a")],
            &[set(old)],
            &report,
            &HashSet::from(["/a".to_owned()]),
        )
    }

    #[test]
    fn what_may_replace_what() {
        let old = pair("a.example");
        let good = decision(&old, &pair("a.example"), vec![]);
        assert_eq!((good.accepted.len(), good.refused.len()), (1, 0));
        assert!(
            good.lines[0].contains("a.example: valid until"),
            "{:?}",
            good.lines
        );
        let told = |what| good.lines[0].contains(what);
        assert!(
            told("(ECDSA P-256, serial ") && told(", /a), the one before until"),
            "{:?}",
            good.lines
        );
        let none = decision(&old, &old, vec![]);
        assert!(
            none.accepted.is_empty() && none.refused.is_empty(),
            "the same again"
        );
        let lost = decision(&old, &pair("b.example"), vec![]);
        assert!(
            lost.accepted.is_empty() && lost.refused[0].contains("but not a.example"),
            "{:?}",
            lost.refused
        );
        let day = 24 * 3600;
        let early = decision(&old, &pair_from("a.example", day, 9 * day), vec![]);
        assert!(
            early.refused[0].contains("not valid before"),
            "{:?}",
            early.refused
        );
        let late = decision(&old, &pair_from("a.example", -9 * day, -day), vec![]);
        assert!(late.refused[0].contains("expired on"), "{:?}", late.refused);
        let short = decision(&old, &pair_from("a.example", -day, 9 * day), vec![]);
        assert!(
            short.lines[0].contains("earlier than before"),
            "{:?}",
            short.lines
        );
    }

    #[test]
    fn a_fault_of_its_file_keeps_a_host_as_it_is() {
        let problem = |severity| Problem {
            severity,
            request: 0,
            place: String::new(),
            file: "/a".to_owned(),
            text: "is cut".to_owned(),
        };
        let (old, new) = (pair("a.example"), pair("a.example"));
        let bad = decision(&old, &new, vec![problem(Severity::Error)]);
        assert_eq!(
            (bad.accepted.len(), &bad.refused[..]),
            (0, &["is cut".to_owned()][..])
        );
        assert_eq!(
            decision(&old, &new, vec![problem(Severity::Warning)])
                .accepted
                .len(),
            1
        );
    }
}
