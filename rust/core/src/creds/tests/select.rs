// SPDX-License-Identifier: Apache-2.0
use std::sync::Arc;

use rustls::SignatureScheme as S;

use super::super::passphrase::Dialog;
use super::super::select::CertSet;
use super::super::{LoadRequest, PairRequest, load};
use super::path;

fn set(names: &[&str]) -> Arc<CertSet> {
    let pairs = names.iter().map(|name| PairRequest {
        certificate: path(&format!("{name}.crt.pem")),
        key: Some(path(&format!("{name}.pkcs8.pem"))),
        ..PairRequest::default()
    });
    let request = LoadRequest {
        pairs: pairs.collect(),
        strict: true,
        ..LoadRequest::default()
    };
    load(&[request], &mut Dialog::default()).sets[0]
        .clone()
        .unwrap()
}

const P256: S = S::ECDSA_NISTP256_SHA256;
const P384: S = S::ECDSA_NISTP384_SHA384;
const P521: S = S::ECDSA_NISTP521_SHA512;
const PSS: S = S::RSA_PSS_SHA256;
const PKCS1: S = S::RSA_PKCS1_SHA256;

/// What clients offer, and whose certificate they get.
#[test]
fn the_first_that_fits_the_client_ecdsa_before_rsa() {
    const BOTH: [&str; 2] = ["rsa", "p256"];
    type CachedFile = (
        &'static str,
        &'static [&'static str],
        &'static [S],
        Option<&'static str>,
    );
    let table: &[CachedFile] = &[
        (
            "browser",
            &BOTH,
            &[P256, PSS, PKCS1, P384, S::RSA_PSS_SHA384],
            Some("p256"),
        ),
        (
            "browser, ECDSA configured first",
            &["p256", "rsa"],
            &[P256, PSS, PKCS1],
            Some("p256"),
        ),
        (
            "RSA liked best, ECDSA known",
            &BOTH,
            &[PSS, PKCS1, P256],
            Some("p256"),
        ),
        ("RSA only", &BOTH, &[PSS, PKCS1], Some("rsa")),
        ("old RSA only", &BOTH, &[PKCS1], Some("rsa")),
        ("ECDSA only", &BOTH, &[P256], Some("p256")),
        ("P-384 only", &BOTH, &[P384], None),
        ("P-384 and RSA", &BOTH, &[P384, PSS], Some("rsa")),
        (
            "SHA-1 only",
            &BOTH,
            &[S::RSA_PKCS1_SHA1, S::ECDSA_SHA1_Legacy],
            None,
        ),
        (
            "Ed25519 and RSA",
            &["rsa", "ed25519"],
            &[PSS, S::ED25519],
            Some("ed25519"),
        ),
        ("no Ed25519", &["rsa", "ed25519"], &[P256, PSS], Some("rsa")),
        (
            "two curves, the first configured",
            &["p384", "p256", "rsa"],
            &[P256, P384, PSS],
            Some("p384"),
        ),
        (
            "two curves, the second known",
            &["p384", "p256", "rsa"],
            &[P256, PSS],
            Some("p256"),
        ),
        (
            "three kinds, the last known",
            &["rsa", "p521", "ed25519"],
            &[S::ED25519],
            Some("ed25519"),
        ),
        ("P-521", &["p521"], &[P256, P384, P521], Some("p521")),
        (
            "one certificate that does not fit",
            &["p521"],
            &[P256, PSS],
            None,
        ),
        ("nothing offered", &BOTH, &[], None),
    ];
    for (client, names, schemes, expected) in table {
        let pairs = set(names);
        let chosen = pairs.select(schemes);
        let expected = expected.map(|name| set(&[name]).pairs()[0].certified().cert.clone());
        assert_eq!(
            chosen.map(|c| c.certified().cert.clone()),
            expected,
            "{client}"
        );
    }
}
