// SPDX-License-Identifier: Apache-2.0
//! Questions, and answers about clients' certificates.

use rcgen::ExtendedKeyUsagePurpose;

use super::tests::{HOUR, Says, time_der, world, world_with};
use super::*;
use crate::x509::der::{ENUMERATED, written as der};

const LEAF: &[u8] = include_bytes!("../../../../fuzz/ocsp/leaf.der");
const ISSUER: &[u8] = include_bytes!("../../../../fuzz/ocsp/issuer.der");

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(octet).collect()
}

/// What `openssl ocsp -reqout` writes of the same certificates.
#[test]
fn questions_are_those_of_openssl() {
    let id = "303b300906052b0e03021a050004146e09b43be90d6c3967c8db1656d260ec12e9312304142f844b61b9295952df888afb6ce\
              3331ee2fabd0802021000";
    let plain = format!("30433041303f303d{id}");
    let plain = bytes(&plain);
    assert_eq!(request(LEAF, ISSUER, None), Some(plain.clone()));
    let nonce = bytes("e61aa660f9d5f4f948e4da8db6d58137");
    let with_nonce = format!(
        "30683066303f303d{id}a2233021301f06092b060105050730010204120410e61aa660f9d5f4f948e4da8db6d58137"
    );
    assert_eq!(
        request(LEAF, ISSUER, Some(&nonce)),
        Some(bytes(&with_nonce))
    );
    assert_eq!(request(LEAF, LEAF, None), None, "of another issuer");
    assert_eq!(request(b"", ISSUER, None), None);
    let path = get_path(&plain);
    assert!(path.starts_with("MEMwQTA%2FMD0wOzAJBgUrDgMCGgUABBRuCbQ76Q1sOWfI2xZW0mDsEukxIwQUL4RLYbkpWVLfiIr7bOMzHuL6vQgCAhAA"));
}

#[test]
fn a_key_is_of_one_certificate_of_one_issuer() {
    let (one, other) = (world(), world());
    let of = |leaf: &[u8], ca: &[u8]| key(leaf, ca);
    let known = of(&one.leaf, &one.ca.0);
    assert!(known.is_some());
    assert_ne!(known, of(&one.responder.0, &one.ca.0));
    // The same name and serial number, signed with another key.
    assert_ne!(known, of(&one.leaf, &other.ca.0));
    // The same issuer, key and serial number, in certificates that somebody made up: neither signature is looked at.
    let made_up = |der: &[u8]| {
        let mut der = der.to_vec();
        *der.last_mut().unwrap() ^= 1;
        der
    };
    for other in [
        of(&made_up(&one.leaf), &one.ca.0),
        of(&one.leaf, &made_up(&one.ca.0)),
    ] {
        assert!(other.is_some());
        assert_ne!(known, other);
    }
    assert_eq!(of(&one.leaf, &one.leaf), None);
    assert_eq!(of(b"x", &one.ca.0), None);
}

#[test]
fn responders_are_where_certificates_say() {
    use rcgen::{CertificateParams, CustomExtension, KeyPair};
    let with = |content: &[u8]| {
        let mut params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
        let oid = [1, 3, 6, 1, 5, 5, 7, 1, 1];
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(&oid, content.to_vec()));
        let signed = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        responder(signed.der())
    };
    let access = |kind: u8, url: &[u8]| {
        let oid = der(6, &[&[0x2b, 6, 1, 5, 5, 7, 0x30, kind]]);
        der(0x30, &[&oid, &der(0x86, &[url])])
    };
    let list = |parts: &[&[u8]]| der(0x30, parts);
    let (issuers, ocsp) = (access(2, b"http://ca"), access(1, b"http://ocsp.test/a"));
    assert_eq!(
        with(&list(&[&issuers, &ocsp])).as_deref(),
        Some("http://ocsp.test/a")
    );
    assert_eq!(with(&list(&[&issuers])), None);
    assert_eq!(with(&list(&[&access(1, b"http://a b\n")])), None);
    assert_eq!(with(&list(&[&access(1, &[b'a'; 3000])])), None);
    assert_eq!(with(b"\x30\x05\x30"), None);
}

#[test]
fn what_an_answer_says() {
    let world = world();
    let now = world.now;
    let judged = |says: &Says<'_>| {
        judge(
            &says.response(),
            &world.leaf,
            &world.ca.0,
            None,
            &Rules::default(),
            now,
        )
        .unwrap()
    };
    let good = judged(&Says::good(&world));
    assert_eq!(
        good,
        Answer {
            status: Status::Good,
            from: now - HOUR,
            until: Some(now + HOUR)
        }
    );
    let reason = der(0xa0, &[&der(ENUMERATED, &[&[1]])]);
    for (reason, expected) in [(&reason[..], 1), (b"", 0)] {
        let status = der(0xa1, &[&time_der(now - 7), reason]);
        let revoked = judged(&Says {
            status: &status,
            until: None,
            ..Says::good(&world)
        });
        let when = now - 7;
        assert_eq!(
            revoked.status,
            Status::Revoked {
                when,
                reason: expected
            }
        );
        assert_eq!(revoked.until, None);
    }
    let unknown = Says {
        status: &[0x82, 0],
        ..Says::good(&world)
    };
    assert_eq!(judged(&unknown).status, Status::Unknown);
}

