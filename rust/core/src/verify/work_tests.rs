// SPDX-License-Identifier: Apache-2.0
//! Certificates that are made to cost: what they cost is counted.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, GeneralSubtree, IsCa, Issuer,
    KeyPair, NameConstraints, SerialNumber,
};
use rustls_pki_types::CertificateDer;

use super::certificate::PathCertificate;
use super::checks::Purpose;
use super::judging::Judging;
use super::path::Rules;
use super::pool::Pool;
use super::verdict::Outcome;
use super::work::Work;
use super::{Anchors, Ends, Revocation};

const ED25519: &[u8] = &[0x06, 3, 0x2b, 0x65, 0x70];

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], &content].concat()
}

fn name(text: &str) -> Vec<u8> {
    let attribute = tlv(0x30, &[&[6, 3, 0x55, 4, 3], &tlv(0x0c, &[text.as_bytes()])]);
    tlv(0x30, &[&tlv(0x31, &[&attribute])])
}

/// A CA that nobody signed, with a SubjectPublicKeyInfo of any kind.
fn ca(
    subject: &str,
    issuer: &str,
    serial: u8,
    spki: &[u8],
    algorithm: &[u8],
) -> CertificateDer<'static> {
    let validity = tlv(
        0x30,
        &[
            &tlv(0x17, &[b"250101000000Z"]),
            &tlv(0x17, &[b"350101000000Z"]),
        ],
    );
    let basic = tlv(
        0x30,
        &[
            &[6, 3, 0x55, 0x1d, 0x13],
            &tlv(4, &[&tlv(0x30, &[&[1, 1, 0xff]])]),
        ],
    );
    let body = tlv(
        0x30,
        &[
            &[0xa0, 3, 2, 1, 2],
            &[2, 1, serial],
            algorithm,
            &name(issuer),
            &validity,
            &name(subject),
            spki,
            &tlv(0xa3, &[&tlv(0x30, &[&basic])]),
        ],
    );
    CertificateDer::from(tlv(0x30, &[&body, algorithm, &tlv(3, &[&[0; 65]])]))
}

fn ed25519(serial: u8) -> Vec<u8> {
    tlv(
        0x30,
        &[&tlv(0x30, &[ED25519]), &tlv(3, &[&[0], &[serial; 32]])],
    )
}

fn unsigned(subject: &str, issuer: &str, serial: u8) -> CertificateDer<'static> {
    ca(
        subject,
        issuer,
        serial,
        &ed25519(serial),
        &tlv(0x30, &[ED25519]),
    )
}

fn leaf(issuer: &str) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "leaf");
    let mut of = CertificateParams::new(Vec::new()).unwrap();
    of.distinguished_name = rcgen::DistinguishedName::new();
    of.distinguished_name.push(DnType::CommonName, issuer);
    let issuer = Issuer::new(of, KeyPair::generate().unwrap());
    let key = KeyPair::generate().unwrap();
    params.signed_by(&key, &issuer).unwrap().der().clone()
}

/// Units spent on a client that sends `chain`.
fn spent(chain: &[CertificateDer<'static>], trusted: &[CertificateDer<'static>]) -> u64 {
    let (anchors, _) = Anchors::new(trusted, Ends::Anywhere);
    let revocation = Revocation::default();
    let (leaf, rest) = chain.split_first().unwrap();
    let leaf = PathCertificate::parse(leaf).unwrap();
    let (mut work, now) = (Work::default(), 1_767_225_600);
    let pool = Pool::new(leaf, rest, &anchors, Purpose::Client, now, &mut work).unwrap();
    let mut judging = Judging::new(pool, &mut work, &revocation, 10, now);
    let _ = judging.search();
    work.spent()
}

#[test]
fn a_lattice_of_names_costs_a_check_for_each_certificate_at_most() {
    let mut chain = vec![leaf("a1")];
    for level in 1..=6 {
        let (subject, issuer) = (format!("a{level}"), format!("a{}", level + 1));
        chain.extend((0..7).map(|serial| unsigned(&subject, &issuer, serial)));
    }
    chain.extend((0..220).map(|serial| unsigned("z", "y", serial)));
    let units = spent(&chain, &[]);
    assert!(units < 3_000, "{units}");
}

