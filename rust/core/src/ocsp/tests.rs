// SPDX-License-Identifier: Apache-2.0
//! Staples, and a maker of responses of every kind.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer as Signer,
    KeyPair, SigningKey,
};

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

use super::staple::WITHOUT_END;
use super::*;
use crate::x509::Certificate;
use crate::x509::der::{
    BIT_STRING, ENUMERATED, INTEGER, OCTET_STRING, OID, SEQUENCE, written as der,
};
use crate::x509::outline::public_key_bits;
use crate::x509::time::GENERALIZED_TIME;
use crate::x509::time::date;

pub(crate) const HOUR: i64 = 3600;

pub(crate) fn time_der(seconds: i64) -> Vec<u8> {
    let text: String = date(seconds).chars().filter(char::is_ascii_digit).collect();
    der(GENERALIZED_TIME, &[text.as_bytes(), b"Z"])
}

/// An authority, a certificate of it, and a responder that it named.
pub(crate) struct World {
    pub(crate) ca: (Vec<u8>, KeyPair),
    pub(crate) leaf: Vec<u8>,
    pub(crate) responder: (Vec<u8>, KeyPair),
    pub(crate) now: i64,
}

pub(crate) fn world() -> World {
    world_with(ExtendedKeyUsagePurpose::OcspSigning)
}

/// The same, where the responder's certificate is for `purpose`.
pub(crate) fn world_with(purpose: ExtendedKeyUsagePurpose) -> World {
    let names = |name: &str| {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let ca_key = KeyPair::generate().unwrap();
    let mut ca_params = names("ca");
    ca_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = ca_params.self_signed(&ca_key).unwrap().der().to_vec();
    let signer = Signer::new(ca_params, &ca_key);
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = names("a.test")
        .signed_by(&leaf_key, &signer)
        .unwrap()
        .der()
        .to_vec();
    let responder_key = KeyPair::generate().unwrap();
    let mut responder_params = names("responder");
    responder_params.extended_key_usages = vec![purpose];
    let responder = responder_params.signed_by(&responder_key, &signer).unwrap();
    let responder = responder.der().to_vec();
    World {
        ca: (ca, ca_key),
        leaf,
        responder: (responder, responder_key),
        now: crate::system::clock::now(),
    }
}

/// What a response says, and who says it.
pub(crate) struct Says<'a> {
    pub(crate) world: &'a World,
    pub(crate) leaf: &'a [u8],
    pub(crate) status: &'a [u8],
    pub(crate) from: i64,
    pub(crate) until: Option<i64>,
    pub(crate) by: &'a (Vec<u8>, KeyPair),
    pub(crate) with_certificate: bool,
    pub(crate) sha256: bool,
    pub(crate) by_name: bool,
    pub(crate) nonce: Option<&'a [u8]>,
    /// An extension that nobody knows, of the whole or of what is said of the certificate: critical, or not.
    pub(crate) odd_of_all: Option<bool>,
    pub(crate) odd_of_one: Option<bool>,
}

/// One that nobody knows.
fn odd(critical: bool) -> Vec<u8> {
    let flag = if critical { &[1, 1, 0xff][..] } else { &[] };
    let id = der(OID, &[&[0x2a, 3]]);
    der(SEQUENCE, &[&id, flag, &der(OCTET_STRING, &[&[5, 0]])])
}

impl<'a> Says<'a> {
    pub(crate) fn good(world: &'a World) -> Self {
        Self {
            world,
            leaf: &world.leaf,
            status: &[0x80, 0],
            from: world.now - HOUR,
            until: Some(world.now + HOUR),
            by: &world.ca,
            with_certificate: false,
            sha256: false,
            by_name: false,
            nonce: None,
            odd_of_all: None,
            odd_of_one: None,
        }
    }

    pub(crate) fn response(&self) -> Vec<u8> {
        let leaf = Certificate::parse(self.leaf).unwrap();
        let ca = Certificate::parse(&self.world.ca.0).unwrap();
        let signer = Certificate::parse(&self.by.0).unwrap();
        let (hash, oid): (&'static Algorithm, &[u8]) = if self.sha256 {
            (&SHA256, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1])
        } else {
            (&SHA1_FOR_LEGACY_USE_ONLY, &[0x2b, 0x0e, 3, 2, 0x1a])
        };
        let hashed = |bytes: &[u8]| der(OCTET_STRING, &[digest(hash, bytes).as_ref()]);
        let id = der(
            SEQUENCE,
            &[
                &der(SEQUENCE, &[&der(OID, &[oid])]),
                &hashed(leaf.issuer_der()),
                &hashed(public_key_bits(ca.spki()).unwrap()),
                &der(INTEGER, &[leaf.serial]),
            ],
        );
        let until = self
            .until
            .map_or(Vec::new(), |until| der(0xa0, &[&time_der(until)]));
        let odd = self.odd_of_one.map_or(Vec::new(), |critical| {
            der(0xa1, &[&der(SEQUENCE, &[&odd(critical)])])
        });
        let times = [time_der(self.from), until].concat();
        let single = der(SEQUENCE, &[&id, self.status, &times, &odd]);
        let responder = if self.by_name {
            der(0xa1, &[signer.subject_der()])
        } else {
            let bits = public_key_bits(signer.spki()).unwrap();
            der(
                0xa2,
                &[&der(
                    OCTET_STRING,
                    &[digest(&SHA1_FOR_LEGACY_USE_ONLY, bits).as_ref()],
                )],
            )
        };
        let data = der(
            SEQUENCE,
            &[
                &responder,
                &time_der(self.from),
                &der(SEQUENCE, &[&single]),
                &self.extensions(),
            ],
        );
        let ecdsa_sha256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
        let signature = self.by.1.sign(&data).unwrap();
        let certificates = if self.with_certificate {
            der(0xa0, &[&der(SEQUENCE, &[&self.by.0])])
        } else {
            Vec::new()
        };
        let basic = der(
            SEQUENCE,
            &[
                &data,
                &der(SEQUENCE, &[&der(OID, &[&ecdsa_sha256])]),
                &der(BIT_STRING, &[&[0], &signature]),
                &certificates,
            ],
        );
        let kind = [0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
        let bytes = der(
            SEQUENCE,
            &[&der(OID, &[&kind]), &der(OCTET_STRING, &[&basic])],
        );
        der(
            SEQUENCE,
            &[&der(ENUMERATED, &[&[0]]), &der(0xa0, &[&bytes])],
        )
    }