#[test]
fn skew_and_age_are_as_openssl_counts_them() {
    let world = world();
    let now = world.now;
    let judged = |from: i64, until: Option<i64>, skew: i64, max_age: Option<i64>| {
        let says = Says {
            from: now + from,
            until: until.map(|until| now + until),
            ..Says::good(&world)
        };
        let rules = Rules {
            skew,
            max_age,
            ..Rules::default()
        };
        let answer = judge(
            &says.response(),
            &world.leaf,
            &world.ca.0,
            None,
            &rules,
            now,
        );
        answer.map(|_| ())
    };
    assert_eq!(judged(300, Some(HOUR), 300, None), Ok(()));
    assert_eq!(
        judged(301, Some(HOUR), 300, None),
        Err(Fault::Early(now + 301))
    );
    assert_eq!(judged(-HOUR, Some(-300), 300, None), Ok(()));
    assert_eq!(
        judged(-HOUR, Some(-301), 300, None),
        Err(Fault::Late(now - 301))
    );
    assert_eq!(
        judged(-10, Some(-20), 300, None),
        Err(Fault::Late(now - 20)),
        "it ends before it begins"
    );
    assert_eq!(judged(-100, Some(HOUR), 0, Some(100)), Ok(()));
    assert_eq!(
        judged(-101, Some(HOUR), 0, Some(100)),
        Err(Fault::Old(now - 101))
    );
    assert_eq!(judged(-900 * HOUR, None, 0, None), Ok(()));
}

#[test]
fn an_answer_repeats_the_nonce() {
    let world = world();
    let judged = |sent: Option<&[u8]>, came: Option<&[u8]>| {
        let says = Says {
            nonce: came,
            ..Says::good(&world)
        };
        let response = says.response();
        judge(
            &response,
            &world.leaf,
            &world.ca.0,
            sent,
            &Rules::default(),
            world.now,
        )
        .map(|answer| answer.status)
    };
    let nonce = [7; NONCE];
    assert_eq!(judged(Some(&nonce), Some(&nonce)), Ok(Status::Good));
    assert_eq!(judged(None, Some(&nonce)), Ok(Status::Good));
    assert_eq!(judged(None, None), Ok(Status::Good));
    assert_eq!(judged(Some(&nonce), None), Err(Fault::Nonce));
    assert_eq!(judged(Some(&nonce), Some(&[8; NONCE])), Err(Fault::Nonce));
    assert_eq!(judged(Some(&nonce), Some(&nonce[1..])), Err(Fault::Nonce));
}

#[test]
fn responders_that_are_configured_are_believed() {
    let (world, other) = (world(), world_with(ExtendedKeyUsagePurpose::ServerAuth));
    let says = Says {
        by: &other.responder,
        ..Says::good(&world)
    };
    let response = says.response();
    let judged = |rules: &Rules| {
        judge(&response, &world.leaf, &world.ca.0, None, rules, world.now).map(|a| a.status)
    };
    assert_eq!(judged(&Rules::default()), Err(Fault::Signature));
    let trusted = Rules {
        responders: vec![b"x".to_vec(), other.responder.0.clone()],
        ..Rules::default()
    };
    assert_eq!(judged(&trusted), Ok(Status::Good));
    let stranger = Rules {
        responders: vec![other.ca.0.clone()],
        ..Rules::default()
    };
    assert_eq!(judged(&stranger), Err(Fault::Signature));
    let unverified = Rules {
        verify: false,
        ..Rules::default()
    };
    assert_eq!(judged(&unverified), Ok(Status::Good));
}

#[test]
fn extensions_that_nobody_knows_are_passed_over_unless_they_are_critical() {
    let world = world();
    let judged = |odd_of_all, odd_of_one| {
        let says = Says {
            odd_of_all,
            odd_of_one,
            nonce: Some(&[7; NONCE]),
            ..Says::good(&world)
        };
        let (response, rules) = (says.response(), Rules::default());
        judge(&response, &world.leaf, &world.ca.0, None, &rules, world.now).map(|a| a.status)
    };
    assert_eq!(judged(Some(false), Some(false)), Ok(Status::Good));
    assert_eq!(judged(Some(true), None), Err(Fault::Critical));
    assert_eq!(judged(None, Some(true)), Err(Fault::Critical));
}

#[test]
fn of_two_configured_responders_of_one_name_either_is_believed() {
    let (world, old) = (world(), world_with(ExtendedKeyUsagePurpose::ServerAuth));
    let new = world_with(ExtendedKeyUsagePurpose::ServerAuth);
    let rules = Rules {
        responders: vec![old.responder.0.clone(), new.responder.0.clone()],
        ..Rules::default()
    };
    for by in [&old.responder, &new.responder] {
        let says = Says {
            by,
            by_name: true,
            ..Says::good(&world)
        };
        let answer = judge(
            &says.response(),
            &world.leaf,
            &world.ca.0,
            None,
            &rules,
            world.now,
        );
        assert_eq!(answer.map(|answer| answer.status), Ok(Status::Good));
    }
}
