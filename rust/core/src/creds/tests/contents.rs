// SPDX-License-Identifier: Apache-2.0
use super::super::contents::{Damage, What, authorities, certificates, lists, what};
use super::super::pem::{self, PemError};
use super::{Random, data};

const LEAF: &[u8] = b"-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
const MARK: &[u8] = b"\xef\xbb\xbf";

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn certificate(label: &str) -> Vec<u8> {
    String::from_utf8(LEAF.to_vec())
        .unwrap()
        .replace("CERTIFICATE", label)
        .into_bytes()
}

/// What OpenSSL 3.0 finds in a file of authorities, and what of it is not passed over in silence.
#[test]
fn authorities_are_those_that_openssl_sees() {
    let crlf = String::from_utf8(LEAF.to_vec())
        .unwrap()
        .replace('\n', "\r\n");
    let cr = crlf.replace('\n', "").replace("MAMC", &"MAMC".repeat(80));
    let spaced = String::from_utf8(LEAF.to_vec())
        .unwrap()
        .replace('\n', "  \t\n");
    let indented = String::from_utf8(LEAF.to_vec())
        .unwrap()
        .replace("-----B", "  -----B");
    let wide: Vec<u8> = LEAF.iter().flat_map(|b| [*b, 0]).collect();
    let lower = String::from_utf8(LEAF.to_vec()).unwrap().to_lowercase();
    let (x509, trusted) = (
        certificate("X509 CERTIFICATE"),
        certificate("TRUSTED CERTIFICATE"),
    );
    let params = b"-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n";
    // A file, how many are taken, how many are lost.
    let table: &[(&str, Vec<u8>, usize, usize)] = &[
        ("plain", LEAF.to_vec(), 1, 0),
        ("mark first", join(&[MARK, LEAF]), 1, 0),
        ("mark between", join(&[LEAF, MARK, LEAF]), 2, 0),
        ("mark behind text", join(&[b"text\n", MARK, LEAF]), 0, 1),
        ("two marks", join(&[MARK, MARK, LEAF]), 0, 1),
        ("old label", join(&[&x509, LEAF]), 2, 0),
        ("trusted", join(&[&trusted, LEAF]), 2, 0),
        ("windows", crlf.clone().into_bytes(), 1, 0),
        ("old mac", cr.clone().into_bytes(), 0, 1),
        ("spaces at ends", spaced.into_bytes(), 1, 0),
        ("indented", indented.into_bytes(), 0, 1),
        ("wide", wide, 0, 1),
        ("lower case", lower.into_bytes(), 0, 1),
        (
            "text around",
            join(&[b"# ours\nsubject=x\n", LEAF, b"\n# end\n", LEAF]),
            2,
            0,
        ),
        ("parameters", join(&[params, LEAF]), 1, 0),
        ("NUL before", join(&[b"\0\n", LEAF, LEAF]), 0, 2),
        ("NUL within text", join(&[b"a\0b\n", LEAF]), 1, 0),
        (
            "no newline at the end",
            LEAF.trim_ascii_end().to_vec(),
            1,
            0,
        ),
        ("four dashes", b"----BEGIN CERTIFICATE----\n".to_vec(), 0, 1),
        (
            "typographer's dashes",
            "\u{2014}\u{2013}BEGIN CERTIFICATE\u{2014}\u{2013}\n".into(),
            0,
            1,
        ),
        (
            "a rule",
            join(&[b"-----------\n- our CA begin here -\n", LEAF]),
            1,
            0,
        ),
        (
            "a sentence",
            b"To begin: certificates are below\n".to_vec(),
            0,
            0,
        ),
    ];
    for (name, file, taken, lost) in table {
        let found = authorities(file);
        assert_eq!(
            (found.taken.len(), found.lost.len()),
            (*taken, *lost),
            "{name}: {found:?}"
        );
        assert_eq!(found.damaged, [], "{name}");
    }
}

/// Certificates of our own, keys and lists: whatever can be read is.
#[test]
fn our_own_files_are_read_more_generously() {
    let indented = String::from_utf8(LEAF.to_vec())
        .unwrap()
        .replace("\n", "\n    ");
    for file in [
        join(&[b"text\n", MARK, LEAF]),
        join(&[b"    ", indented.as_bytes()]),
        join(&[b"\0\n", LEAF]),
        join(&[MARK, b" ", LEAF]),
    ] {
        let found = certificates(&file);
        assert_eq!(
            (found.taken.len(), &found.lost[..]),
            (1, &[][..]),
            "{found:?}"
        );
    }
}

