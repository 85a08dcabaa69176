// SPDX-License-Identifier: Apache-2.0
//! Which revocation lists count.

use rcgen::{KeyIdMethod, KeyPair};
use rustls_pki_types::CertificateDer;

use super::keys::Key;
use super::revocation::list::List;
use super::testing::{
    Issuer, Setting, ca_params, client, crl, crl_of, intermediate, now, params, reason, root,
};
use super::work::{Exhausted, Work};
use super::*;
use crate::x509::outline::Outline;

#[test]
fn of_several_lists_the_latest_in_force_counts() {
    let ca = root("root");
    let leaf = client(params("c", 7), &ca);
    let old = crl_of(&ca, &[], 2024, 2030, 1);
    let new = crl_of(&ca, &[7], 2025, 2030, 2);
    let newer_of_the_day = crl_of(&ca, &[7], 2024, 2030, 2);
    let expired = crl_of(&ca, &[7], 2023, 2025, 0);
    let early = crl_of(&ca, &[7], 2027, 2030, 9);
    let judge = |lists: [&Vec<u8>; 2], missing_ok| {
        let lists = lists.map(Clone::clone);
        let verdict = Setting::of(&[&ca])
            .crls(RevocationDepth::Chain, missing_ok, &lists)
            .judge(std::slice::from_ref(&leaf));
        (verdict.outcome, verdict.reason)
    };
    for (a, b, reason) in [
        (&old, &new, "certificate revoked"),
        (&old, &newer_of_the_day, "certificate revoked"),
        (&expired, &new, "certificate revoked"),
        (&expired, &old, ""),
        (&early, &old, ""),
        (&early, &expired, "CRL is not yet valid"),
    ] {
        for missing_ok in [false, true] {
            assert_eq!(judge([a, b], missing_ok).1, reason);
            assert_eq!(judge([b, a], missing_ok).1, reason);
        }
    }
}

#[test]
fn a_list_that_cannot_be_read_may_be_anybodys() {
    let ca = root("root");
    let leaf = client(params("c", 7), &ca);
    let (revocation, refused) = Revocation::new(RevocationDepth::Leaf, true, &[b"x".to_vec()]);
    assert!(refused.len() == 1);
    let setting = Setting {
        revocation,
        ..Setting::of(&[&ca])
    };
    let chain = std::slice::from_ref(&leaf);
    assert_eq!(
        reason(&setting.judge(chain)),
        "unable to get certificate CRL"
    );
    // What was known before is known still, beside what is new.
    let verifier = Setting::of(&[&ca])
        .crls(RevocationDepth::Leaf, false, &[crl(&ca, &[], 2030)])
        .verifier();
    let new = crl_of(&ca, &[7], 2025, 2030, 2);
    verifier.revocation().replace(&[b"x".to_vec()], false);
    assert_eq!(verifier.judge(chain, now()).outcome, Outcome::Success);
    verifier.revocation().replace(&[b"x".to_vec(), new], false);
    assert_eq!(reason(&verifier.judge(chain, now())), "certificate revoked");
}

/// A file that could not be read is as much of a loss as a list that cannot.
#[test]
fn who_was_refused_is_not_let_in_by_a_file_that_is_lost() {
    let ca = root("root");
    let leaf = client(params("c", 7), &ca);
    let lists = [crl(&ca, &[7], 2030)];
    let verifier = Setting::of(&[&ca])
        .crls(RevocationDepth::Leaf, true, &lists)
        .verifier();
    let judged = || reason(&verifier.judge(std::slice::from_ref(&leaf), now())).to_owned();
    assert_eq!(judged(), "certificate revoked");
    verifier.revocation().replace::<Vec<u8>>(&[], true);
    assert_eq!(judged(), "certificate revoked");
    verifier.revocation().replace::<Vec<u8>>(&[], false);
    let judged = verifier.judge(std::slice::from_ref(&leaf), now());
    assert_eq!(judged.outcome, Outcome::Success);
}

