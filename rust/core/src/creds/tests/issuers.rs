// SPDX-License-Identifier: Apache-2.0
//! Where the certificates above a site's own come from.

use super::super::certificate::CertificateFields;
use super::super::passphrase::{Dialog, Unchecked};
use super::super::severity::Severity;
use super::super::{LoadReport, LoadRequest, load};
use super::store::{file_at, pair, request};
use super::{Scratch, path};

/// A leaf, the authority that issued it and that one's own issuer, as PEM, with the leaf's key.
pub(super) fn three_generations() -> ([String; 3], String) {
    let authority = |name: &str| {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params
    };
    let keys: Vec<_> = (0..3)
        .map(|_| rcgen::KeyPair::generate().unwrap())
        .collect();
    let root = authority("root").self_signed(&keys[2]).unwrap();
    let by_root = rcgen::Issuer::new(authority("root"), &keys[2]);
    let sub = authority("sub").signed_by(&keys[1], &by_root).unwrap();
    let by_sub = rcgen::Issuer::new(authority("sub"), &keys[1]);
    let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "a.example");
    let leaf = params.signed_by(&keys[0], &by_sub).unwrap();
    ([leaf.pem(), sub.pem(), root.pem()], keys[0].serialize_pem())
}

/// Subjects of the chain that is sent.
fn sent(report: &LoadReport) -> Vec<String> {
    let mut worse = report.problems.iter();
    assert!(
        worse.all(|p| p.severity == Severity::Notice),
        "{:?}",
        report.problems
    );
    let chain = &report.sets[0].as_ref().unwrap().pairs()[0].certified().cert;
    chain
        .iter()
        .map(|c| CertificateFields::parse(c).unwrap().display.into())
        .collect()
}

#[test]
fn an_issuer_that_nobody_knows_is_named_once() {
    let dir = Scratch::new("upwards");
    let ([leaf, sub, _], key) = three_generations();
    let (alone, key) = (dir.write("alone.pem", &leaf), dir.write("key.pem", key));
    let full = dir.write("full.pem", format!("{leaf}{sub}"));
    let load_with = |certificate: &String| {
        let pairs = vec![pair(certificate.clone(), Some(key.clone()), "c:1")];
        load(
            &[request(&[], pairs.clone()), request(&[], pairs)],
            &mut Unchecked,
        )
        .problems
    };
    let told = load_with(&alone);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].text.contains(
        "the issuer of a.example, \"CN=sub\", is neither in the file nor among the system's roots"
    ));
    assert_eq!(load_with(&full), []);
}

#[test]
fn the_chain_comes_from_where_mod_ssl_takes_it() {
    let dir = Scratch::new("issuers");
    let ([leaf, sub, root], key) = three_generations();
    let leaf_file = dir.write("leaf.pem", &leaf);
    let full_file = dir.write("full.pem", format!("{leaf}{sub}"));
    let chain_file = dir.write("chain.pem", format!("{sub}{root}"));
    let authorities = dir.write("ca.pem", format!("{root}{sub}"));
    let key_file = dir.write("key.pem", key);
    let load_with = |certificate: &String, chain: Option<&String>, authorities: Option<&String>| {
        let request = LoadRequest {
            chain: chain.map(|path| file_at(path)),
            authorities: authorities.cloned(),
            strict: false,
            ..request(
                &["a.example"],
                vec![pair(certificate.clone(), Some(key_file.clone()), "c:1")],
            )
        };
        sent(&load(&[request], &mut Dialog::default()))
    };
    assert_eq!(load_with(&leaf_file, None, None), ["a.example"]);
    assert_eq!(load_with(&full_file, None, None), ["a.example", "sub"]);
    assert_eq!(
        load_with(&leaf_file, Some(&chain_file), None),
        ["a.example", "sub", "root"]
    );
    assert_eq!(
        load_with(&full_file, Some(&chain_file), None),
        ["a.example", "sub", "root"],
        "not twice"
    );
    assert_eq!(
        load_with(&full_file, Some(&full_file), None),
        ["a.example", "sub"],
        "the same file for both"
    );
    assert_eq!(
        load_with(&leaf_file, None, Some(&authorities)),
        ["a.example", "sub", "root"]
    );
    assert_eq!(
        load_with(&full_file, None, Some(&authorities)),
        ["a.example", "sub"],
        "a chain is configured"
    );
    assert_eq!(
        load_with(&leaf_file, Some(&chain_file), Some(&authorities)),
        ["a.example", "sub", "root"]
    );
    assert_eq!(
        load_with(&leaf_file, None, Some(&"/none".to_owned())),
        ["a.example"],
        "told by who judges clients"
    );
}

#[test]
fn a_missing_chain_file_is_an_error() {
    let pairs = vec![pair(
        path("p256.crt.pem"),
        Some(path("p256.pkcs8.pem")),
        "c:1",
    )];
    let request = LoadRequest {
        chain: Some(file_at("/none")),
        ..request(&[], pairs)
    };
    let report = load(&[request], &mut Dialog::default());
    assert_eq!(report.problems.len(), 1);
    assert!(
        report.problems[0].text.starts_with("/none cannot be read"),
        "{:?}",
        report.problems
    );
    assert_eq!(report.problems[0].severity, Severity::Error);
}
