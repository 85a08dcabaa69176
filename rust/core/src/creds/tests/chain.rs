// SPDX-License-Identifier: Apache-2.0
use std::sync::Arc;

use super::super::certificate::CertificateFields;
use super::super::chain::{check, check_names, days_left};
use super::super::fault::Fault;
use super::super::fitness::{Unfit, Uses};
use super::super::public_key::PublicKey;
use super::super::severity::Severity;
use crate::x509::time::date;
use crate::x509::uses::{DIGITAL_SIGNATURE, KEY_CERT_SIGN, KEY_ENCIPHERMENT};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

/// A certificate of which only names and times matter.
fn certificate(subject: &str, issuer: &str) -> CertificateFields {
    CertificateFields {
        subject: subject.as_bytes().into(),
        issuer: issuer.as_bytes().into(),
        public: PublicKey::default(),
        not_before: NOW - DAY,
        not_after: NOW + DAY,
        dns_names: [subject.into(), format!("*.{subject}").into()].into(),
        addresses: ["192.0.2.1".parse().unwrap()].into(),
        must_staple: false,
        has_responder: false,
        names_issuer: false,
        uses: Uses {
            authority: (subject != "leaf").then_some(true),
            ..Uses::default()
        },
        only_common_name: false,
        common_names: Box::default(),
        display: subject.into(),
    }
}

fn chain(links: &[(&str, &str)]) -> Vec<Arc<CertificateFields>> {
    links
        .iter()
        .map(|(s, i)| Arc::new(certificate(s, i)))
        .collect()
}

#[test]
fn order() {
    let out = |position, strict| {
        vec![Fault::OutOfOrder {
            file: "f".into(),
            position,
            strict,
        }]
    };
    let unrelated = |position, subject: &str| {
        vec![Fault::Unrelated {
            file: "f".into(),
            position,
            subject: subject.into(),
        }]
    };
    let good: &[&[(&str, &str)]] = &[
        &[("leaf", "leaf")],
        &[("leaf", "ca")],
        &[("leaf", "sub"), ("sub", "root")],
        &[("leaf", "sub"), ("sub", "root"), ("root", "root")],
        &[("leaf", "sub"), ("sub", "root"), ("root", "older")],
    ];
    for links in good {
        assert_eq!(check(("f", "f"), &chain(links), true, NOW), [], "{links:?}");
    }
    let swapped = chain(&[("leaf", "sub"), ("root", "root"), ("sub", "root")]);
    assert_eq!(check(("f", "f"), &swapped, true, NOW), out(2, true));
    assert_eq!(check(("f", "f"), &swapped, false, NOW), out(2, false));
    assert_eq!(out(2, true)[0].severity(), Severity::Error);
    assert_eq!(out(2, false)[0].severity(), Severity::Warning);
    assert_eq!(
        check(
            ("f", "f"),
            &chain(&[("leaf", "sub"), ("other", "x")]),
            true,
            NOW
        ),
        unrelated(2, "other")
    );
    assert_eq!(
        check(
            ("f", "f"),
            &chain(&[("leaf", "sub"), ("sub", "r"), ("other", "x")]),
            true,
            NOW
        ),
        unrelated(3, "other")
    );
}

#[test]
fn validity() {
    let mut leaf = certificate("leaf", "ca");
    leaf.not_after = NOW - 10 * DAY;
    let mut early = certificate("ca", "root");
    early.not_before = NOW + DAY;
    let faults = check(("f", "f"), &[Arc::new(leaf), Arc::new(early)], true, NOW);
    assert_eq!(
        faults.iter().map(|f| (f.severity(), f.text())).collect::<Vec<_>>(),
        [
            (
                Severity::Warning,
                "f: the certificate expired on 2027-01-05 08:00:00 UTC, 10 days ago; clients will refuse it, renew it".to_owned()
            ),
            (
                Severity::Warning,
                "f: certificate 2 of the chain (ca) is not valid before 2027-01-16 08:00:00 UTC; check the clock, or \
                 wait with this certificate"
                    .to_owned()
            ),
        ]
    );
}

