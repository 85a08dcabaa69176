// SPDX-License-Identifier: Apache-2.0
//! A certificate for a site that has none yet: made here, signed by itself, and saying so.
//!
//! Nobody verifies it, so it needs no more than clients ask of a certificate's form; the few fields are written here.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::crypto::aws_lc_rs::sign::any_ecdsa_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::certificate::CertificateFields;
use super::key::KeyKind;
use super::select::Pair;
use crate::x509::der::{
    BIT_STRING, INTEGER, OCTET_STRING, SEQUENCE, SET, UTF8_STRING, written as der,
};
use crate::x509::time::GENERALIZED_TIME;

/// Common name of every placeholder.
pub const SUBJECT: &str = "Placeholder: this site has no certificate yet";

const DAY: i64 = 86_400;
/// A server that runs that long without a certificate makes a new one when it is restarted.
const LIFETIME: i64 = 365 * DAY;

/// [0] and [3], explicit; [2] and [7] of a GeneralName.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// ecdsa-with-SHA256, id-ecPublicKey with prime256v1, commonName, subjectAltName: whole elements.
const ECDSA_SHA256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const P256: &[u8] = &[
    0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7,
];
const COMMON_NAME: &[u8] = &[0x06, 3, 0x55, 4, 3];
const SUBJECT_ALT_NAME: &[u8] = &[0x06, 3, 0x55, 0x1d, 0x11];

/// A placeholder for these names, and its key, which nobody else has. `None` where there is no randomness.
pub fn make(names: &[String], now: i64) -> Option<Pair> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
    let pkcs8 = pkcs8.ok()?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).ok()?;
    let signing = any_ecdsa_type(&PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(
        pkcs8.as_ref(),
    )));
    let certificate = certificate(&pair, names, now)?;
    let leaf = CertificateFields::parse(&certificate).ok()?;
    let chain = vec![CertificateDer::from(certificate)];
    let certified = CertifiedKey::new(chain, signing.ok()?);
    Some(Pair::new(certified, KeyKind::Ecdsa(256), Arc::new(leaf)).as_placeholder())
}

fn certificate(pair: &EcdsaKeyPair, names: &[String], now: i64) -> Option<Vec<u8>> {
    let mut serial = [0; 16];
    fill(&mut serial).ok()?;
    serial[0] = serial[0] & 0x7f | 0x40; // positive, and of one length
    let algorithm = der(SEQUENCE, &[ECDSA_SHA256]);
    let name = der(
        SEQUENCE,
        &[&der(
            SET,
            &[&der(
                SEQUENCE,
                &[COMMON_NAME, &der(UTF8_STRING, &[SUBJECT.as_bytes()])],
            )],
        )],
    );
    let key = der(
        SEQUENCE,
        &[
            &der(SEQUENCE, &[P256]),
            &der(BIT_STRING, &[&[0], pair.public_key().as_ref()]),
        ],
    );
    let alt_names = der(
        SEQUENCE,
        &[&names
            .iter()
            .flat_map(|name| general_name(name))
            .collect::<Vec<_>>()],
    );
    let extensions = der(
        SEQUENCE,
        &[&der(
            SEQUENCE,
            &[SUBJECT_ALT_NAME, &der(OCTET_STRING, &[&alt_names])],
        )],
    );
    let extensions = if names.is_empty() {
        Vec::new()
    } else {
        der(EXTENSIONS, &[&extensions])
    };
    let body = der(
        SEQUENCE,
        &[
            &der(VERSION, &[&der(INTEGER, &[&[2]])]),
            &der(INTEGER, &[&serial]),
            &algorithm,
            &name,
            &der(SEQUENCE, &[&time(now - DAY), &time(now + LIFETIME)]),
            &name,
            &key,
            &extensions,
        ],
    );
    let signature = pair.sign(&SystemRandom::new(), &body).ok()?;
    Some(der(
        SEQUENCE,
        &[
            &body,
            &algorithm,
            &der(BIT_STRING, &[&[0], signature.as_ref()]),
        ],
    ))
}

fn general_name(name: &str) -> Vec<u8> {
    match super::names::address(name) {
        Some(IpAddr::V4(address)) => der(IP_ADDRESS, &[&address.octets()]),
        Some(IpAddr::V6(address)) => der(IP_ADDRESS, &[&address.octets()]),
        None => der(DNS_NAME, &[name.as_bytes()]),
    }
}

fn time(seconds: i64) -> Vec<u8> {
    let digits: Vec<u8> = crate::x509::time::date(seconds)
        .bytes()
        .filter(u8::is_ascii_digit)
        .collect();
    der(GENERALIZED_TIME, &[&digits, b"Z"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_certificate_for_the_names_and_says_what_it_is() {
        let names: Vec<String> = ["a.test", "192.0.2.1", "2001:db8::1"]
            .map(str::to_owned)
            .into();
        let now = crate::system::clock::now();
        let pair = make(&names, now).unwrap();
        assert!(pair.is_placeholder && pair.leaf.is_self_issued());
        assert_eq!(&*pair.leaf.display, SUBJECT);
        assert!(names.iter().all(|name| pair.leaf.covers(name)));
        assert!(pair.leaf.not_before < now && now < pair.leaf.not_after);
        pair.certified().keys_match().unwrap();
        webpki::EndEntityCert::try_from(&pair.certified().cert[0]).unwrap();
        let other = make(&names, now).unwrap();
        assert_ne!(pair.leaf.public, other.leaf.public);
        let many: Vec<String> = (0..5000).map(|i| format!("host{i}.test")).collect();
        assert!(make(&many, now).unwrap().leaf.covers("host4999.test"));
        assert!(make(&[], now).is_some());
    }
}
