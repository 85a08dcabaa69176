// SPDX-License-Identifier: Apache-2.0
//! What readers of foreign bytes allocate, counted: it grows no faster than what they read, whatever that is made of.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is how it fails"
)]

use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use mod_tls_core::ocsp;
use mod_tls_core::ticket::session_state::Binding;
use mod_tls_core::ticket::ticket_protector::{Kind, Provenance};
use mod_tls_core::verify::{Mode, Outcome, Revocation, RevocationDepth, Spec, Verifier};
use mod_tls_core::x509::{Certificate, DnStyle, Identity, Side};
use rustls_pki_types::{CertificateDer, UnixTime};

#[allow(unreachable_pub, reason = "the fuzz targets' own")]
#[path = "../../../fuzz/src/ticket_keys.rs"]
mod ticket_keys;

use ticket_keys::{NOW, protector};

/// What is little enough to be no matter: octets, and allocations.
const LITTLE: (u64, u64) = (8192, 64);

/// Runs `read` over what `make` makes of 100, 200, 400 ... things up to `most` octets: octets allocated in all and at most at
/// a time are bounded by `times` those of the input, allocations by its octets divided by `each`.
fn grows_with_its_input(
    what: &str,
    (times, each): (u64, u64),
    most: usize,
    make: impl Fn(usize) -> Vec<u8>,
    read: impl Fn(&[u8]),
) {
    read(&make(1)); // what is made once in a process
    let mut largest = 0;
    for count in (0..).map(|doubled| 100 << doubled) {
        let input = make(count);
        if input.len() > most {
            break;
        }
        largest = input.len() as u64;
        let AllocationInfo {
            count_total,
            bytes_total,
            ..
        } = measure(|| read(&input));
        assert!(
            bytes_total <= times * largest + LITTLE.0,
            "{what}: {bytes_total} octets are allocated for {largest}"
        );
        assert!(
            count_total <= largest / each + LITTLE.1,
            "{what}: {count_total} allocations for {largest} octets"
        );
    }
    assert!(largest > most as u64 / 8, "{what}: {largest} is no test");
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    match content.len() {
        short @ 0..0x80 => [&[tag, short as u8], &content[..]].concat(),
        _ => [&[tag, 0x84], &length[..], &content].concat(),
    }
}

