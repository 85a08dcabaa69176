// SPDX-License-Identifier: Apache-2.0
//! What a store remembers from one load to the next.

use super::super::key::KeyKind;
use std::collections::HashSet;
use std::sync::Arc;

use super::super::passphrase::Dialog;
use super::super::select::Pair;
use super::super::{LoadReport, LoadRequest, Store};
use super::issuers::three_generations;
use super::store::{pair, request};
use super::{Scratch, data};

fn the_pair(report: &LoadReport, index: usize) -> &Arc<Pair> {
    assert_eq!(report.problems, []);
    &report.sets[index].as_ref().unwrap().pairs()[0]
}

/// Whether loading again would bring nothing new.
fn is_current(store: &Store) -> bool {
    store.is_good() && store.changed().is_empty()
}

/// A request for a certificate and its key, both in one file.
fn combined(file: &str) -> LoadRequest {
    request(&[], vec![pair(file.to_owned(), None, "c:1")])
}

#[test]
fn a_kept_store_parses_only_what_changed() {
    let dir = Scratch::new("kept");
    let certificate = dir.write("a.pem", data("p256.crt.pem"));
    let key = dir.write("a.key", data("p256.pkcs8.pem"));
    let copy = dir.write("b.key", data("p256.pkcs8.pem"));
    let both = [
        request(
            &[],
            vec![pair(certificate.clone(), Some(key.clone()), "c:1")],
        ),
        request(&[], vec![pair(certificate.clone(), Some(copy), "c:2")]),
    ];
    let mut store = Store::default();
    let first = store.load(&both, &mut Dialog::default());
    assert!(
        Arc::ptr_eq(
            first.sets[0].as_ref().unwrap(),
            first.sets[1].as_ref().unwrap()
        ),
        "equal bytes are one pair"
    );
    let again = store.load(&both[..1], &mut Dialog::default());
    let certified = |r: &LoadReport| Arc::clone(r.sets[0].as_ref().unwrap().pairs()[0].certified());
    assert!(
        Arc::ptr_eq(&certified(&first), &certified(&again)),
        "unchanged files are not parsed again"
    );
    dir.write("a.pem", data("rsa.crt.pem"));
    dir.write("a.key", data("rsa.pkcs8.pem"));
    let changed = store.load(&both[..1], &mut Dialog::default());
    assert_eq!(changed.problems, []);
    assert!(!Arc::ptr_eq(&certified(&first), &certified(&changed)));
}

#[test]
fn a_file_that_was_only_touched_is_the_one_of_before() {
    let dir = Scratch::new("touched");
    let both = [data("p256.crt.pem"), data("p256.pkcs8.pem")].concat();
    let file = dir.write("a.pem", &both);
    let requests = [combined(&file)];
    let mut store = Store::default();
    assert!(!is_current(&store), "nothing has been loaded");
    let first = store.load(&requests, &mut Dialog::default());
    assert!(is_current(&store));
    dir.write("b.pem", &both);
    std::fs::rename(dir.path("b.pem"), &file).unwrap();
    assert!(!is_current(&store), "it is another file");
    let again = store.load(&requests, &mut Dialog::default());
    assert!(Arc::ptr_eq(the_pair(&first, 0), the_pair(&again, 0)));
    assert!(is_current(&store));
    store.forget_looks(&HashSet::from([file.clone()]));
    assert!(!is_current(&store));
    let last = store.load(&requests, &mut Dialog::default());
    assert!(Arc::ptr_eq(the_pair(&first, 0), the_pair(&last, 0)));
    dir.write("a.pem", "hello");
    let bad = store.load(&requests, &mut Dialog::default());
    assert_eq!(bad.problems.len(), 1);
    assert!(!is_current(&store), "there is a problem to be told");
}

#[test]
fn a_reload_reads_what_is_known_to_have_changed_and_nothing_else() {
    let dir = Scratch::new("reload");
    let whole = |name: &str| {
        let key = name.replace(".crt", ".pkcs8");
        [data(name), data(&key)].concat()
    };
    let files = ["a.pem", "b.pem"].map(|name| dir.write(name, whole("p256.crt.pem")));
    let requests = files.each_ref().map(|file| combined(file));
    let mut store = Store::default();
    let first = store.load(&requests, &mut Dialog::default());
    for file in ["a.pem", "b.pem"] {
        dir.write(file, whole("rsa.crt.pem"));
    }
    let changed = HashSet::from([files[0].clone()]);
    let second = store.reload(&requests, &mut Dialog::default(), &changed);
    assert!(matches!(the_pair(&second, 0).kind, KeyKind::Rsa(_)));
    assert!(Arc::ptr_eq(the_pair(&first, 1), the_pair(&second, 1)));
    assert!(!is_current(&store), "the other file is yet to be read");
    let third = store.load(&requests, &mut Dialog::default());
    assert!(Arc::ptr_eq(the_pair(&third, 0), the_pair(&third, 1)));
}

#[test]
fn an_issuer_is_held_once() {
    let dir = Scratch::new("issuers-once");
    let ([_, sub, root], _) = three_generations();
    let issuers = sub + &root;
    let file = |name: &str, leaf: &str| {
        let leaf = data(&format!("{leaf}.crt.pem"));
        dir.write(name, [leaf, issuers.clone().into_bytes()].concat())
    };
    let with = |name: &str, key: &str| {
        let key = super::path(&format!("{key}.pkcs8.pem"));
        let mut request = request(
            &[],
            vec![pair(file(name, name.get(..4).unwrap()), Some(key), "c:1")],
        );
        request.strict = false;
        request
    };
    let requests = [with("p256.pem", "p256"), with("p384.pem", "p384")];
    let mut store = Store::default();
    let report = store.load(&requests, &mut Dialog::default());
    let chain = |index: usize| report.sets[index].as_ref().unwrap().pairs()[0].chain();
    assert_eq!((chain(0).len(), chain(1).len()), (3, 3));
    for place in 1..3 {
        assert!(std::ptr::eq(chain(0)[place], chain(1)[place]));
    }
}
