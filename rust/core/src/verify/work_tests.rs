//! Certificates that are made to cost: what they cost is counted.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, GeneralSubtree, IsCa, Issuer, KeyPair,
    NameConstraints, SerialNumber,
};
use rustls_pki_types::CertificateDer;

use super::certificate::PathCertificate;
use super::checks::Purpose;
use super::judging::Judging;
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
    let judging = Judging::new(
        leaf,
        rest,
        &anchors,
        &revocation,
        Purpose::Client,
        10,
        1_767_225_600,
    );
    let mut judging = judging.unwrap();
    let _ = judging.search();
    judging.work.spent()
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
