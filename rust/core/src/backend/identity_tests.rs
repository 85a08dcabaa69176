// SPDX-License-Identifier: Apache-2.0
use super::*;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// Who signs, by a name and a key of its own.
struct Signer(CertificateParams, KeyPair);

impl Signer {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(params, KeyPair::generate().unwrap())
    }

    fn signed_by(&self, other: &Self) -> String {
        let by = Issuer::new(other.0.clone(), &other.1);
        self.0.clone().signed_by(&self.1, &by).unwrap().pem()
    }

    fn key(&self) -> String {
        self.1.serialize_pem()
    }
}

fn ders(pem: &str) -> Vec<CertificateDer<'static>> {
    let taken = contents::certificates(pem.as_bytes()).taken;
    let der = |one: &Taken| CertificateDer::from(one.element().to_vec());
    taken.iter().map(der).collect()
}

/// What is sent of a file, beside the file of CAs.
fn sent(file: &str, chain: &str) -> Vec<CertificateDer<'static>> {
    let pairs = read_pairs("file", file.as_bytes(), &Issuers::new(ders(chain))).unwrap();
    assert_eq!(pairs.len(), 1);
    pairs[0].certified.cert.clone()
}

/// Wherever they stand, and however often: each is sent once.
#[test]
fn authorities_that_issued_each_other_are_sent_once() {
    let [leaf, a, b] = ["leaf", "a", "b"].map(Signer::new);
    let certificate = leaf.signed_by(&a);
    let circle = a.signed_by(&b) + &b.signed_by(&a);
    let wanted = ders(&(certificate.clone() + &circle));
    let pair = certificate + &leaf.key();
    for (file, chain) in [
        (pair.clone(), circle.clone()),
        (pair.clone() + &circle, String::new()),
        (pair.clone() + &circle, circle.clone()),
        (pair.clone() + &b.signed_by(&a), a.signed_by(&b)),
        (pair, circle.repeat(400)),
    ] {
        assert_eq!(sent(&file, &chain).len(), wanted.len());
        assert_eq!(sent(&file, &circle), wanted);
    }
}

#[test]
fn a_certificate_that_is_one_of_them_is_sent_once() {
    let [a, b] = ["a", "b"].map(Signer::new);
    let (own, other) = (a.signed_by(&b), b.signed_by(&a));
    let pair = own.clone() + &a.key();
    let wanted = ders(&(own.clone() + &other));
    assert_eq!(sent(&pair, &(own + &other)), wanted);
    assert_eq!(sent(&(pair + &other), ""), wanted);
}

#[test]
fn no_more_links_are_sent_than_any_path_has() {
    let ladder: Vec<Signer> = (0..40).map(|n| Signer::new(&n.to_string())).collect();
    let rungs = ladder.windows(2).map(|two| two[0].signed_by(&two[1]));
    let rungs: Vec<String> = rungs.collect();
    let found = sent(&(rungs[0].clone() + &ladder[0].key()), &rungs[1..].concat());
    assert_eq!(found, ders(&rungs[..=MAX_LINKS].concat()));
}
