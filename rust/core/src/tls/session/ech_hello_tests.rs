// SPDX-License-Identifier: Apache-2.0
//! Hellos made by hand against [`Session`]: each wrong in one way, and what a stranger may try.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_128;
use rustls::crypto::hpke::{Hpke, HpkePublicKey, HpkeSealer};

use super::tests::{context, policy};
use super::*;
use crate::ech::{EXTENSION, Key, Keys, OUTER_EXTENSIONS, Outcome, Source};

type Extension<'a> = (u16, &'a [u8]);

struct Fixed(Arc<Keys>);

impl Source for Fixed {
    fn keys(&self) -> Option<Arc<Keys>> {
        Some(self.0.clone())
    }
}

fn source(keys: Keys) -> &'static dyn Source {
    Box::leak(Box::new(Fixed(Arc::new(keys))))
}

fn vec16(data: &[u8]) -> Vec<u8> {
    [&u16::try_from(data.len()).unwrap().to_be_bytes()[..], data].concat()
}

fn body(session_id: &[u8], list: &[Extension<'_>]) -> Vec<u8> {
    let list: Vec<u8> = list
        .iter()
        .flat_map(|(kind, data)| [&kind.to_be_bytes()[..], &vec16(data)].concat())
        .collect();
    [
        &[3, 3][..],
        &[7; 32],
        &[u8::try_from(session_id.len()).unwrap()],
        session_id,
        &vec16(&[0x13, 1]),
        &[1, 0],
        &vec16(&list),
    ]
    .concat()
}

fn record(body: &[u8]) -> Vec<u8> {
    let message = [&[1, 0][..], &vec16(body)].concat();
    [&[22, 3, 1][..], &vec16(&message)].concat()
}

const TLS13: Extension<'_> = (43, &[2, 3, 4]);
const GROUPS: Extension<'_> = (10, &[0, 2, 0, 29]);
const SCHEMES: Extension<'_> = (13, &[0, 2, 4, 3]);
const OUTER: Extension<'_> = (0, b"\0\x0b\0\0\x08out.test");
const INNER: Extension<'_> = (0, b"\0\x09\0\0\x06a.test");
const MARKER: Extension<'_> = (EXTENSION, &[1]);

/// A share of X25519.
fn share() -> Vec<u8> {
    let mut base = [0; 32];
    base[0] = 9;
    [&[0, 36, 0, 29, 0, 32][..], &base].concat()
}

/// A client with a key.
struct Maker {
    config_id: u8,
    suite: [u8; 4],
    enc: Vec<u8>,
    sealer: Box<dyn HpkeSealer>,
}

impl Maker {
    fn new(key: &Key) -> Self {
        let info = [b"tls ech\0", key.encoded()].concat();
        let public = HpkePublicKey(key.config().public_key.clone());
        let (enc, sealer) = DH_KEM_X25519_HKDF_SHA256_AES_128
            .setup_sealer(&info, &public)
            .unwrap();
        Self {
            config_id: key.config().id,
            suite: [0, 1, 0, 1],
            enc: enc.0,
            sealer,
        }
    }

    fn offer(&self, payload: &[u8]) -> Vec<u8> {
        [
            &[0][..],
            &self.suite,
            &[self.config_id],
            &vec16(&self.enc),
            &vec16(payload),
        ]
        .concat()
    }

    /// An outer hello of these extensions, the offer last, around `encoded`.
    fn wire(&mut self, outer: &[Extension<'_>], encoded: &[u8]) -> Vec<u8> {
        let hello = |payload: &[u8]| {
            let offer = self.offer(payload);
            body(
                &[5; 32],
                &[outer, &[(EXTENSION, offer.as_slice())]].concat(),
            )
        };
        let aad = hello(&vec![0; encoded.len() + 16]);
        let payload = self.sealer.seal(&aad, encoded).unwrap();
        let offer = self.offer(&payload);
        record(&body(
            &[5; 32],
            &[outer, &[(EXTENSION, offer.as_slice())]].concat(),
        ))
    }
}

fn key() -> Key {
    Key::generate("out.test", 7, 0).unwrap()
}

fn keys(key: &Key) -> Keys {
    let own = Key::new(key.config().clone(), &key.private(), true).unwrap();
    Keys::new(vec![own], 1024).unwrap()
}

/// A session that was sent this, and what it said.
fn answer(source: &'static dyn Source, wire: &[u8]) -> (Session, Vec<u8>) {
    let mut session = Session::new();
    session.take_offers(source);
    if let Parsed::Hello(hello) = session.read_hello(wire) {
        let name = hello.server_name.unwrap_or_default();
        session
            .start(&policy(), b"", false, context(&name))
            .unwrap();
        session.feed(&[], &mut |_| {});
    }
    let said = session.take_ciphertext();
    (session, said)
}

fn inner(list: &[Extension<'_>]) -> Vec<u8> {
    body(&[], list)
}

fn sound(share: &[u8]) -> (Vec<Extension<'_>>, Vec<u8>) {
    let outer = vec![OUTER, TLS13, GROUPS, SCHEMES, (51, share)];
    let refers = [6, 0, 10, 0, 13, 0, 51];
    (
        outer,
        inner(&[INNER, TLS13, MARKER, (OUTER_EXTENSIONS, &refers)]),
    )
}

#[test]
fn a_sound_one_is_taken() {
    let (key, share) = (key(), share());
    let (outer, encoded) = sound(&share);
    let wire = Maker::new(&key).wire(&outer, &encoded);
    let (session, said) = answer(source(keys(&key)), &wire);
    assert_eq!(session.ech_outcome(), Outcome::Accepted);
    assert_eq!(said.first(), Some(&22), "{}", session.cause());
}

/// Beyond a limit for floods nothing is done with a private key.
#[test]
fn what_has_no_place_is_not_decrypted() {
    let (key, share) = (key(), share());
    let (outer, encoded) = sound(&share);
    let wire = Maker::new(&key).wire(&outer, &encoded);
    let mut session = Session::new();
    session.take_offers(source(keys(&key)));
    session.toll = Toll::exhausted();
    let Parsed::Hello(hello) = session.read_hello(&wire) else {
        panic!("no hello");
    };
    assert_eq!(hello.server_name.as_deref(), Some("out.test"));
    assert_eq!(session.ech_outcome(), Outcome::Failed);
    let _ = session.start(&policy(), b"", false, context("out.test"));
    assert!(session.admit(&policy()).is_err());
}

/// RFC 9849 7.1, 7: what the server has to end, and by which alert.
#[test]
fn each_fault_has_its_alert() {
    const ILLEGAL: u8 = 47;
    const DECODE: u8 = 50;
    let (key, share) = (key(), share());
    let keys = source(keys(&key));
    let (outer, _) = sound(&share);
    let shared: Extension<'_> = (51, &share);
    let of = |list: &[Extension<'_>]| Maker::new(&key).wire(&outer, &inner(list));
    let cases = [
        (
            "no marker",
            ILLEGAL,
            of(&[INNER, TLS13, GROUPS, SCHEMES, shared]),
        ),
        (
            "a marker with more",
            ILLEGAL,
            of(&[INNER, TLS13, (EXTENSION, &[1, 0])]),
        ),
        (
            "an outer marker",
            ILLEGAL,
            of(&[INNER, TLS13, (EXTENSION, &[0])]),
        ),
        (
            "no versions",
            ILLEGAL,
            of(&[INNER, MARKER, GROUPS, SCHEMES, shared]),
        ),
        (
            "TLS 1.2 too",
            ILLEGAL,
            of(&[INNER, MARKER, (43, &[4, 3, 4, 3, 3])]),
        ),
        (
            "TLS 1.2 alone",
            ILLEGAL,
            of(&[INNER, MARKER, (43, &[2, 3, 3])]),
        ),
        (
            "a name twice",
            ILLEGAL,
            of(&[INNER, INNER, TLS13, MARKER, GROUPS, SCHEMES, shared]),
        ),
        (
            "an outer extension twice",
            ILLEGAL,
            Maker::new(&key).wire(&[&outer[..], &[GROUPS]].concat(), &sound(&share).1),
        ),
        ("nothing inside", DECODE, Maker::new(&key).wire(&outer, &[])),
        (
            "a session id inside",
            ILLEGAL,
            Maker::new(&key).wire(&outer, &body(&[1], &[TLS13, MARKER])),
        ),
        (
            "inner in the clear",
            ILLEGAL,
            record(&body(&[], &[&outer[..], &[MARKER]].concat())),
        ),
        (
            "an unknown type",
            ILLEGAL,
            record(&body(&[], &[&outer[..], &[(EXTENSION, &[2])]].concat())),
        ),
        (
            "an empty offer",
            DECODE,
            record(&body(&[], &[&outer[..], &[(EXTENSION, &[])]].concat())),
        ),
    ];
    for (what, alert, wire) in cases {
        let (session, said) = answer(keys, &wire);
        assert_eq!(
            said,
            [21, 3, 3, 0, 2, 2, alert],
            "{what}: {}",
            session.cause()
        );
    }
}

/// GREASE of RFC 8701 is no older version.
#[test]
fn unknown_newer_versions_are_none_of_our_business() {
    let (key, share) = (key(), share());
    let (outer, _) = sound(&share);
    let shared: Extension<'_> = (51, &share);
    let list = [
        INNER,
        MARKER,
        (43, &[4, 0x5a, 0x5a, 3, 4]),
        GROUPS,
        SCHEMES,
        shared,
    ];
    let wire = Maker::new(&key).wire(&outer, &inner(&list));
    let (session, said) = answer(source(keys(&key)), &wire);
    assert_eq!(
        (session.ech_outcome(), said.first()),
        (Outcome::Accepted, Some(&22))
    );
}

/// What a HelloRetryRequest is answered with has to go on as it began (RFC 9849 7.1.1).
#[test]
fn a_second_hello_goes_on_as_the_first_began() {
    let (key, share) = (key(), share());
    let keys = source(keys(&key));
    let first = [OUTER, TLS13, GROUPS, SCHEMES, (51, &[0, 0][..])];
    let encoded = inner(&[INNER, TLS13, MARKER, GROUPS, SCHEMES, (51, &[0, 0])]);
    let (outer, again) = sound(&share);
    type Change = fn(&mut Maker, &[Extension<'_>], &[u8]) -> Vec<u8>;
    let cases: [(&str, Option<u8>, Change); 7] = [
        ("sound", None, |maker, outer, again| {
            maker.wire(outer, again)
        }),
        ("no offer", Some(109), |_, outer, _| {
            record(&body(&[5; 32], outer))
        }),
        ("another number", Some(47), |maker, outer, again| {
            maker.config_id += 1;
            maker.wire(outer, again)
        }),
        ("another suite", Some(47), |maker, outer, again| {
            maker.suite = [0, 1, 0, 3];
            maker.wire(outer, again)
        }),
        ("a secret again", Some(47), |maker, outer, again| {
            maker.enc = vec![9; 32];
            maker.wire(outer, again)
        }),
        ("garbage", Some(51), |maker, outer, again| {
            let mut wire = maker.wire(outer, again);
            *wire.last_mut().unwrap() ^= 1;
            wire
        }),
        ("another name", Some(47), |maker, outer, _| {
            let other = inner(&[
                OUTER,
                TLS13,
                MARKER,
                (OUTER_EXTENSIONS, &[6, 0, 10, 0, 13, 0, 51]),
            ]);
            maker.wire(outer, &other)
        }),
    ];
    for (what, alert, change) in cases {
        let mut maker = Maker::new(&key);
        let (mut session, said) = answer(keys, &maker.wire(&first, &encoded));
        assert_eq!(
            (session.ech_outcome(), said.first()),
            (Outcome::Accepted, Some(&22)),
            "{what}"
        );
        maker.enc.clear();
        let second = change(&mut maker, &outer, &again);
        for piece in second.chunks(50) {
            session.feed(piece, &mut |_| {});
        }
        let said = session.take_ciphertext();
        match alert {
            None => assert_eq!(said.first(), Some(&22), "{what}: {}", session.cause()),
            Some(alert) => assert_eq!(said, [21, 3, 3, 0, 2, 2, alert], "{what}"),
        }
    }
}

/// Nobody on the way can change anything of a hello and have the inner one taken.
#[test]
fn a_hello_that_was_changed_on_the_way_is_never_taken() {
    let (key, share) = (key(), share());
    let keys = source(keys(&key));
    let (outer, encoded) = sound(&share);
    let wire = Maker::new(&key).wire(&outer, &encoded);
    // The first record's header is no part of what is authenticated.
    for at in 5..wire.len() {
        for bit in 0..8 {
            let mut changed = wire.clone();
            changed[at] ^= 1 << bit;
            let mut session = Session::new();
            session.take_offers(keys);
            if let Parsed::Hello(hello) = session.read_hello(&changed) {
                assert_ne!(
                    session.ech_outcome(),
                    Outcome::Accepted,
                    "byte {at} bit {bit}"
                );
                assert_ne!(hello.server_name.as_deref(), Some("a.test"));
            }
        }
    }
}

/// Whoever has the public key may encrypt anything.
#[test]
fn nothing_inside_ends_more_than_its_connection() {
    let (key, share) = (key(), share());
    let keys = source(keys(&key));
    let (outer, encoded) = sound(&share);
    for at in 0..encoded.len() {
        for bit in [0, 3, 7] {
            let mut changed = encoded.clone();
            changed[at] ^= 1 << bit;
            let (_, said) = answer(keys, &Maker::new(&key).wire(&outer, &changed));
            assert!(matches!(said.first(), Some(21 | 22)), "byte {at} bit {bit}");
        }
        let (_, said) = answer(keys, &Maker::new(&key).wire(&outer, &encoded[..at]));
        assert_eq!(said.first(), Some(&21), "cut at {at}");
    }
}
