// SPDX-License-Identifier: Apache-2.0
//! What stands in for files that have turned bad.

use std::sync::Arc;

use super::super::key::KeyKind;
use super::super::passphrase::Dialog;
use super::super::select::CertSet;
use super::super::severity::Severity;
use super::super::standing::{self, Before};
use super::super::{LoadReport, LoadRequest, Store};
use super::issuers::three_generations;
use super::store::{file_at, pair, request};
use super::{Scratch, data};

/// A virtual host with a certificate for each of two kinds of keys.
fn host(dir: &Scratch) -> LoadRequest {
    let named = |name: &str, place: &str| {
        let [certificate, key] = ["crt", "key"].map(|end| dir.path(&format!("{name}.{end}")));
        pair(certificate, Some(key), place)
    };
    request(&[], vec![named("a", "c:1"), named("b", "c:2")])
}

fn put(dir: &Scratch, name: &str, of: &str) {
    dir.write(&format!("{name}.crt"), data(&format!("{of}.crt.pem")));
    dir.write(&format!("{name}.key"), data(&format!("{of}.pkcs8.pem")));
}

fn served(dir: &Scratch, requests: &[LoadRequest]) -> Vec<Option<Arc<CertSet>>> {
    put(dir, "a", "p256");
    put(dir, "b", "rsa");
    let report = Store::default().load(requests, &mut Dialog::default());
    assert!(report.sets.iter().all(Option::is_some), "{report:?}");
    report.sets
}

fn load_after(requests: &[LoadRequest], before: &Before<'_>) -> LoadReport {
    let mut report = Store::default().load(requests, &mut Dialog::default());
    standing::stand_in(before, requests, &mut report);
    report
}

fn texts(report: &LoadReport, severity: Severity) -> Vec<&str> {
    let all = report.problems.iter().filter(|p| p.severity == severity);
    all.map(|problem| problem.text.as_str()).collect()
}

#[test]
fn a_damaged_file_keeps_its_pair_and_no_other() {
    let dir = Scratch::new("standing-pairs");
    let requests = [host(&dir)];
    let old = served(&dir, &requests);
    let before = standing::before(&requests, &old);
    put(&dir, "a", "p384");
    dir.write("b.key", "junk");
    let report = load_after(&requests, &before);
    let set = report.sets[0].as_ref().unwrap();
    assert_eq!(set.at(0).unwrap().kind, KeyKind::Ecdsa(384), "taken up");
    assert!(Arc::ptr_eq(
        set.at(1).unwrap(),
        old[0].as_ref().unwrap().at(1).unwrap()
    ));
    let kept = texts(&report, Severity::Kept);
    let (crt, key) = (dir.path("b.crt"), dir.path("b.key"));
    assert!(
        kept[0].starts_with(&key)
            && kept[0].ends_with(&format!(
                "; what was loaded from it before is still served, and what belongs to it as it was then: {crt}"
            )),
        "{kept:?}"
    );
    assert_eq!((kept.len(), texts(&report, Severity::Error).len()), (1, 0));
    // A certificate that was replaced waits for its key.
    put(&dir, "b", "rsa1024");
    dir.write("b.key", "junk");
    let report = load_after(&requests, &before);
    assert_eq!(
        report.sets[0].as_ref().unwrap().at(1).unwrap().kind,
        KeyKind::Rsa(2048)
    );
}

#[test]
fn a_damaged_chain_is_not_mixed_with_another_certificate() {
    let dir = Scratch::new("standing-chain");
    let write = |([leaf, sub, _], key): &([String; 3], String)| {
        dir.write("a.crt", leaf);
        dir.write("a.key", key);
        dir.write("chain", sub);
    };
    let (first, second) = (three_generations(), three_generations());
    write(&first);
    let mut one = host(&dir);
    one.pairs.truncate(1);
    one.chain = Some(file_at(&dir.path("chain")));
    let requests = [one];
    let old = Store::default()
        .load(&requests, &mut Dialog::default())
        .sets;
    let before = standing::before(&requests, &old);
    let pair = |sets: &[Option<Arc<CertSet>>]| Arc::clone(sets[0].as_ref().unwrap().at(0).unwrap());
    assert_eq!(pair(&old).chain().len(), 2);
    for replaced in [false, true] {
        write(if replaced { &second } else { &first });
        dir.write("chain", "junk");
        let report = load_after(&requests, &before);
        assert!(Arc::ptr_eq(&pair(&report.sets), &pair(&old)));
        let kept = texts(&report, Severity::Kept);
        assert!(kept[0].starts_with(&dir.path("chain")), "{kept:?}");
        assert_eq!(kept[0].contains(&dir.path("a.crt")), replaced);
        assert_eq!(texts(&report, Severity::Error), [] as [&str; 0]);
    }
    write(&second);
    let report = load_after(&requests, &before);
    assert_eq!(pair(&report.sets).chain().len(), 2);
    assert_ne!(pair(&report.sets).chain(), pair(&old).chain());
}

#[test]
fn what_nobody_has_costs_its_pair_alone() {
    let dir = Scratch::new("standing-nobody");
    let requests = [host(&dir)];
    let old = served(&dir, &requests);
    dir.write("b.key", "junk");
    let nobody: Before<'_> = [(requests[0].files(), None)].into();
    let report = load_after(&requests, &nobody);
    let set = report.sets[0].as_ref().unwrap();
    assert!(set.at(0).is_some() && set.at(1).is_none());
    let kept = texts(&report, Severity::Kept);
    assert!(
        kept[0].contains("nobody has what was loaded from it before"),
        "{kept:?}"
    );
    // The restart after that one, with what is served then.
    let sets = report.sets.clone();
    let report = load_after(&requests, &standing::before(&requests, &sets));
    assert_eq!(texts(&report, Severity::Error), [] as [&str; 0]);
    assert!(report.sets[0].as_ref().unwrap().at(0).is_some());
    drop(old);
}

#[test]
fn who_was_never_served_has_no_excuse() {
    let dir = Scratch::new("standing-never");
    let mut other = host(&dir);
    other.spare_keys.push(file_at(&dir.path("b.key")));
    let requests = [host(&dir), other];
    let old = served(&dir, &requests);
    let before = standing::before(&requests[..1], &old[..1]);
    dir.write("b.crt", "junk");
    let report = load_after(&requests, &before);
    let errors = texts(&report, Severity::Error);
    assert!(errors[0].starts_with(&dir.path("b.crt")), "{errors:?}");
}

/// mod_ssl's words: of several keys of one kind the last counts, also where it is one of before.
#[test]
fn a_kind_of_key_has_one_place() {
    let dir = Scratch::new("standing-place");
    let mut one = host(&dir);
    one.strict = false;
    let requests = [one];
    put(&dir, "a", "p384");
    put(&dir, "b", "p256");
    let old = Store::default()
        .load(&requests, &mut Dialog::default())
        .sets;
    assert!(old[0].as_ref().unwrap().at(0).is_none(), "the last counts");
    dir.write("b.crt", "junk");
    let report = load_after(&requests, &standing::before(&requests, &old));
    assert!(Arc::ptr_eq(
        report.sets[0].as_ref().unwrap(),
        old[0].as_ref().unwrap()
    ));
}