const ECDSA: &[u8] = &[0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

fn name(attributes: usize) -> Vec<u8> {
    let one = element(
        0x31,
        &[&element(0x30, &[&[6, 3, 0x55, 4, 11], &[0x0c, 1, b'x']])],
    );
    element(0x30, &[&one.repeat(attributes)])
}

fn signed(body: &[u8]) -> Vec<u8> {
    element(0x30, &[body, ECDSA, &[3, 2, 0, 0]])
}

const TIME: &[u8] = b"\x17\x0d250101000000Z";

/// A list with `entries` as they stand, and `extensions`.
fn list(issuer: &[u8], entries: &[u8], extensions: &[u8]) -> Vec<u8> {
    let parts = [
        &[2, 1, 1],
        ECDSA,
        issuer,
        TIME,
        TIME,
        &element(0x30, &[entries]),
        &element(0xa0, &[&element(0x30, &[extensions])]),
    ];
    signed(&element(0x30, &parts))
}

fn read_list(der: &[u8]) {
    let (_, refused) = Revocation::new(RevocationDepth::Chain, false, &[der.to_vec()]);
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn revocation_lists() {
    let entry = |number: usize, more: &[u8]| {
        let serial = element(2, &[&(number as u32 + 0x0100_0000).to_be_bytes()]);
        element(0x30, &[&serial, TIME, more])
    };
    let number = element(
        0x30,
        &[&[6, 3, 0x55, 0x1d, 0x14], &element(4, &[&[2, 1, 1]])],
    );
    // For each octet: the copy that is handed over and the list's own, entries and their order.
    let bound = (8, 1000);
    grows_with_its_input(
        "entries",
        bound,
        1 << 21,
        |count| {
            let entries: Vec<u8> = (0..count).flat_map(|number| entry(number, &[])).collect();
            list(&name(1), &entries, &number)
        },
        read_list,
    );
    let why = element(
        0x30,
        &[&[6, 3, 0x55, 0x1d, 0x15], &element(4, &[&[0x0a, 1, 1]])],
    );
    grows_with_its_input(
        "extensions of one entry",
        bound,
        1 << 18,
        |count| {
            list(
                &name(1),
                &entry(1, &element(0x30, &[&why.repeat(count)])),
                &number,
            )
        },
        read_list,
    );
    // Names are compared in a canonical form, made by attributes.
    grows_with_its_input(
        "attributes of the issuer",
        (32, 2),
        1 << 18,
        |count| list(&name(count), &[], &number),
        read_list,
    );
    let other = element(0x30, &[&[6, 3, 0x2a, 3, 4], &element(4, &[&[5, 0]])]);
    grows_with_its_input(
        "extensions",
        bound,
        1 << 18,
        |count| list(&name(1), &[], &other.repeat(count)),
        read_list,
    );
}

/// A certificate of these parts; nobody signed it.
fn certificate(subject: &[u8], extensions: &[u8]) -> Vec<u8> {
    let key = element(0x30, &[&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]]);
    let parts: [&[u8]; 8] = [
        &[0xa0, 3, 2, 1, 2],
        &[2, 1, 7],
        ECDSA,
        &name(1),
        &element(0x30, &[TIME, TIME]),
        subject,
        &element(0x30, &[&key, &[3, 2, 0, 4]]),
        &element(0xa3, &[&element(0x30, &[extensions])]),
    ];
    signed(&element(0x30, &parts))
}

fn alt_names(count: usize) -> Vec<u8> {
    let names = element(0x30, &[&[0x82, 0].repeat(count)]);
    element(0x30, &[&[6, 3, 0x55, 0x1d, 0x11], &element(4, &[&names])])
}

fn odd_extension() -> Vec<u8> {
    element(0x30, &[&[6, 1, 0x2a], &[4, 0]])
}

/// Certificates of a great many small parts, as 64 KiB hold them.
fn crowded() -> [(&'static str, Vec<u8>); 3] {
    [
        ("attributes", certificate(&name(4500), &[])),
        ("names", certificate(&name(1), &alt_names(30_000))),
        (
            "extensions",
            certificate(&name(1), &odd_extension().repeat(8_000)),
        ),
    ]
}

/// A client's certificate that may speak for a great many addresses (RFC 3779), judged.
#[test]
fn blocks_of_addresses() {
    let make = |count: usize| {
        let address = |number: usize| {
            let octets = (0x0a00_0000 + 2 * number as u32).to_be_bytes();
            [&[3, 5, 0], &octets[..]].concat()
        };
        let list = element(0x30, &[&(0..count).flat_map(address).collect::<Vec<u8>>()]);
        let family = element(0x30, &[&[4, 2, 0, 1], &list]);
        let blocks = element(0x30, &[&family]);
        let oid: &[u8] = &[6, 8, 0x2b, 6, 1, 5, 5, 7, 1, 7];
        certificate(&name(2), &element(0x30, &[oid, &element(4, &[&blocks])]))
    };
    let spec = Spec {
        mode: Mode::OptionalNoCa,
        depth: 1,
        ..Spec::default()
    };
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let verifier = Verifier::new(spec, provider.signature_verification_algorithms);
    // As TIME has it.
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_735_689_600));
    // Two numbers of 16 octets for one of 7, while a list grows and for each time that it is read.
    grows_with_its_input("blocks", (64, 16), 1 << 16, make, |der| {
        let verdict = verifier.judge(&[CertificateDer::from(der)], now);
        assert_eq!(verdict.outcome, Outcome::Unverified, "{verdict:?}");
    });
}

#[test]
fn certificates() {
    let read = |der: &[u8]| assert!(Certificate::parse(der).is_some());
    // The texts of identifiers, one at a time.
    let bound = (1, 8);
    grows_with_its_input(
        "attributes",
        bound,
        1 << 16,
        |count| certificate(&name(count), &[]),
        read,
    );
    grows_with_its_input(
        "alternative names",
        bound,
        1 << 16,
        |count| certificate(&name(1), &alt_names(count)),
        read,
    );
    grows_with_its_input(
        "extensions",
        bound,
        1 << 16,
        |count| certificate(&name(1), &odd_extension().repeat(count)),
        read,
    );
}

