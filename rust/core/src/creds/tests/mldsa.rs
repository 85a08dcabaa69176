// SPDX-License-Identifier: Apache-2.0
//! ML-DSA keys in the three forms of RFC 9881, 6, and what such certificates need beside them.

use aws_lc_rs::encoding::AsRawBytes;
use aws_lc_rs::signature::{
    ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, PqdsaKeyPair, PqdsaSigningAlgorithm,
};
use rustls::SignatureScheme as S;

use super::super::fault::Fault;
use super::super::key::{KeyKind, PrivateKey, read_key};
use super::super::select::{CertSet, Pair};
use super::super::severity::Severity;
use super::super::signatures::{SignatureRequest, Suites12};
use crate::tls::signatures::in_version;

const SETS: [(u16, u8, &PqdsaSigningAlgorithm, S); 3] = [
    (44, 17, &ML_DSA_44_SIGNING, S::ML_DSA_44),
    (65, 18, &ML_DSA_65_SIGNING, S::ML_DSA_65),
    (87, 19, &ML_DSA_87_SIGNING, S::ML_DSA_87),
];

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let header = match content.len() {
        ..0x80 => vec![tag, length[1]],
        0x80..0x100 => vec![tag, 0x81, length[1]],
        _ => vec![tag, 0x82, length[0], length[1]],
    };
    [header, content.to_vec()].concat()
}

/// PKCS#8 of one arc of the NIST's signature algorithms.
fn pkcs8(arc: u8, private: &[u8]) -> Vec<u8> {
    let oid = [6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, arc];
    let parts = [&[2, 1, 0][..], &element(0x30, &oid), &element(4, private)].concat();
    element(0x30, &parts)
}

#[test]
fn each_form_is_read_and_signs() {
    for (set, arc, algorithm, scheme) in SETS {
        let seed = [7; 32];
        let own = PqdsaKeyPair::from_seed(algorithm, &seed).unwrap();
        let expanded = own.private_key().as_raw_bytes().unwrap();
        let (short, expanded) = (element(0x80, &seed), element(4, expanded.as_ref()));
        let both = [element(4, &seed), expanded.clone()].concat();
        let forms = [short, expanded, element(0x30, &both)];
        let mut publics: Vec<_> = forms
            .iter()
            .map(|form| {
                let key = read_key("f", &pkcs8(arc, form)).unwrap();
                assert_eq!(key.kind, KeyKind::MlDsa(set));
                assert_eq!(key.kind.to_string(), format!("ML-DSA-{set}"));
                let signer = key.signing.choose_scheme(&[S::ED25519, scheme]).unwrap();
                assert!(
                    signer.sign(b"message").unwrap().len()
                        <= crate::agent::protocol::wire::MAX_SIGNATURE
                );
                assert_eq!(signer.scheme(), scheme);
                key.public
            })
            .collect();
        publics.dedup();
        assert_eq!(publics.len(), 1, "ML-DSA-{set}");
    }
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let own = PqdsaKeyPair::from_seed(&ML_DSA_65_SIGNING, &[7; 32]).unwrap();
    let expanded = own.private_key().as_raw_bytes().unwrap();
    let both = [element(4, &[8; 32]), element(4, expanded.as_ref())].concat();
    for bad in [element(0x30, &both), element(0x80, &[8; 31]), Vec::new()] {
        let Err(Fault::BadKey { cause, .. }) = read_key("f", &pkcs8(18, &bad)) else {
            panic!("{bad:x?}")
        };
        assert!(cause.contains("seed"), "{cause}");
    }
}

fn pair(algorithm: &'static rcgen::SignatureAlgorithm) -> std::sync::Arc<Pair> {
    let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
    let params = rcgen::CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    let set = super::super::challenge::from_pem(pem.as_bytes(), key.serialize_pem().as_bytes());
    std::sync::Arc::clone(&set.unwrap().pairs()[0])
}

#[test]
fn it_is_shown_to_who_offers_it_in_tls13_alone() {
    let all = [
        &rcgen::PKCS_RSA_SHA256,
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ML_DSA_65,
    ];
    let set = CertSet::new(all.into_iter().map(pair).collect());
    let (rsa, ecdsa) = (S::RSA_PSS_SHA256, S::ECDSA_NISTP256_SHA256);
    for (offered, tls13, kind) in [
        (&[rsa, ecdsa, S::ML_DSA_65][..], true, "ML-DSA-65"),
        (&[rsa, ecdsa, S::ML_DSA_65], false, "ECDSA P-256"),
        (&[rsa, ecdsa, S::ML_DSA_87], true, "ECDSA P-256"),
        (&[S::ML_DSA_87, rsa], true, "RSA-2048"),
    ] {
        let offered: Vec<_> = offered
            .iter()
            .filter(|s| in_version(**s, tls13))
            .copied()
            .collect();
        let chosen = set.select(&offered).unwrap();
        assert_eq!(chosen.kind.to_string(), kind, "{offered:?} {tls13}");
    }
    assert!(set.select(&[S::ML_DSA_44]).is_none());
}

#[test]
fn what_must_be_beside_it_is_said() {
    let (new, old) = (
        pair(&rcgen::PKCS_ML_DSA_65),
        pair(&rcgen::PKCS_ECDSA_P256_SHA256),
    );
    let check = |pairs: &[(std::sync::Arc<Pair>, &str)], schemes: &[S], tls12, tls13| {
        let request = SignatureRequest {
            schemes: schemes.to_vec(),
            tls13,
            tls12,
            place: String::new(),
            suites: Suites12::default(),
        };
        let faults = request.check(pairs);
        let said = faults.iter().map(|f| (f.severity(), f.text()));
        said.collect::<Vec<_>>()
    };
    let (alone, both) = ([(new.clone(), "f")], [(new, "f"), (old, "g")]);
    assert_eq!(check(&both, &[], true, true), []);
    let [(Severity::Warning, text)] = &check(&alone, &[], true, true)[..] else {
        panic!("clients that do not know it cannot come")
    };
    assert!(text.contains("ECDSA or RSA key too"), "{text}");
    let [(Severity::Warning, text)] = &check(&both, &[], true, false)[..] else {
        panic!("it is never used")
    };
    assert!(text.contains("never used; allow TLS 1.3"), "{text}");
    let [(Severity::Error, _)] = &check(&alone, &[], true, false)[..] else {
        panic!("nobody could come")
    };
    let listed = check(&both, &[S::ECDSA_NISTP256_SHA256], true, true);
    assert!(
        listed[0].1.contains("allow mldsa65 or remove"),
        "{listed:?}"
    );
}

#[test]
fn a_key_says_nothing_of_itself() {
    let key: PrivateKey = read_key("f", &pkcs8(18, &element(0x80, &[7; 32]))).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey(ML-DSA-65)");
}
