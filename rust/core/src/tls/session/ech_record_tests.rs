// SPDX-License-Identifier: Apache-2.0
//! The lengths of records where an inner hello is accepted: padded, changed where they are short, else as ever.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;

use super::ech_tests::*;
use super::tests::{context_for, sent_by, shown};
use super::trust_all::TrustAll;
use super::*;
use crate::ech::{Keys, Outcome};
use crate::tls::context::Shown;
use crate::tls::policy::Policy;

/// Certificates of different lengths make flights of one length.
#[test]
fn accepted_flights_are_padded() {
    let of = |padding: u16, octets: usize| {
        let key = key(7);
        let list = known(&key);
        let source = source(Some(Keys::new(vec![key], padding).unwrap()));
        let mut config = config(Some(enabled(&list)), aws_lc_rs::default_provider());
        config.resumption = rustls::client::Resumption::disabled();
        let shown = Shown::new(rustls::sign::CertifiedKey {
            ocsp: Some(vec![7; octets]),
            ..(*shown().certified).clone()
        });
        let met = meet_with(to(&Arc::new(config)), source, &spec(), 100_000, &shown);
        assert_accepted(&met);
        met.sent
    };
    assert_eq!(of(1024, 10), of(1024, 300));
    assert_eq!(of(1024, 10) + 1024, of(1024, 900));
    assert_ne!(of(0, 10), of(0, 300));
    // A chain longer than a record: the last one alone has room.
    assert_eq!(of(1024, 20_000), of(1024, 20_010));
}

/// The reply to a client's KeyUpdate is written where others write theirs: it is not padded.
#[test]
fn a_key_update_is_as_short_as_ever() {
    let key = key(7);
    let list = known(&key);
    let source = source(Some(Keys::new(vec![key], 16_384).unwrap()));
    let config = config(Some(enabled(&list)), aws_lc_rs::default_provider());
    let mut met = meet(to(&Arc::new(config)), source, &spec(), 100_000);
    assert_accepted(&met);
    met.client.refresh_traffic_keys().unwrap();
    met.session.feed(&sent_by(&mut met.client), &mut |_| {});
    let mut room = [0; 300];
    let (taken, written) = met.session.seal(b"short", 100, &mut room).unwrap();
    assert_eq!(taken, 5);
    let mut bytes = &room[..written];
    while !bytes.is_empty() {
        met.client.read_tls(&mut bytes).unwrap();
        met.client.process_new_packets().unwrap();
    }
    let mut got = [0; 5];
    std::io::Read::read_exact(&mut met.client.reader(), &mut got).unwrap();
    assert_eq!(&got, b"short");
}

/// A client that wants short records gets each message in several, changed all the same.
#[test]
fn short_records_are_changed_too() {
    for groups in [vec![29], vec![24], vec![0x11ec]] {
        for stale in [false, true] {
            let (held, other) = (key(7), key(7));
            let list = known(if stale { &other } else { &held });
            let client = to(&Arc::new(config(
                Some(enabled(&list)),
                aws_lc_rs::default_provider(),
            )));
            let mut spec = spec();
            spec.negotiated.groups = groups.clone();
            let policy = Policy::build(&spec).unwrap();
            let met = meet_limited(client, only(held), &policy, 100_000, &shown(), Some(70));
            match stale {
                false => assert_accepted(&met),
                true => assert_eq!(given(&met), None, "there is no room"),
            }
        }
    }
}

/// A server that speaks nothing newer answers an offer with nothing.
#[test]
fn tls12_is_left_as_it_is() {
    let mut spec = spec();
    spec.negotiated.versions.tls13 = false;
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = builder
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAll))
        .with_no_client_auth();
    let mut client = to(&Arc::new(config));
    let mut hello = sent_by(&mut client);
    // As a client with GREASE would have it: the extension is appended, and the hello is that client's no more.
    let offer = [&[0, 0, 1, 0, 1, 9, 0, 1, 5][..], &[0, 1, 6]].concat();
    let extension = [&[0xfe, 0x0d, 0, 12][..], &offer].concat();
    hello.extend_from_slice(&extension);
    for (at, length) in [(3, 2), (6, 3)] {
        let value = hello[at..at + length]
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let longer = (value + extension.len()).to_be_bytes();
        hello[at..at + length].copy_from_slice(&longer[8 - length..]);
    }
    let list = 5 + 4 + 34 + 1 + 32;
    let suites = usize::from(u16::from_be_bytes([hello[list], hello[list + 1]]));
    let at = list + 2 + suites + 2;
    let value = u16::from_be_bytes([hello[at], hello[at + 1]]) + 16;
    hello[at..at + 2].copy_from_slice(&value.to_be_bytes());
    let mut session = Session::new();
    session.take_offers(only(key(7)));
    let Parsed::Hello(parsed) = session.read_hello(&hello) else {
        panic!("it is a hello");
    };
    let name = parsed.server_name.unwrap_or_default();
    let context = context_for(&name, &shown());
    session
        .start(&Policy::build(&spec).unwrap(), b"", false, context)
        .unwrap();
    session.feed(&[], &mut |_| {});
    assert_eq!(session.ech_outcome(), Outcome::Grease);
    let said = session.take_ciphertext();
    assert_eq!((said[0], said[5]), (22, 2), "{}", session.cause());
    assert_eq!(session.status(), Status::Handshaking);
    assert!(
        said.windows(4).any(|bytes| bytes == [14, 0, 0, 0]),
        "up to ServerHelloDone"
    );
}
