// SPDX-License-Identifier: Apache-2.0
use std::io::Write;
use std::sync::{Arc, Mutex};

use rustls::client::{
    ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, NamedGroup, ServerConfig, ServerConnection};

use super::super::tests::{begin, client, sent_by};
use super::super::trust_all::TrustAll;
use super::super::{Session, Status};
use super::*;
use crate::tls::context;
use crate::verify::Pending;

/// A hello with these extensions, which asks for TLS 1.3 where they say so.
fn hello(suites: &[u8], extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let with_length =
        |data: &[u8]| [&u16::try_from(data.len()).unwrap().to_be_bytes()[..], data].concat();
    let list: Vec<u8> = extensions
        .iter()
        .flat_map(|(kind, data)| [&kind.to_be_bytes()[..], &with_length(data)].concat())
        .collect();
    let body = [
        &[3, 3][..],
        &[7; 32],
        &[0],
        &with_length(suites),
        &[1, 0],
        &with_length(&list),
    ]
    .concat();
    let message = [&[1, 0][..], &with_length(&body)].concat();
    [&[22, 3, 1][..], &with_length(&message)].concat()
}

const TLS13: (u16, &[u8]) = (43, &[2, 3, 4]);
const TLS12: (u16, &[u8]) = (43, &[2, 3, 3]);
const GROUPS: (u16, &[u8]) = (10, &[0, 2, 0, 29]);
const SCHEMES: (u16, &[u8]) = (13, &[0, 2, 4, 3]);
const NAME: (u16, &[u8]) = (0, b"\0\x09\0\0\x06a.test");

fn alert(session: &mut Session) -> Vec<u8> {
    assert_eq!(session.status(), Status::Failed);
    session.take_ciphertext()
}

#[test]
fn an_older_version_after_a_newer_one_is_refused() {
    for (suites, versions, description) in [
        (&[0xc0, 0x2b, 0x56, 0][..], TLS12, Some(86)),
        (&[0xc0, 0x2b], TLS12, None),
        (&[0x13, 1, 0x56, 0], TLS13, None),
    ] {
        let share = [&[0, 36, 0, 29, 0, 32][..], &[9; 32]].concat();
        let wire = hello(suites, &[NAME, versions, GROUPS, SCHEMES, (51, &share)]);
        let mut session = Session::new();
        begin(&mut session, &wire, 100_000, "a.test");
        match description {
            Some(number) => assert_eq!(alert(&mut session), [21, 3, 3, 0, 2, 2, number]),
            None => assert_eq!(session.status(), Status::Handshaking),
        }
    }
}

#[test]
fn a_connection_does_not_begin_with_a_renegotiation() {
    let wire = hello(
        &[0xc0, 0x2b],
        &[NAME, TLS12, GROUPS, SCHEMES, (0xff01, &[3, 1, 2, 3])],
    );
    let mut session = Session::new();
    begin(&mut session, &wire, 100_000, "a.test");
    assert_eq!(alert(&mut session), [21, 3, 3, 0, 2, 2, 40]);
}

/// The limits of a first hello are those of a second one.
#[test]
fn a_second_hello_is_bounded_too() {
    let first = hello(&[0x13, 1], &[NAME, TLS13, GROUPS, SCHEMES, (51, &[0, 0])]);
    let share = [&[0, 36, 0, 29, 0, 32][..], &[9; 32]].concat();
    for (protocols, good) in [(64_u16, true), (65, false)] {
        let names = [
            &(2 * protocols).to_be_bytes()[..],
            &[1, b'x'].repeat(protocols.into()),
        ]
        .concat();
        let mut session = Session::new();
        begin(&mut session, &first, 100_000, "a.test");
        assert_eq!(session.status(), Status::Handshaking);
        assert!(!session.take_ciphertext().is_empty(), "a HelloRetryRequest");
        let second = hello(
            &[0x13, 1],
            &[NAME, TLS13, GROUPS, SCHEMES, (51, &share), (16, &names)],
        );
        for piece in second.chunks(7) {
            session.feed(piece, &mut |_| {});
        }
        let outgoing = session.take_ciphertext();
        assert_eq!(outgoing == [21, 3, 3, 0, 2, 2, 47], !good, "{outgoing:?}");
        if good {
            // "x" is not served here, which rustls says after it has read the whole.
            assert!(outgoing.starts_with(&[21]) || outgoing.starts_with(&[22]));
        }
    }
}