#[test]
fn lists_are_replaced_whole() {
    let ca = root("root");
    let leaf = client(params("c", 7), &ca);
    let verifier = Setting::of(&[&ca])
        .crls(RevocationDepth::Leaf, false, &[crl(&ca, &[], 2030)])
        .verifier();
    let before = verifier.generation();
    assert_eq!(
        verifier.judge(std::slice::from_ref(&leaf), now()).outcome,
        Outcome::Success
    );
    let refused = verifier.revocation().replace(&[b"broken".to_vec()], false);
    assert_eq!(refused.len(), 1);
    assert_eq!(
        verifier.judge(std::slice::from_ref(&leaf), now()).outcome,
        Outcome::Success
    );
    let refused = verifier
        .revocation()
        .replace(&[crl(&ca, &[7], 2030)], false);
    assert!(refused.is_empty());
    assert_eq!(
        reason(&verifier.judge(&[leaf], now())),
        "certificate revoked"
    );
    assert_ne!(verifier.generation(), before);
}

#[test]
fn revocation_is_looked_up() {
    use RevocationDepth::{Chain, Leaf};
    let ca = root("root");
    let middle = intermediate("middle", &ca);
    let leaf = client(params("c", 7), &ca);
    let deep = [client(params("d", 8), &middle), middle.der().clone()];
    let setting = || Setting {
        depth: 2,
        ..Setting::of(&[&ca])
    };
    let good = crl(&ca, &[99], 2030);
    let judge = |depth, missing_ok, lists: &[Vec<u8>], chain: &[_]| {
        setting().crls(depth, missing_ok, lists).judge(chain)
    };
    let chain = std::slice::from_ref(&leaf);
    assert_eq!(
        judge(Leaf, false, std::slice::from_ref(&good), chain).outcome,
        Outcome::Success
    );
    assert_eq!(
        reason(&judge(Leaf, false, &[crl(&ca, &[7], 2030)], chain)),
        "certificate revoked"
    );
    assert_eq!(
        reason(&judge(Leaf, false, &[crl(&ca, &[], 2025)], chain)),
        "CRL has expired"
    );
    assert_eq!(
        reason(&judge(Leaf, false, &[], chain)),
        "unable to get certificate CRL"
    );
    assert_eq!(judge(Leaf, true, &[], chain).outcome, Outcome::Success);
    // The intermediate's serial number is 2.
    let revoked = crl(&ca, &[2], 2030);
    let lists = [revoked, crl(&middle, &[], 2030)];
    assert_eq!(judge(Leaf, false, &lists, &deep).outcome, Outcome::Success);
    assert_eq!(
        reason(&judge(Chain, false, &lists, &deep)),
        "certificate revoked"
    );
    assert_eq!(
        reason(&judge(Chain, false, &[good], &deep)),
        "unable to get certificate CRL"
    );
}

#[test]
fn a_file_that_was_never_whole_lets_nobody_pass_without_a_list() {
    let name = format!("mod_tls_lost_list_{}.pem", std::process::id());
    let file = std::env::temp_dir().join(name);
    let block = |text| format!("-----BEGIN X509 CRL-----\n{text}\n-----END X509 CRL-----\n");
    let damaged = [block("!!!!"), block("AQAB")].concat();
    std::fs::write(&file, damaged).unwrap();
    let request = Request {
        mode: Mode::Required,
        depth: 1,
        lists: Sources {
            files: vec![file.to_string_lossy().into_owned()],
            ..Sources::default()
        },
        lookup: RevocationDepth::Leaf,
        missing_ok: true,
        ..Request::default()
    };
    // A server reads its configuration twice.
    for _ in 0..2 {
        let (verifier, problems) = load(&request);
        assert!(!problems.is_empty());
        let strict = verifier.is_none_or(|verifier| !verifier.revocation().missing_ok());
        assert!(strict, "{problems:?}");
    }
    std::fs::remove_file(file).unwrap();
}

/// CAs of one name, each by itself, with the key identifier of `ca`, so that its lists may be theirs.
fn namesakes(ca: &Issuer, count: u64) -> Vec<CertificateDer<'static>> {
    let id = ca_params("root", 1).key_identifier(ca.key());
    let made = (0..count).map(|serial| {
        let mut own = ca_params("root", 100 + serial);
        own.key_identifier_method = KeyIdMethod::PreSpecified(id.clone());
        let key = KeyPair::generate().unwrap();
        own.self_signed(&key).unwrap().der().clone()
    });
    made.collect()
}

