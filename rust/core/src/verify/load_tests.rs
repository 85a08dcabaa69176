// SPDX-License-Identifier: Apache-2.0
//! What becomes of odd files of authorities and lists.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{CertifiedIssuer, KeyPair};
use rustls::server::danger::ClientCertVerifier;

use super::testing::{ca_params, crl, root};
use super::*;

/// A file of one test, removed at its end.
struct Place(PathBuf);

impl Place {
    fn new(content: &[u8]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("mod_tls-load-{}-{number}", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn sources(&self) -> Sources {
        Sources {
            files: vec![self.0.to_str().unwrap().to_owned()],
            directories: Vec::new(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn pem(der: &[u8], label: &str) -> String {
    crate::x509::pem(der).replace("CERTIFICATE", label)
}

fn asking(authorities: &Place) -> Request {
    Request {
        mode: Mode::Required,
        depth: 3,
        authorities: authorities.sources(),
        ..Request::default()
    }
}

#[test]
fn more_names_than_a_request_holds_are_not_sent() {
    for (count, sent, said) in [
        (50, 50, ""),
        (450, 450, "clients in Java"),
        (900, 0, "none are sent"),
    ] {
        let names = (0..count).map(|n| {
            format!("An authority whose name has some length, for it is number {n:05} of many")
        });
        let text: String = names
            .map(|name| pem(root(&name).der(), "CERTIFICATE"))
            .collect();
        let place = Place::new(text.as_bytes());
        let (verifier, problems) = load(&asking(&place));
        assert_eq!(verifier.unwrap().root_hint_subjects().len(), sent);
        let told: Vec<_> = problems.iter().map(|p| p.text.as_str()).collect();
        assert_eq!(told.len(), usize::from(!said.is_empty()), "{told:?}");
        assert!(told.iter().all(|text| text.contains(said)), "{told:?}");
    }
}

#[test]
fn an_odd_list_stops_nothing_and_keeps_no_other_out() {
    let ca = root("root");
    let authorities = Place::new(pem(ca.der(), "CERTIFICATE").as_bytes());
    let good = pem(&crl(&ca, &[7], 2030), "X509 CRL");
    let broken = "-----BEGIN X509 CRL-----\nbroken\n-----END X509 CRL-----\n";
    let table = [
        (format!("{broken}{good}"), Some(Weight::Loss)),
        (format!("{}{good}", good.trim_end()), Some(Weight::Loss)),
        (
            format!("{good}{}", pem(b"\x30\x00", "X509 CRL")),
            Some(Weight::Loss),
        ),
        (
            format!("{good}begin x509 crl -- \n---BEGIN X509 CRL---\n"),
            Some(Weight::Loss),
        ),
        (good.clone(), None),
        (broken.to_owned(), Some(Weight::Fatal)),
        (String::new(), Some(Weight::Fatal)),
    ];
    for (text, expected) in table {
        let lists = Place::new(text.as_bytes());
        let request = Request {
            lists: lists.sources(),
            lookup: RevocationDepth::Leaf,
            ..asking(&authorities)
        };
        let (verifier, problems) = load(&request);
        let worst = problems.iter().map(|p| p.weight).max();
        assert_eq!(worst, expected, "{problems:?}");
        assert_eq!(verifier.is_none(), expected == Some(Weight::Fatal));
        assert!(problems.iter().all(|p| p.source == request.lists.files[0]));
    }
}

#[test]
fn what_clients_will_meet_is_told_when_files_are_read() {
    let lasting = |name: &str, year| {
        let mut params = ca_params(name, 1);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ca, other) = (lasting("First CA", 2090), lasting("Second CA", 2090));
    let authorities = Place::new(pem(ca.der(), "CERTIFICATE").as_bytes());
    let told = |lists: &[u8], lookup, missing_ok| {
        let lists = Place::new(pem(lists, "X509 CRL").as_bytes());
        let request = Request {
            lists: lists.sources(),
            lookup,
            missing_ok,
            ..asking(&authorities)
        };
        let (_, problems) = load(&request);
        problems
            .iter()
            .map(|p| p.text.clone())
            .collect::<Vec<_>>()
            .join("\n")
    };
    let leaf = RevocationDepth::Leaf;
    assert_eq!(told(&crl(&ca, &[], 2090), leaf, false), "");
    let said = told(&crl(&ca, &[], 2025), leaf, false);
    assert!(
        said.contains("the revocation list of \"CN=First CA\" has expired on 2025-"),
        "{said}"
    );
    for lookup in [leaf, RevocationDepth::Chain] {
        let said = told(&crl(&other, &[], 2090), lookup, false);
        assert!(
            said.contains("there is no revocation list of \"CN=First CA\""),
            "{said}"
        );
        assert_eq!(told(&crl(&other, &[], 2090), lookup, true), "");
    }
    assert_eq!(
        told(&crl(&other, &[], 2025), RevocationDepth::None, false),
        ""
    );

    let (gone, renewed) = (lasting("First CA", 2025), pem(ca.der(), "CERTIFICATE"));
    let expired = pem(gone.der(), "CERTIFICATE");
    let said = |content: &str| {
        let (_, problems) = load(&asking(&Place::new(content.as_bytes())));
        problems.iter().map(|p| p.text.clone()).collect::<Vec<_>>()
    };
    assert!(said(&expired)[0].contains("the CA \"CN=First CA\" has expired on 2025-01-01"));
    assert!(said(&format!("{expired}{renewed}")).is_empty());
}