/// What is no record of TLS does not end the wait for a second hello, and with it the bounds.
#[test]
fn nothing_but_a_hello_ends_the_wait_for_a_second_one() {
    let first = hello(&[0x13, 1], &[NAME, TLS13, GROUPS, SCHEMES, (51, &[0, 0])]);
    for header in [
        &[22, 2][..],
        &[23, 9],
        &[20, 0],
        &[22, 3, 3, 0, 1, 1, 22, 2],
    ] {
        for step in [1, 100] {
            let mut session = Session::new();
            begin(&mut session, &first, 100_000, "a.test");
            assert!(!session.take_ciphertext().is_empty(), "a HelloRetryRequest");
            for piece in header.chunks(step) {
                session.feed(piece, &mut |_| {});
            }
            assert_eq!(alert(&mut session), [21, 3, 3, 0, 2, 2, 70], "{header:?}");
        }
    }
}

/// The virtual host was chosen by the name of the first one.
#[test]
fn a_second_hello_asks_for_the_same_name() {
    const ODD: (u16, &[u8]) = (0, b"\0\x09\0\0\x06a-.tst");
    const OTHER: (u16, &[u8]) = (0, b"\0\x09\0\0\x06b-.tst");
    const NONE: (u16, &[u8]) = (0x3377, b"");
    let share = [&[0, 36, 0, 29, 0, 32][..], &[9; 32]].concat();
    for (one, two) in [
        (ODD, ODD),
        (ODD, OTHER),
        (ODD, NAME),
        (NAME, ODD),
        (ODD, NONE),
        (NONE, ODD),
        (NAME, NONE),
    ] {
        let of = |name, shares| hello(&[0x13, 1], &[name, TLS13, GROUPS, SCHEMES, (51, shares)]);
        // One that is hidden is none to rustls.
        let name = if one == NAME { "a.test" } else { "" };
        let mut session = Session::new();
        begin(&mut session, &of(one, &[0, 0]), 100_000, name);
        assert!(!session.take_ciphertext().is_empty(), "a HelloRetryRequest");
        session.feed(&of(two, &share), &mut |_| {});
        if one == two {
            assert_ne!(session.status(), Status::Failed, "{}", session.cause());
        } else {
            assert_eq!(alert(&mut session), [21, 3, 3, 0, 2, 2, 47]);
            assert!(session.cause().contains("another name"), "{one:?} {two:?}");
        }
    }
}

/// 64 KiB in records of one byte would have us keep 384 KiB; also of a client whose responder has yet to answer.
#[test]
fn pieces_of_one_byte_are_bounded_in_the_clear() {
    for pending in [false, true] {
        let mut session = Session::new();
        let mut client = client(&[&rustls::version::TLS12]);
        begin(&mut session, &sent_by(&mut client), 100_000, "a.test");
        session.take_ciphertext();
        session.context.as_mut().unwrap().pending = pending.then(Pending::nothing);
        let header = [22, 3, 3, 0, 4, 11, 0, 0xf0, 0];
        session.feed(&header, &mut |_| {});
        let mut most = 0;
        for _ in 0..0xf000 {
            if session.feed(&[22, 3, 3, 0, 1, 9], &mut |_| {}) == Status::Failed {
                break;
            }
            most = most.max(session.incoming.bytes.capacity());
        }
        assert!(most <= LONG + 6, "{most}");
        assert_eq!(alert(&mut session), [21, 3, 3, 0, 2, 2, 47]);
        assert!(session.cause().contains("too many pieces"));
    }
}