/// A list is hashed for those alone who have a path: anybody can make keys, and a list is as long as it is.
#[test]
fn keys_that_a_client_makes_have_no_list_hashed() {
    let ca = root("root");
    let other = root("root");
    // Their paths are searched as long as the budget lasts.
    for (count, why) in [
        (2, "CRL path validation error"),
        (12, "certificate chain too complex"),
    ] {
        let mut chain = namesakes(&other, count);
        chain.insert(0, client(params("c", 7), &ca));
        let verifier = Setting::of(&[&ca])
            .crls(RevocationDepth::Leaf, false, &[crl(&other, &[], 2030)])
            .verifier();
        assert_eq!(reason(&verifier.judge(&chain, now())), why);
        assert_eq!(verifier.revocation().lists().found(), []);
    }
}

#[test]
fn the_key_that_signed_a_list_is_not_forgotten_for_others() {
    let ca = root("root");
    let list = List::parse(crl(&ca, &[], 2030), String::new()).unwrap();
    let own = ca.der().clone();
    for der in std::iter::once(&own).chain(&namesakes(&ca, 20)) {
        let spki = Outline::parse(der).unwrap().spki;
        let key = Key::parse(&spki).unwrap();
        let signed = list.is_signed_by(&key, &mut Work::default());
        assert_eq!(signed.unwrap().is_ok(), *der == own);
    }
    let found = list.found();
    assert!(found.len() <= 8 && found.contains(&Ok(())), "{found:?}");
}

/// Who has a CA below the trusted one can make keys without end; whoever comes later pays for none of them.
#[test]
fn a_list_is_hashed_once_for_all_keys() {
    let ca = root("root");
    let serials: Vec<u64> = (1..5_000).collect();
    let list = List::parse(crl(&ca, &serials, 2030), String::new()).unwrap();
    let own = ca.der().clone();
    for der in namesakes(&ca, 20).iter().chain([&own]) {
        let spki = Outline::parse(der).unwrap().spki;
        let (key, mut work) = (Key::parse(&spki).unwrap(), Work::default());
        let found = list.is_signed_by(&key, &mut work).unwrap();
        assert_eq!((work.spent(), found.is_ok()), (key.cost(), *der == own));
    }
}

/// Signatures of Ed25519 are over the message itself: it is hashed for each key.
#[test]
fn hashing_a_list_for_many_keys_is_charged_by_its_length() {
    let own_key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let ca = rcgen::CertifiedIssuer::self_signed(ca_params("root", 1), own_key).unwrap();
    let serials: Vec<u64> = (1..5_000).collect();
    let der = crl(&ca, &serials, 2030);
    let kilobytes = u64::try_from(der.len() / 1024).unwrap();
    let list = List::parse(der, String::new()).unwrap();
    let spent = |der: &CertificateDer<'_>| {
        let spki = Outline::parse(der).unwrap().spki;
        let (key, mut work) = (Key::parse(&spki).unwrap(), Work::default());
        let found = list.is_signed_by(&key, &mut work);
        (work.spent().saturating_sub(key.cost()), found.is_ok())
    };
    for (place, der) in namesakes(&ca, 20).iter().enumerate() {
        let (beyond, _) = spent(der);
        // The last ones are remembered.
        assert_eq!(spent(der).0, 0);
        if place < 8 {
            assert_eq!(beyond, 0, "{place}");
        } else {
            assert!(beyond + 2 >= 2 * kilobytes && kilobytes > 100, "{beyond}");
        }
    }
    // Nothing is hashed beyond the budget.
    let mut work = Work::default();
    work.charge(work.left() - 101).unwrap();
    let spki = Outline::parse(ca.der()).unwrap().spki;
    let found = list.is_signed_by(&Key::parse(&spki).unwrap(), &mut work);
    assert_eq!(found, Err(Exhausted));
    assert!(!list.found().contains(&Ok(())));
    assert!(spent(ca.der()).1);
}