#[test]
fn names() {
    let leaf = certificate("a.example", "ca");
    let check = |hosts: &[&str]| {
        check_names(
            "f",
            &leaf,
            &hosts.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>(),
        )
    };
    assert_eq!(check(&[]), None);
    assert_eq!(check(&["a.example", "X.A.example", "192.0.2.1"]), None);
    let Some(Fault::NamesNotCovered {
        missing, covered, ..
    }) = check(&["b.example", "a.example", "192.0.2.2", "b.example"])
    else {
        panic!("two are missing")
    };
    assert_eq!(
        (missing.as_str(), covered.as_str()),
        ("b.example, 192.0.2.2", "a.example, *.a.example, 192.0.2.1")
    );
    let Some(Fault::NamesNotCovered { missing, .. }) = check(&["b", "c", "d", "e", "f", "g"])
    else {
        panic!()
    };
    assert_eq!(missing, "b, c, d, e and 2 more");
    let old = CertificateFields {
        only_common_name: true,
        ..certificate("a.example", "ca")
    };
    let fault = check_names("f", &old, &["a.example".to_owned()]);
    assert_eq!(fault, Some(Fault::OnlyCommonName { file: "f".into() }));
}

#[test]
fn times() {
    assert_eq!(date(0), "1970-01-01 00:00:00 UTC");
    assert_eq!(
        (
            days_left(NOW + DAY, NOW),
            days_left(NOW + 1, NOW),
            days_left(NOW - 1, NOW)
        ),
        (1, 0, -1)
    );
}

#[test]
fn use_of_the_server_s_and_of_those_above() {
    let of = |uses, subject: &str, issuer: &str| CertificateFields {
        uses,
        ..certificate(subject, issuer)
    };
    let faults = |chain: Vec<CertificateFields>| -> Vec<(Unfit, Severity)> {
        let chain: Vec<_> = chain.into_iter().map(Arc::new).collect();
        let found = check(("f", "f"), &chain, false, NOW);
        let unfit = |fault: &Fault| match fault {
            Fault::Unfit { why, .. } => Some((*why, fault.severity())),
            _ => None,
        };
        found.iter().filter_map(unfit).collect()
    };
    let authority = |says| Uses {
        authority: says,
        ..Uses::default()
    };
    let usage = |bits, says| Uses {
        key_usage: Some(bits),
        authority: says,
        ..Uses::default()
    };
    let old = Uses {
        old_signature: true,
        authority: Some(true),
        ..Uses::default()
    };
    let warning = |why| vec![(why, Severity::Warning)];
    let leaf = |uses| faults(vec![of(uses, "leaf", "ca")]);
    assert_eq!(leaf(authority(Some(false))), []);
    assert_eq!(leaf(usage(DIGITAL_SIGNATURE, None)), []);
    assert_eq!(leaf(usage(KEY_ENCIPHERMENT, None)), warning(Unfit::Silent));
    assert_eq!(leaf(authority(Some(true))), warning(Unfit::Authority));
    let own = faults(vec![of(authority(Some(true)), "leaf", "leaf")]);
    assert_eq!(own, [], "as openssl req -x509 makes them");
    let above =
        |uses, issuer: &str| faults(vec![certificate("leaf", "sub"), of(uses, "sub", issuer)]);
    assert_eq!(above(authority(Some(true)), "root"), []);
    assert_eq!(above(usage(KEY_CERT_SIGN, Some(true)), "root"), []);
    assert_eq!(
        above(usage(DIGITAL_SIGNATURE, Some(true)), "root"),
        warning(Unfit::NoAuthority)
    );
    assert_eq!(
        above(authority(Some(false)), "sub"),
        warning(Unfit::NoAuthority)
    );
    assert_eq!(above(authority(None), "root"), warning(Unfit::NoAuthority));
    assert_eq!(above(authority(None), "sub"), [], "a root of X.509 v1");
    assert_eq!(above(old, "root"), warning(Unfit::OldSignature));
    assert_eq!(
        above(old, "sub"),
        [],
        "nobody checks how a root signed itself"
    );
}