    fn extensions(&self) -> Vec<u8> {
        let nonce = self.nonce.map(|nonce| {
            let id = [0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];
            let value = der(OCTET_STRING, &[&der(OCTET_STRING, &[nonce])]);
            der(SEQUENCE, &[&der(OID, &[&id]), &value])
        });
        let all: Vec<_> = nonce.into_iter().chain(self.odd_of_all.map(odd)).collect();
        match all.is_empty() {
            true => Vec::new(),
            false => der(0xa1, &[&der(SEQUENCE, &[&all.concat()])]),
        }
    }

    fn judged(&self) -> Result<Staple, Refusal> {
        let world = self.world;
        check(&self.response(), &world.leaf, &world.ca.0, world.now)
    }
}

#[test]
fn good_ones_are_taken() {
    let world = world();
    let response = Says::good(&world).response();
    let staple = check(&response, &world.leaf, &world.ca.0, world.now).unwrap();
    assert_eq!(staple.der, response);
    assert_eq!(staple.until, world.now + HOUR);
    assert!(staple.is_of_use(world.now) && !staple.is_of_use(world.now + HOUR));
    for (sha256, by_name) in [(true, false), (false, true), (true, true)] {
        let good = Says {
            sha256,
            by_name,
            ..Says::good(&world)
        };
        good.judged().unwrap();
        let delegated = Says {
            by: &world.responder,
            with_certificate: true,
            ..good
        };
        delegated.judged().unwrap();
    }
    let endless = Says {
        until: None,
        ..Says::good(&world)
    };
    assert_eq!(
        endless.judged().unwrap().until,
        world.now - HOUR + WITHOUT_END
    );
}

#[test]
fn what_clients_would_not_believe_is_refused() {
    let world = world();
    let other = self::world();
    let good = || Says::good(&world);
    let now = world.now;
    let refused = |says: Says<'_>| says.judged().unwrap_err();
    let revoked = der(0xa1, &[&time_der(now - HOUR)]);
    assert_eq!(
        refused(Says {
            status: &revoked,
            ..good()
        }),
        Refusal::Revoked
    );
    assert_eq!(
        refused(Says {
            status: &[0x82, 0],
            ..good()
        }),
        Refusal::Unknown
    );
    assert_eq!(
        refused(Says {
            from: now + HOUR,
            ..good()
        }),
        Refusal::Fault(Fault::Early(now + HOUR))
    );
    assert_eq!(
        refused(Says {
            until: Some(now - 1),
            ..good()
        }),
        Refusal::Fault(Fault::Late(now - 1))
    );
    assert_eq!(
        refused(Says {
            leaf: &other.leaf,
            ..good()
        }),
        Refusal::Fault(Fault::Foreign)
    );
    // The certificate's own key, a stranger's, and a responder that does not show its certificate.
    let stranger = Says {
        by: &other.ca,
        with_certificate: true,
        ..good()
    };
    assert_eq!(refused(stranger), Refusal::Fault(Fault::Signature));
    let foreign = Says {
        by: &other.responder,
        with_certificate: true,
        ..good()
    };
    assert_eq!(refused(foreign), Refusal::Fault(Fault::Signature));
    assert_eq!(
        refused(Says {
            by: &world.responder,
            ..good()
        }),
        Refusal::Fault(Fault::Signature)
    );
    let response = good().response();
    let by = |issuer: &[u8]| check(&response, &world.leaf, issuer, now).unwrap_err();
    assert_eq!(by(&world.leaf), Refusal::Fault(Fault::NoIssuer));
    assert_eq!(by(b""), Refusal::Fault(Fault::NoIssuer));
    // tryLater
    let nothing = check(&[0x30, 3, 0x0a, 1, 3], &world.leaf, &world.ca.0, now);
    assert_eq!(nothing, Err(Refusal::Fault(Fault::Unsuccessful(3))));
}

#[test]
fn a_certificate_for_something_else_signs_no_responses() {
    let world = world_with(ExtendedKeyUsagePurpose::ServerAuth);
    let says = Says {
        by: &world.responder,
        with_certificate: true,
        ..Says::good(&world)
    };
    assert_eq!(says.judged(), Err(Refusal::Fault(Fault::Signature)));
}

#[test]
fn every_damage_is_an_answer_and_no_panic() {
    let world = world();
    let response = Says {
        by: &world.responder,
        with_certificate: true,
        ..Says::good(&world)
    }
    .response();
    let judged = |bytes: &[u8]| check(bytes, &world.leaf, &world.ca.0, world.now);
    for end in 0..response.len() {
        assert!(judged(&response[..end]).is_err(), "cut at {end}");
    }
    for place in 0..response.len() {
        let mut bad = response.clone();
        bad[place] ^= 0x41;
        // Some bytes of the responder's certificate are covered by no signature that matters.
        if let Ok(staple) = judged(&bad) {
            assert_eq!(staple.der, bad);
        }
    }
    let longer = [&response[..], &[0]].concat();
    assert_eq!(judged(&longer), Err(Refusal::Fault(Fault::Unreadable)));
}