/// What was asked of a certificate leaves the bounded variables behind, and nothing else.
#[test]
fn an_open_connection_keeps_a_certificate_as_it_came() {
    let _ = mod_tls_core::x509::object_names("2.5.4.3"); // the table is made once in a process
    for (what, der) in crowded() {
        assert!(
            der.len() > 40_000 && der.len() < 1 << 17,
            "{what} {}",
            der.len()
        );
        let identity = Identity::new(None, vec![CertificateDer::from(der)]);
        let ask = || {
            for name in ["S_DN", "S_DN_OU_3", "SAN_DNS_100", "A_KEY", "M_SERIAL"] {
                let _ = identity.field(Side::Client, name, DnStyle::Rfc2253, 0);
            }
            let _ = identity.extensions(Side::Client, "1.2");
        };
        let kept = |info: AllocationInfo| info.bytes_current;
        assert!(identity.certificate(Side::Client).is_some(), "{what}");
        assert_eq!(kept(measure(ask)), 0, "{what}");
        let exported = measure(|| drop(identity.exported(Side::Client, DnStyle::Rfc2253, 0)));
        assert!(kept(exported) <= 80 << 10, "{what}");
    }
}

#[test]
fn tickets_and_cache_entries() {
    let protector = protector();
    let to = Binding {
        policy: &[7; 32],
        host: "a.example:443",
        lifetime: 300,
        generation: 3,
    };
    let provenance = || Provenance {
        origin: NOW,
        client: None,
    };
    let entry = Kind::Entry {
        id: b"0123456789abcdef0123456789abcdef",
        expiry: NOW + 300,
    };
    for kind in [Kind::Ticket, entry] {
        let own = |count: usize| {
            protector
                .seal(kind, &to, provenance(), &vec![7; count])
                .unwrap()
        };
        // What is opened, and what is handed on.
        let bound = (3, 1000);
        grows_with_its_input("own", bound, 1 << 17, own, |sealed| {
            assert!(protector.open(kind, &to, sealed).is_ok());
        });
        let damaged = |count: usize| {
            let mut sealed = own(count);
            *sealed.last_mut().unwrap() ^= 1;
            sealed
        };
        grows_with_its_input("damaged", bound, 1 << 17, damaged, |sealed| {
            assert!(protector.open(kind, &to, sealed).is_err());
        });
        let noise = |count: usize| vec![0x5a; count];
        grows_with_its_input("of nobody's", (0, 1000), 1 << 17, noise, |sealed| {
            assert!(protector.open(kind, &to, sealed).is_err());
        });
    }
}

const GOOD: &[u8] = include_bytes!("../../../fuzz/corpus/ocsp/good");
const LEAF: &[u8] = include_bytes!("../../../fuzz/ocsp/leaf.der");
const ISSUER: &[u8] = include_bytes!("../../../fuzz/ocsp/issuer.der");

/// A response whose body `make` gives; its signature is nobody's.
fn response(singles: &[u8], certificates: &[u8]) -> Vec<u8> {
    let data = element(
        0x30,
        &[
            &element(0xa2, &[&element(4, &[&[1; 20]])]),
            b"\x18\x0f20250101000000Z",
            &element(0x30, &[singles]),
        ],
    );
    let chain = element(0xa0, &[&element(0x30, &[certificates])]);
    let basic = element(0x30, &[&data, ECDSA, &[3, 2, 0, 0], &chain]);
    let oid = [6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
    let bytes = element(0x30, &[&oid, &element(4, &[&basic])]);
    element(0x30, &[&[0x0a, 1, 0], &element(0xa0, &[&bytes])])
}

#[test]
fn staples() {
    let now = include_str!("../../../fuzz/ocsp/now")
        .trim()
        .parse()
        .unwrap();
    assert!(ocsp::check(GOOD, LEAF, ISSUER, now).is_ok());
    let read = |response: &[u8]| assert!(ocsp::check(response, LEAF, ISSUER, now).is_err());
    let sha1 = element(0x30, &[&[6, 5, 0x2b, 0x0e, 3, 2, 0x1a], &[5, 0]]);
    let of_another = element(
        0x30,
        &[
            &sha1,
            &element(4, &[&[1; 20]]),
            &element(4, &[&[2; 20]]),
            &[2, 1, 1],
        ],
    );
    let single = element(0x30, &[&of_another, &[0x80, 0], b"\x18\x0f20250101000000Z"]);
    grows_with_its_input(
        "answers about others",
        (8, 12),
        1 << 20,
        |count| response(&single.repeat(count), &[]),
        read,
    );
    grows_with_its_input(
        "certificates of responders",
        (8, 20),
        1 << 20,
        |count| response(&[], &LEAF.repeat(count / 10)),
        read,
    );
    grows_with_its_input("noise", (1, 1000), 1 << 20, |count| vec![0x30; count], read);
}
