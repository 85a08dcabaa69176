// SPDX-License-Identifier: Apache-2.0
use rcgen::{
    CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls_pki_types::CertificateDer;

use super::testing::*;
use super::*;

#[test]
fn a_client_of_the_ca_is_let_in() {
    let ca = root("root");
    let verdict = Setting::of(&[&ca]).judge(&[client(params("c", 7), &ca)]);
    assert_eq!((verdict.outcome, verdict.depth), (Outcome::Success, 1));
    assert_eq!(verdict.not_after, 1_893_456_000);
    assert_eq!(Setting::of(&[&ca]).judge(&[]).outcome, Outcome::None);
}

#[test]
fn the_depth_counts_certificates_above_the_clients_own() {
    let ca = root("root");
    let middle = intermediate("middle", &ca);
    let chain = [client(params("c", 7), &middle), middle.der().clone()];
    assert_eq!(
        reason(&Setting::of(&[&ca]).judge(&chain)),
        "certificate chain too long"
    );
    let deeper = |setting: Setting| Setting {
        depth: 2,
        ..setting
    };
    assert_eq!(deeper(Setting::of(&[&ca])).judge(&chain).depth, 2);
    // A CA that is listed beside its root is a link: it need not be sent, and counts.
    let short = chain.split_first().map(|(leaf, _)| [leaf.clone()]).unwrap();
    assert_eq!(deeper(Setting::of(&[&ca, &middle])).judge(&short).depth, 2);
    assert_eq!(
        reason(&Setting::of(&[&ca, &middle]).judge(&short)),
        "certificate chain too long"
    );
    // Without its root it is an anchor, unless only roots are.
    assert_eq!(Setting::of(&[&middle]).judge(&short).depth, 1);
    let (anchors, refused) = Anchors::new(&[middle.der().clone()], Ends::AtRoots);
    assert!(anchors.is_empty() && refused.len() == 1, "{refused:?}");
}

#[test]
fn a_client_that_is_listed_is_no_ca() {
    let own = |ca: IsCa| {
        let mut own = params("own", 9);
        own.is_ca = ca;
        CertifiedIssuer::self_signed(own, KeyPair::generate().unwrap()).unwrap()
    };
    for client_of_theirs in [own(IsCa::NoCa), own(IsCa::ExplicitNoCa)] {
        let forged = client(params("admin", 7), &client_of_theirs);
        let setting = || Setting::of(&[&client_of_theirs]);
        let listed = setting().judge(&[client_of_theirs.der().clone()]);
        assert_eq!(listed.outcome, Outcome::Success);
        assert_eq!(
            reason(&setting().judge(std::slice::from_ref(&forged))),
            "invalid CA certificate"
        );
        let unverified = Setting {
            mode: Mode::OptionalNoCa,
            ..setting()
        };
        assert_eq!(
            reason(&unverified.judge(&[forged])),
            "invalid CA certificate"
        );
    }
}

#[test]
fn key_usages_count() {
    let ca = root("root");
    let mut mute = ca_params("mute", 2);
    mute.key_usages = vec![KeyUsagePurpose::CrlSign];
    let mute = CertifiedIssuer::signed_by(mute, KeyPair::generate().unwrap(), &ca).unwrap();
    let chain = [client(params("c", 7), &mute), mute.der().clone()];
    let deep = Setting {
        depth: 2,
        ..Setting::of(&[&ca])
    };
    assert_eq!(reason(&deep.judge(&chain)), "invalid CA certificate");
    let mut enciphers = params("c", 7);
    enciphers.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    assert_eq!(
        reason(&Setting::of(&[&ca]).judge(&[client(enciphers, &ca)])),
        "unsuitable certificate purpose"
    );
}

#[test]
fn strangers_are_told_apart() {
    let (ca, other) = (root("root"), root("other"));
    let stranger = client(params("c", 7), &other);
    assert_eq!(
        reason(&Setting::of(&[&ca]).judge(std::slice::from_ref(&stranger))),
        "unable to get local issuer certificate"
    );
    assert_eq!(
        reason(&Setting::of(&[&ca]).judge(&[stranger, other.der().clone()])),
        "self-signed certificate in certificate chain"
    );
    let key = KeyPair::generate().unwrap();
    let own = params("own", 9).self_signed(&key).unwrap().der().clone();
    assert_eq!(
        reason(&Setting::of(&[&ca]).judge(std::slice::from_ref(&own))),
        "self-signed certificate"
    );
    assert_eq!(
        reason(&Setting::of(&[&ca]).judge(&[CertificateDer::from(vec![0x30, 0x00])])),
        "certificate cannot be read"
    );
    // Listed itself it is its own anchor, byte by byte.
    let listed = Setting {
        cas: vec![own.clone()],
        ..Setting::of(&[])
    };
    let verdict = listed.judge(&[own]);
    assert_eq!((verdict.outcome, verdict.depth), (Outcome::Success, 0));
}

#[test]
fn an_equal_name_is_no_proof() {
    let (ca, impostor) = (root("root"), root("root"));
    assert_eq!(
        Setting::of(&[&ca])
            .judge(&[client(params("c", 7), &impostor)])
            .outcome,
        Outcome::Failed
    );
    let own = params("own", 9)
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap();
    let same_name = params("own", 9)
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap();
    let listed = Setting {
        cas: vec![own.der().clone()],
        ..Setting::of(&[])
    };
    assert_eq!(
        reason(&listed.judge(&[same_name.der().clone()])),
        "self-signed certificate"
    );
}

#[test]
fn dates_and_purposes_are_judged() {
    let ca = root("root");
    let mut expired = params("c", 7);
    expired.not_after = date_time_ymd(2025, 1, 1);
    assert_eq!(
        reason(&Setting::of(&[&ca]).judge(&[client(expired, &ca)])),
        "certificate has expired"
    );
    let mut early = params("c", 7);
    early.not_before = date_time_ymd(2027, 1, 1);
    assert_eq!(
        reason(&Setting::of(&[&ca]).judge(&[client(early, &ca)])),
        "certificate is not yet valid"
    );
    let mut server = params("c", 7);
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    assert_eq!(
        reason(&Setting::of(&[&ca]).judge(&[client(server, &ca)])),
        "unsuitable certificate purpose"
    );
    let mut old = ca_params("old root", 1);
    old.not_after = date_time_ymd(2025, 1, 1);
    let old = CertifiedIssuer::self_signed(old, KeyPair::generate().unwrap()).unwrap();
    assert_eq!(
        reason(&Setting::of(&[&old]).judge(&[client(params("c", 7), &old)])),
        "certificate has expired"
    );
}

#[test]
fn a_renewed_root_stands_beside_its_expired_self() {
    let key = KeyPair::generate().unwrap();
    let mut old = ca_params("root", 1);
    old.not_after = date_time_ymd(2025, 1, 1);
    let old = old.self_signed(&key).unwrap().der().clone();
    let new = CertifiedIssuer::self_signed(ca_params("root", 2), key).unwrap();
    let leaf = client(params("c", 7), &new);
    for cas in [
        [old.clone(), new.der().clone()],
        [new.der().clone(), old.clone()],
    ] {
        let setting = Setting {
            cas: cas.to_vec(),
            ..Setting::of(&[])
        };
        let verdict = setting.judge(&[leaf.clone(), old.clone()]);
        assert_eq!(verdict.outcome, Outcome::Success, "{verdict:?}");
    }
}

#[test]
fn a_way_round_is_found() {
    // Two roots, of which one is trusted, signed one CA; the certificate of the other is sent first.
    let (trusted, other) = (root("trusted"), root("other"));
    let key = KeyPair::generate().unwrap();
    let cross = |issuer: &Issuer| {
        ca_params("cross", 3)
            .signed_by(&key, issuer)
            .unwrap()
            .der()
            .clone()
    };
    let ways = [cross(&other), cross(&trusted)];
    let cross = CertifiedIssuer::signed_by(ca_params("cross", 3), key, &trusted).unwrap();
    let leaf = client(params("c", 7), &cross);
    let [a, b] = ways;
    for rest in [[a.clone(), b.clone()], [b, a]] {
        let setting = Setting {
            depth: 2,
            ..Setting::of(&[&trusted])
        };
        let chain = [std::slice::from_ref(&leaf), &rest[..]].concat();
        assert_eq!(setting.judge(&chain).outcome, Outcome::Success);
    }
}

#[test]
fn generosity_knows_bounds() {
    let (ca, other) = (root("root"), root("other"));
    let unverified = || Setting {
        mode: Mode::OptionalNoCa,
        ..Setting::of(&[&ca])
    };
    let stranger = client(params("c", 7), &other);
    assert_eq!(unverified().judge(&[stranger]).outcome, Outcome::Unverified);
    let mut expired = params("c", 7);
    expired.not_after = date_time_ymd(2025, 1, 1);
    for issuer in [&ca, &other] {
        assert_eq!(
            reason(&unverified().judge(&[client(expired.clone(), issuer)])),
            "certificate has expired"
        );
    }
    let own = expired.self_signed(&KeyPair::generate().unwrap()).unwrap();
    assert_eq!(
        reason(&unverified().judge(&[own.der().clone()])),
        "certificate has expired"
    );
    // A revoked client cannot hide behind a certificate that calls itself as its issuer does.
    let revoked = client(params("c", 7), &ca);
    let lookalike = root("root");
    let lists = [crl(&ca, &[7], 2030)];
    let setting = unverified().crls(RevocationDepth::Leaf, false, &lists);
    assert_eq!(
        reason(&setting.judge(&[revoked, lookalike.der().clone()])),
        "certificate revoked"
    );
}

#[test]
fn the_digest_covers_what_decides() {
    let (ca, other) = (root("root"), root("other"));
    let digest = |setting: Setting| setting.verifier().id();
    let base = digest(Setting::of(&[&ca]));
    assert_eq!(base, digest(Setting::of(&[&ca])));
    assert_ne!(base, digest(Setting::of(&[&other])));
    assert_ne!(
        base,
        digest(Setting {
            depth: 2,
            ..Setting::of(&[&ca])
        })
    );
    assert_ne!(
        base,
        digest(Setting {
            mode: Mode::Optional,
            ..Setting::of(&[&ca])
        })
    );
    assert_ne!(
        base,
        digest(Setting::of(&[&ca]).crls(RevocationDepth::Leaf, false, &[]))
    );
}
