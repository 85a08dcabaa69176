// SPDX-License-Identifier: Apache-2.0
use rustls::SignatureScheme as S;

use super::super::passphrase::Dialog;
use super::super::severity::{Problem, Severity};
use super::super::signatures::{SignatureRequest, Suites12};
use super::super::{LoadRequest, PairRequest, Store};
use super::path;

fn list(schemes: &[S], tls12: bool, tls13: bool) -> SignatureRequest {
    SignatureRequest {
        schemes: schemes.to_vec(),
        tls13,
        tls12,
        place: "c:7".to_owned(),
        suites: Suites12::default(),
    }
}

fn problems(names: &[&str], signatures: SignatureRequest, placeholder: bool) -> Vec<Problem> {
    let pairs = names.iter().map(|name| PairRequest {
        certificate: path(&format!("{name}.crt.pem")),
        key: Some(path(&format!("{name}.pkcs8.pem"))),
        ..PairRequest::default()
    });
    let requests = [LoadRequest {
        pairs: pairs.collect(),
        signatures,
        placeholder,
        ..LoadRequest::default()
    }];
    let mut store = Store::default();
    let mut report = store.load(&requests, &mut Dialog::default());
    store.fill_gaps(&requests, &mut report);
    report.problems
}

/// Certificates and a list, and what is said of the list: severity, and what the text begins with and advises.
#[test]
fn lists_are_judged_by_the_keys() {
    const BOTH: [&str; 2] = ["p256", "rsa"];
    let (pss, pkcs1) = (S::RSA_PSS_SHA256, S::RSA_PKCS1_SHA256);
    type Said = (Severity, &'static str, &'static str);
    let error = |file, advice| -> Said { (Severity::Error, file, advice) };
    let warning = |file, advice| -> Said { (Severity::Warning, file, advice) };
    let table: [(&[&str], SignatureRequest, Vec<Said>); 9] = [
        (&BOTH, list(&[], true, true), vec![]),
        (
            &BOTH,
            list(&[pss, S::ECDSA_NISTP256_SHA256], true, true),
            vec![],
        ),
        (
            &BOTH,
            list(&[pss], true, true),
            vec![warning(
                "p256.crt.pem: its key (ECDSA P-256)",
                "allow ecdsa_secp256r1_sha256 or remove",
            )],
        ),
        (
            &["p256"],
            list(&[pss, S::ECDSA_NISTP384_SHA384], true, true),
            vec![error(
                "p256.crt.pem: its key (ECDSA P-256)",
                "allow ecdsa_secp256r1_sha256, or name",
            )],
        ),
        (
            &["rsa"],
            list(&[pkcs1], true, true),
            vec![warning("rsa.crt.pem: none of", "allow rsa_pss_rsae_sha256")],
        ),
        (&["rsa"], list(&[pkcs1], true, false), vec![]),
        (
            &["rsa"],
            list(&[pkcs1], false, true),
            vec![error(
                "rsa.crt.pem: its key (RSA",
                "allow rsa_pss_rsae_sha256",
            )],
        ),
        (
            &["ed25519", "p521"],
            list(&[pss], true, true),
            vec![
                error("ed25519.crt.pem: its key (Ed25519)", "allow ed25519"),
                error(
                    "p521.crt.pem: its key (ECDSA P-521)",
                    "allow ecdsa_secp521r1_sha512",
                ),
            ],
        ),
        (
            &["p384"],
            list(&[S::ECDSA_NISTP384_SHA384], false, true),
            vec![],
        ),
    ];
    for (names, signatures, expected) in table {
        let said: Vec<Problem> = problems(names, signatures.clone(), false)
            .into_iter()
            .filter(|problem| problem.text.contains("algorithms"))
            .collect();
        assert_eq!(said.len(), expected.len(), "{names:?} {said:?}");
        for (problem, (severity, begin, advice)) in said.iter().zip(expected) {
            assert_eq!(
                (problem.severity, problem.place.as_str()),
                (severity, "c:7")
            );
            let text = &problem.text;
            assert!(text.contains(begin) && text.contains(advice), "{text}");
        }
    }
}

#[test]
fn a_placeholder_has_to_be_good_for_something_too() {
    let said = problems(&[], list(&[S::RSA_PSS_SHA256], true, true), true);
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].severity, Severity::Error);
    assert!(said[0].text.starts_with("the placeholder: its key (ECDSA"));
    let good = list(&[S::ECDSA_NISTP256_SHA256], true, true);
    assert_eq!(problems(&[], good, true), []);
}

/// Certificates, for which keys there are suites of TLS 1.2, whether TLS 1.3 is spoken, and what is said.
#[test]
fn suites_that_fit_no_key_are_told() {
    const BOTH: [&str; 2] = ["p256", "rsa"];
    type Row<'a> = (
        &'a [&'a str],
        (bool, bool),
        bool,
        Option<(Severity, &'a str)>,
    );
    let table: [Row<'_>; 8] = [
        (
            &["rsa"],
            (false, true),
            false,
            Some((Severity::Error, "nobody could connect")),
        ),
        (
            &["p256"],
            (true, false),
            false,
            Some((Severity::Error, "nobody could connect")),
        ),
        (
            &["rsa"],
            (false, true),
            true,
            Some((Severity::Warning, "allow ECDHE-RSA-AES128-GCM-SHA256")),
        ),
        (
            &["p256"],
            (true, false),
            true,
            Some((Severity::Warning, "allow ECDHE-ECDSA-AES128-GCM-SHA256")),
        ),
        (&["rsa"], (true, false), true, None),
        (&BOTH, (false, true), true, None),
        (&BOTH, (true, false), false, None),
        (&BOTH, (false, false), true, None),
    ];
    for (names, (rsa, ecdsa), tls13, wanted) in table {
        let mut signatures = list(&[], true, tls13);
        signatures.suites = Suites12 {
            rsa,
            ecdsa,
            place: "c:9".to_owned(),
        };
        let said = problems(names, signatures, false);
        let told: Vec<_> = said
            .iter()
            .filter(|p| p.text.contains("cipher suites"))
            .collect();
        assert_eq!(
            told.len(),
            usize::from(wanted.is_some()),
            "{names:?}: {said:?}"
        );
        for (problem, (severity, text)) in told.iter().zip(wanted) {
            assert!(
                problem.severity == severity && problem.text.contains(text),
                "{problem:?}"
            );
            assert_eq!(problem.place, "c:9");
        }
    }
}
