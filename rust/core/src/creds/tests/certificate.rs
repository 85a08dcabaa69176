// SPDX-License-Identifier: Apache-2.0
use rcgen::string::BmpString;
use rcgen::{CertificateParams, DnType, DnValue, KeyPair};

use super::super::certificate::CertificateFields;
use super::super::chain;
use super::super::fault::Fault;
use super::super::severity::Severity;
use crate::x509::outline::Outline;

fn der(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

#[test]
fn common_names_are_read_in_any_form() {
    let read = |value: DnValue| {
        let der = der(|p| p.distinguished_name.push(DnType::CommonName, value));
        let leaf = CertificateFields::parse(&der).unwrap();
        assert!(leaf.only_common_name);
        (leaf.display.to_string(), leaf.covers("büro.example"))
    };
    let expected = ("Büro.example".to_owned(), true);
    assert_eq!(read(DnValue::Utf8String(expected.0.clone())), expected);
    let wide = BmpString::try_from("Büro.example").unwrap();
    assert_eq!(read(DnValue::BmpString(wide)), expected);
}

#[test]
fn a_subject_without_common_name_is_shown_whole() {
    let der = der(|p| {
        p.distinguished_name = rcgen::DistinguishedName::new();
        p.distinguished_name.push(DnType::CountryName, "DE");
        p.distinguished_name.push(DnType::OrganizationName, "Shop");
    });
    let leaf = CertificateFields::parse(&der).unwrap();
    assert_eq!(
        (&*leaf.display, leaf.common_names.len()),
        ("O=Shop,C=DE", 0)
    );
}

#[test]
fn dates_that_are_none_are_said_to_be_and_never_valid() {
    let good = der(|_| {});
    let outline = Outline::parse(&good).unwrap();
    for (field, name) in [(outline.not_before, "first"), (outline.not_after, "last")] {
        let at = field.value.as_ptr() as usize - good.as_ptr() as usize;
        let mut bad = good.clone();
        bad[at] = b'x';
        let leaf = CertificateFields::parse(&bad).unwrap();
        assert!(!leaf.has_dates(), "{name}");
        let faults = chain::check(
            ("f", "f"),
            &[Box::new(leaf)],
            true,
            crate::system::clock::now(),
        );
        let [fault @ Fault::BadDates { .. }] = &faults[..] else {
            panic!("{faults:?}")
        };
        assert_eq!(fault.severity(), Severity::Warning);
        assert!(fault.text().contains("the dates of the certificate"));
    }
    assert!(CertificateFields::parse(&good).unwrap().has_dates());
}

#[test]
fn what_is_no_certificate_is_refused_in_plain_words() {
    let good = der(|_| {});
    for bad in [
        &good[..good.len() - 1],
        &[&good[..], &[0]].concat(),
        b"",
        &[0x30, 0],
    ] {
        let why = CertificateFields::parse(bad).unwrap_err();
        assert!(why.contains("no X.509 certificate"), "{why}");
    }
}
