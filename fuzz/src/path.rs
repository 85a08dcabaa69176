// SPDX-License-Identifier: Apache-2.0
//! Whom to believe: certificates and revocation lists whose bodies are foreign bytes, signed here with keys that are known, so
//! that what a fuzzer makes gets past their signatures.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use mod_tls_core::verify::{
    Anchors, Ends, Mode, Outcome, Revocation, RevocationDepth, Spec, Verdict, Verifier,
};
use mod_tls_core::x509::{Certificate, first_element_length};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::{CertificateDer, UnixTime};

/// 2027-01-01
pub(super) const NOW: u64 = 1_798_761_600;
pub(super) const DEPTH: u32 = 10;

const ANCHOR: u8 = 0x40;
const LIST: u8 = 0x80;
const PARTS: usize = 64;
const ECDSA_SHA256: [u8; 12] = [
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
];

/// What a peer sends, and what it is judged by.
#[derive(Debug, Default)]
pub(super) struct Presented {
    pub anchors: Vec<CertificateDer<'static>>,
    pub chain: Vec<CertificateDer<'static>>,
    pub lists: Vec<Vec<u8>>,
}

/// Reads bodies, each behind an octet that says what it is and who signs it.
pub(super) fn read(mut data: &[u8]) -> Presented {
    let mut found = Presented::default();
    for _ in 0..PARTS {
        let Some((&kind, rest)) = data.split_first() else {
            break;
        };
        let length = first_element_length(rest).unwrap_or(rest.len());
        let (body, rest) = rest.split_at(length);
        let signed = sign(body, kind);
        data = rest;
        if kind & LIST != 0 {
            found.lists.push(signed);
        } else if kind & ANCHOR != 0 {
            found.anchors.push(signed.into());
        } else {
            found.chain.push(signed.into());
        }
    }
    found
}

/// A certificate or list with this body, signed by the key that `kind` names.
pub(super) fn sign(body: &[u8], kind: u8) -> Vec<u8> {
    static KEYS: OnceLock<[EcdsaKeyPair; 3]> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        [
            &include_bytes!("../path/root.key")[..],
            include_bytes!("../path/middle.key"),
            include_bytes!("../path/leaf.key"),
        ]
        .map(|der| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der).expect("a key"))
    });
    let key = &keys[usize::from(kind & 0x3f) % keys.len()];
    let signature = key.sign(&SystemRandom::new(), body).expect("a signature");
    let bits = [&[0], signature.as_ref()].concat();
    element(0x30, &[body, &ECDSA_SHA256, &element(0x03, &bits)].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length as u8),
        _ => out.extend([&[0x84][..], &(length as u32).to_be_bytes()].concat()),
    }
    out.extend_from_slice(content);
    out
}

impl Presented {
    pub(super) fn judge(&self, lookup: RevocationDepth) -> Verdict {
        self.verifier(lookup).judge(&self.chain, now())
    }

    fn verifier(&self, lookup: RevocationDepth) -> Arc<Verifier> {
        let (anchors, _) = Anchors::new(&self.anchors, Ends::AtRoots);
        let (revocation, _) = Revocation::new(lookup, false, &self.lists);
        let spec = Spec {
            mode: Mode::Required,
            depth: DEPTH,
            anchors,
            revocation,
            ..Spec::default()
        };
        Verifier::new(spec, default_provider().signature_verification_algorithms)
    }
}

fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(NOW))
}

/// A verdict does not depend on the order of lists; lists only take away; who is let in has a certificate that can be read, is
/// valid now, and comes from an anchor.
pub fn path(data: &[u8]) {
    let mut presented = read(data);
    let plain = succeeds(&presented.judge(RevocationDepth::None));
    let listed = succeeds(&presented.judge(RevocationDepth::Chain));
    let leaf_listed = succeeds(&presented.judge(RevocationDepth::Leaf));
    assert!(
        !listed || leaf_listed,
        "what passes for the chain passes for the leaf"
    );
    assert!(!leaf_listed || plain, "lists only take away");
    presented.lists.reverse();
    assert_eq!(
        succeeds(&presented.judge(RevocationDepth::Chain)),
        listed,
        "the order of lists"
    );
    if plain {
        assert!(!presented.anchors.is_empty());
        let leaf = presented
            .chain
            .first()
            .and_then(|der| Certificate::parse(der))
            .expect("it was read");
        let now = NOW as i64;
        assert!(
            leaf.not_before()
                .seconds()
                .is_some_and(|start| start <= now)
        );
        assert!(leaf.not_after().seconds().is_some_and(|end| end >= now));
    }
}

fn succeeds(verdict: &Verdict) -> bool {
    verdict.outcome == Outcome::Success
}