/// A server whose certificates fill 60 KiB, in records of `size` bytes with their headers.
fn server(size: usize) -> ServerConnection {
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["a.test".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let mut chain = vec![own.der().clone()];
    chain.resize(100, CertificateDer::from(vec![0x30; 600]));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    config.max_fragment_size = Some(size);
    config.cert_compressors = vec![];
    ServerConnection::new(Arc::new(config)).unwrap()
}

fn to_server(session: &mut Session, server: &mut ServerConnection) -> Result<(), rustls::Error> {
    let bytes = session.take_ciphertext();
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        server.read_tls(&mut rest).unwrap();
        server.process_new_packets()?;
    }
    Ok(())
}

/// A handshake with such a server, in reads of 1,000 bytes.
fn against(server: &mut ServerConnection) -> Session {
    against_with(server, Resumption::disabled())
}

fn against_with(server: &mut ServerConnection, resumption: Resumption) -> Session {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAll))
        .with_no_client_auth();
    config.resumption = resumption;
    let name = ServerName::try_from("a.test").unwrap();
    let mut session = Session::new();
    session.tls = Some(RustlsConnection::client(Arc::new(config), name, vec![]).unwrap());
    session.context = Some(Box::default());
    session.feed(&[], &mut |_| {});
    to_server(&mut session, server).unwrap();
    let mut flight = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut flight).unwrap();
    }
    for piece in flight.chunks(1000) {
        session.feed(piece, &mut |_| {});
    }
    session
}

#[test]
fn pieces_are_bounded_where_they_are_encrypted_and_the_alert_is_too() {
    let mut server = server(32);
    let mut session = against(&mut server);
    assert_eq!(session.status(), Status::Failed);
    assert!(session.cause().contains("too many pieces"));
    assert_eq!(
        to_server(&mut session, &mut server),
        Err(rustls::Error::AlertReceived(AlertDescription::DecodeError))
    );
}

/// RFC 6066 4: the least that either side may ask for is 512.
#[test]
fn a_long_message_in_the_smallest_records_that_may_be_asked_for_passes() {
    let mut server = server(512 + 5);
    let mut session = against(&mut server);
    assert_eq!(session.status(), Status::Open);
    to_server(&mut session, &mut server).unwrap();
    assert!(!server.is_handshaking());
    assert!(session.incoming.bytes.capacity() <= LONG);
}

/// Keeps nothing but what a session would be said to take: (certificates, all in which the ticket came).
#[derive(Debug, Default)]
struct Sizes(Mutex<Vec<(usize, usize)>>);

impl ClientSessionStore for Sizes {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}
    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }
    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}
    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }
    fn remove_tls12_session(&self, _: &ServerName<'static>) {}
    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {
        let size = context::with(|context| (context.peer_octets, context.arrived));
        self.0.lock().unwrap().push(size.unwrap());
    }
    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

/// rustls does not say what a session takes; we do, and never less.
#[test]
fn what_a_session_with_a_backend_takes_is_known_when_it_is_kept() {
    let sizes = Arc::new(Sizes::default());
    let mut server = server(1000);
    let mut session = against_with(&mut server, Resumption::store(sizes.clone()));
    to_server(&mut session, &mut server).unwrap();
    server.writer().write_all(&[7; 10_000]).unwrap();
    let mut flight = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut flight).unwrap();
    }
    session.feed(&flight, &mut |_| {});
    let sizes = sizes.0.lock().unwrap();
    assert_eq!(sizes.len(), 2, "tickets");
    for (certificates, arrived) in sizes.iter() {
        assert!(*certificates > 59_000, "{certificates}");
        assert!((50..1100).contains(arrived), "{arrived}");
    }
}

#[test]
fn framing_knows_what_is_of_a_record() {
    let wire = [&[22, 3, 3, 0, 2, 1, 2][..], &[23, 3, 3, 0, 3, 1]].concat();
    for (cut, partial) in [
        (0, 0),
        (3, 3),
        (5, 5),
        (6, 6),
        (7, 0),
        (8, 1),
        (12, 5),
        (13, 6),
    ] {
        for step in [1, 2, 100] {
            let mut framing = Framing::default();
            for piece in wire[..cut].chunks(step) {
                framing.advance(piece);
            }
            assert_eq!(framing.partial(), partial, "{cut} in steps of {step}");
        }
    }
}