#[test]
fn keys_of_any_length_cost_within_bounds() {
    let modulus = tlv(2, &[&[0], &[0xff; 2048]]);
    let bits = tlv(0x30, &[&modulus, &[2, 3, 1, 0, 1]]);
    let rsa = tlv(
        0x30,
        &[
            &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1],
            &[5, 0],
        ],
    );
    let spki = tlv(0x30, &[&rsa, &tlv(3, &[&[0], &bits])]);
    let sha256 = tlv(
        0x30,
        &[
            &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11],
            &[5, 0],
        ],
    );
    let long = |serial| ca("a1", "a1", serial, &spki, &sha256);
    let chain: Vec<_> = std::iter::once(leaf("a1"))
        .chain((0..25).map(long))
        .collect();
    assert!(spent(&chain, &[]) <= 8_000);
}

fn ca_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// A leaf that may speak for so many addresses of IPv4 (RFC 3779), no two of which are neighbours.
fn leaf_of_addresses(count: u32) -> CertificateDer<'static> {
    let address = |number: u32| {
        let octets = (0x0a00_0000 + 2 * number).to_be_bytes();
        [&[3, 5, 0], &octets[..]].concat()
    };
    let list = tlv(0x30, &[&(0..count).flat_map(address).collect::<Vec<u8>>()]);
    let blocks = tlv(0x30, &[&tlv(0x30, &[&[4, 2, 0, 1], &list])]);
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 7], blocks);
    params.custom_extensions.push(extension);
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().clone()
}

#[test]
fn reading_a_certificate_is_charged_by_what_it_is_made_of() {
    let of = |count| {
        let leaf = leaf_of_addresses(count);
        let octets = u64::try_from(leaf.len()).unwrap();
        (spent(&[leaf], &[]), octets)
    };
    let ((few, _), (many, octets)) = (of(1), of(8_000));
    assert!(octets < 65_536);
    assert!(few < 20 && many >= 8_000 / 4 + octets / 256, "{few} {many}");
}

#[test]
fn a_chain_that_nobody_vouches_for_is_read_within_the_budget() {
    let mut chain = vec![leaf("a1")];
    chain.extend((0..100).map(|serial| unsigned("a1", "a2", serial)));
    let anchors = Anchors::default();
    let revocation = Revocation::default();
    let rules = Rules {
        anchors: &anchors,
        revocation: &revocation,
        depth: 10,
        purpose: Purpose::Client,
        tells_path: false,
    };
    let now =
        rustls_pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_767_225_600));
    let spent = |generously: bool, chain: &[CertificateDer<'_>]| {
        let mut work = Work::default();
        let verdict = match generously {
            true => rules.judge_unverified_within(&mut work, chain, now),
            false => rules.judge_within(&mut work, chain, now),
        };
        (work.spent(), verdict.outcome)
    };
    let (strictly, _) = spent(false, &chain);
    let (generously, _) = spent(true, &chain);
    assert!(generously >= strictly + 200, "{strictly} {generously}");
    let large = leaf_of_addresses(8_000);
    let most: Vec<_> = std::iter::once(leaf("a1")).chain(vec![large; 8]).collect();
    assert_eq!(spent(true, &most), (8_000, Outcome::Failed));
}

/// Seven levels of six CAs of one name and key, properly signed: 280,000 paths, of which each fails at the leaf's name.
#[test]
fn paths_that_are_signed_end_with_the_budget() {
    let mut params = ca_params("root");
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("a.test".to_owned())],
        excluded_subtrees: Vec::new(),
    });
    let mut key = KeyPair::generate().unwrap();
    let root = params.self_signed(&key).unwrap().der().clone();
    let mut chain = Vec::new();
    for level in 0..7 {
        let own = ca_params(&format!("l{level}"));
        let own_key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&params, &key);
        let signed = (0..6).map(|serial| {
            let mut own = own.clone();
            own.serial_number = Some(SerialNumber::from(serial));
            own.signed_by(&own_key, &issuer).unwrap().der().clone()
        });
        chain.extend(signed.collect::<Vec<_>>());
        (params, key) = (own, own_key);
    }
    let leaf = CertificateParams::new(vec!["evil.test".to_owned()]).unwrap();
    let issuer = Issuer::from_params(&params, &key);
    let leaf = leaf
        .signed_by(&KeyPair::generate().unwrap(), &issuer)
        .unwrap();
    chain.insert(0, leaf.der().clone());
    let units = spent(&chain, &[root]);
    assert!((6_000..=8_000).contains(&units), "{units}");
}