#[test]
fn what_is_glued_or_cut_is_told_and_the_next_is_found() {
    let cut = &LEAF[..LEAF.len() - 30];
    let glued = LEAF.trim_ascii_end();
    for (file, error, taken) in [
        (join(&[glued, LEAF]), PemError::Joined(3), 1),
        (join(&[LEAF, glued, LEAF]), PemError::Joined(6), 2),
        (join(&[LEAF, cut, LEAF]), PemError::NoEnd(4), 2),
        (join(&[LEAF, cut]), PemError::NoEnd(4), 1),
        (join(&[b"text\n", cut, MARK, LEAF]), PemError::NoEnd(2), 1),
    ] {
        for found in [authorities(&file), certificates(&file)] {
            assert_eq!(found.damaged, [Damage::Pem(error)], "{found:?}");
            assert_eq!(found.taken.len(), taken, "{found:?}");
            assert!(
                found
                    .taken
                    .iter()
                    .all(|t| t.element() == [0x30, 3, 2, 1, 1])
            );
        }
    }
    let headers =
        b"-----BEGIN CERTIFICATE-----\nComment: exported\n\nMAMCAQE=\n-----END CERTIFICATE-----\n";
    assert_eq!(authorities(headers).damaged, [Damage::Headers(1)]);
}

#[test]
fn octets_say_what_they_are() {
    let der = |name: &str| {
        let file = data(name);
        let block = pem::blocks(&file).map(Result::unwrap).last().unwrap();
        block.decode().unwrap().to_vec()
    };
    for (name, expected) in [
        ("p256.crt.pem", What::Certificate),
        ("rsa.crt.pem", What::Certificate),
        ("rsa.pkcs1.pem", What::Pkcs1),
        ("p256.pkcs8.pem", What::Pkcs8),
        ("ed25519.pkcs8.pem", What::Pkcs8),
        ("p384.sec1.pem", What::Sec1),
        ("p256.aes256.enc.pem", What::EncryptedKey),
        ("p256.pbes1.enc.pem", What::EncryptedKey),
    ] {
        let der = der(name);
        assert_eq!(what(&der), expected, "{name}");
        for end in 0..der.len() {
            let _ = what(&der[..end]);
        }
    }
    for nothing in [&b""[..], b"\x30\x00", b"\x30\x80", b"hello", &[0x30; 64]] {
        assert_eq!(what(nothing), What::Unknown);
    }
}

#[test]
fn der_is_read_where_nothing_else_is() {
    let file = data("p256.crt.pem");
    let der = pem::blocks(&file)
        .next()
        .unwrap()
        .unwrap()
        .decode()
        .unwrap();
    assert_eq!(certificates(&der).taken.len(), 1);
    assert_eq!(authorities(&der).taken.len(), 1);
    assert_eq!(lists(&der).taken.len(), 0);
}

/// The settings of OpenSSL behind a certificate: who is trusted for servers alone vouches for no client.
#[test]
fn settings_of_trust_are_followed() {
    const CLIENTS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
    const SERVERS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
    let oid = |oid: &[u8]| [&[6, u8::try_from(oid.len()).unwrap()], oid].concat();
    let list =
        |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
    let file = |settings: &[u8]| {
        let der = [&[0x30, 3, 2, 1, 1], settings].concat();
        crate::x509::pem(&der).replace("CERTIFICATE", "TRUSTED CERTIFICATE")
    };
    let vouches = |settings: &[u8]| {
        let found = authorities(file(settings).as_bytes());
        found.taken[0].may_vouch_for(CLIENTS)
    };
    assert!(vouches(&[]));
    assert!(vouches(&list(0x30, &[])));
    assert!(vouches(&list(0x30, &list(0x30, &oid(CLIENTS)))));
    assert!(!vouches(&list(0x30, &list(0x30, &oid(SERVERS)))));
    assert!(!vouches(&list(0x30, &list(0xa0, &oid(CLIENTS)))));
    assert!(vouches(&list(0x30, &list(0xa0, &oid(SERVERS)))));
}

#[test]
fn mutated_files_do_no_harm() {
    let seeds = [
        join(&[LEAF, MARK, LEAF]),
        data("p256.crt.pem"),
        data("rsa.des3.proc.pem"),
    ];
    let pieces: [&[u8]; 6] = [
        b"\n-----",
        b"\0",
        b"\r",
        MARK,
        b"-----BEGIN ",
        b"begin crl --",
    ];
    let mut random = Random(0x0bad_cafe_1234_5678);
    for _ in 0..4_000 {
        let mut file = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(6) {
            let at = random.below(file.len());
            let piece = pieces[random.below(pieces.len())].to_vec();
            drop(file.splice(at..at, piece));
        }
        for found in [authorities(&file), certificates(&file), lists(&file)] {
            let lines = file.iter().filter(|b| **b == b'\n').count() + 1;
            assert!(found.lost.iter().all(|line| (1..=lines).contains(line)));
            assert!(found.taken.iter().all(|taken| taken.line <= lines));
        }
    }
}
