// SPDX-License-Identifier: Apache-2.0
//! A rustls client against [`Session`], byte by byte and otherwise.

use std::sync::Arc;

use rustls::compress::{CertDecompressor, default_cert_decompressors};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, SignatureScheme};

use super::trust_all::TrustAll;
use super::*;
use crate::compress::Packed;
use crate::tls::context::{CertificateSource, Shown, Wants};
use crate::tls::describe;
use crate::tls::policy::Policy;
use crate::tls::policy::{Negotiated, Spec, Versions};

#[derive(Debug)]
struct OnePair(Shown);

impl CertificateSource for OnePair {
    fn select(&self, _: &[SignatureScheme], _: &Wants) -> Option<Shown> {
        Some(self.0.clone())
    }
}

pub(super) fn policy() -> Policy {
    let spec = Spec {
        negotiated: Negotiated {
            versions: Versions {
                tls12: true,
                tls13: true,
            },
            suites: vec![0x1301, 0x1302, 0xc02b, 0xc02c],
            groups: vec![29, 23],
            honor_client_order: true,
            compress_certificates: true,
            ..Negotiated::default()
        },
        ..Spec::default()
    };
    Policy::build(&spec).unwrap()
}

pub(super) fn context(name: &str) -> Context {
    context_for(name, &shown())
}

pub(super) fn context_for(name: &str, shown: &Shown) -> Context {
    Context {
        certificates: Some(Arc::new(OnePair(shown.clone()))),
        server_name: Some(name.to_owned()).filter(|name| !name.is_empty()),
        ..Context::default()
    }
}

pub(super) fn shown() -> Shown {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["a.test".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let der = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
    let signer = aws_lc_rs::sign::any_supported_type(&der.into()).unwrap();
    Shown {
        certified: Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signer)),
        packed: Arc::new(Packed::default()),
    }
}

pub(super) fn client(versions: &[&'static rustls::SupportedProtocolVersion]) -> ClientConnection {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAll))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    ClientConnection::new(Arc::new(config), ServerName::try_from("a.test").unwrap()).unwrap()
}

pub(super) fn sent_by(client: &mut ClientConnection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut bytes).unwrap();
    }
    bytes
}

pub(super) fn give(client: &mut ClientConnection, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        client.read_tls(&mut bytes).unwrap();
        client.process_new_packets().unwrap();
    }
}

/// Feeds the hello in pieces of `step` bytes and starts the session when it is complete.
pub(super) fn begin(session: &mut Session, hello: &[u8], step: usize, name: &str) {
    let policy = policy();
    for piece in hello.chunks(step) {
        if session.tls.is_none() {
            if let Parsed::Hello(_) = session.read_hello(piece) {
                session.start(&policy, b"h2", false, context(name)).unwrap();
            }
        } else {
            session.incoming.take(piece).unwrap();
        }
    }
    session.feed(&[], &mut |_| {});
}

pub(super) fn connect(
    versions: &[&'static rustls::SupportedProtocolVersion],
    step: usize,
) -> (ClientConnection, Session) {
    let mut client = client(versions);
    let mut session = Session::new();
    begin(&mut session, &sent_by(&mut client), step, "a.test");
    for _ in 0..6 {
        give(&mut client, &session.take_ciphertext());
        for piece in sent_by(&mut client).chunks(step) {
            session.feed(piece, &mut |_| {});
        }
    }
    assert!(!client.is_handshaking());
    assert_eq!(session.status(), Status::Open);
    (client, session)
}

#[test]
fn handshakes_whole_and_in_single_bytes() {
    for versions in [
        &[&rustls::version::TLS13][..],
        &[&rustls::version::TLS12][..],
    ] {
        for step in [1, 7, 100_000] {
            let (client, session) = connect(versions, step);
            let facts = session.facts();
            assert_eq!(facts.version, u16::from(client.protocol_version().unwrap()));
            assert_eq!(
                facts.suite,
                u16::from(client.negotiated_cipher_suite().unwrap().suite())
            );
            assert_eq!(
                (facts.group, facts.alpn.as_slice(), facts.resumed),
                (29, &b"h2"[..], false)
            );
            assert_eq!(facts.signature_scheme, 0x0403);
        }
    }
}

#[test]
fn data_flows_both_ways_in_records_of_the_asked_size() {
    use std::io::{Read, Write};
    let (mut client, mut session) = connect(&[&rustls::version::TLS13], 100_000);
    let data = vec![7u8; 50_000];
    let mut out = vec![0; 60_000];
    assert_eq!(
        session.seal(&data, MAX_FRAGMENT, &mut out),
        Some((50_000, 50_000 + 4 * 22))
    );
    let mut got = Vec::new();
    let mut rest = &out[..50_088];
    while !rest.is_empty() {
        client.read_tls(&mut rest).unwrap();
        let readable = client
            .process_new_packets()
            .unwrap()
            .plaintext_bytes_to_read();
        let start = got.len();
        got.resize(start + readable, 0);
        client.reader().read_exact(&mut got[start..]).unwrap();
    }
    assert_eq!(got, data);

    client.writer().write_all(b"request").unwrap();
    let mut read = Vec::new();
    let status = session.feed(&sent_by(&mut client), &mut |bytes| {
        read.extend_from_slice(bytes);
    });
    assert_eq!((status, read.as_slice()), (Status::Open, &b"request"[..]));
    assert!(session.incoming.bytes.is_empty());
}

#[test]
fn a_small_buffer_takes_as_many_records_as_fit() {
    let (_, mut session) = connect(&[&rustls::version::TLS13], 100_000);
    let mut out = vec![0; 250];
    assert_eq!(session.seal(&[1; 500], 100, &mut out), Some((200, 244)));
}

#[test]
fn a_partial_record_waits_while_data_is_written() {
    use std::io::Write;
    let (mut client, mut session) = connect(&[&rustls::version::TLS13], 100_000);
    client.writer().write_all(b"in two pieces").unwrap();
    let bytes = sent_by(&mut client);
    let mut read = Vec::new();
    session.feed(&bytes[..9], &mut |b| read.extend_from_slice(b));
    assert!(
        session
            .seal(b"answer", MAX_FRAGMENT, &mut [0; 100])
            .is_some()
    );
    session.feed(&bytes[9..], &mut |b| read.extend_from_slice(b));
    assert_eq!(read, b"in two pieces");
}

#[test]
fn both_sides_close() {
    let (mut client, mut session) = connect(&[&rustls::version::TLS13], 100_000);
    client.send_close_notify();
    assert_eq!(
        session.feed(&sent_by(&mut client), &mut |_| {}),
        Status::PeerClosed
    );
    assert!(
        session
            .seal(b"the last answer", MAX_FRAGMENT, &mut [0; 100])
            .is_some()
    );
    session.close_notify();
    let alert = session.take_ciphertext();
    assert!(!alert.is_empty());
    session.close_notify();
    assert!(
        session.take_ciphertext().is_empty(),
        "one close_notify is enough"
    );
}

#[test]
fn a_name_read_differently_gets_no_certificate() {
    let mut client = client(&[&rustls::version::TLS13]);
    let mut session = Session::new();
    begin(&mut session, &sent_by(&mut client), 100_000, "other.test");
    assert_eq!(session.status(), Status::Failed);
    assert_eq!(
        session.take_ciphertext(),
        [21, 3, 3, 0, 2, 2, 40],
        "alert handshake_failure, as wherever no certificate is to be had"
    );
}

#[test]
fn garbage_after_the_hello_is_answered_with_an_alert() {
    let mut client = client(&[&rustls::version::TLS13]);
    let mut session = Session::new();
    begin(&mut session, &sent_by(&mut client), 100_000, "a.test");
    session.take_ciphertext();
    assert_eq!(
        session.feed(b"GET / HTTP/1.1\r\n\r\n", &mut |_| {}),
        Status::Failed
    );
    assert!(!session.take_ciphertext().is_empty());
    assert!(session.failure().is_some());
    assert_eq!(session.seal(b"x", 1, &mut [0; 100]), None);
}

/// The hello of OpenSSL 3.0 for TLS 1.1 alone: no signature_algorithms, no supported_versions.
const HELLO_TLS11: &[u8] = &[
    22, 3, 1, 0, 57, 1, 0, 0, 53, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 4, 192, 9, 0, 255, 1, 0, 0, 8, 0, 10, 0, 4, 0, 2, 0,
    23,
];

#[test]
fn a_client_of_an_older_version_is_told_so() {
    let mut session = Session::new();
    begin(&mut session, HELLO_TLS11, 100_000, "a.test");
    assert_eq!(session.status(), Status::Failed);
    assert_eq!(
        session.take_ciphertext(),
        [21, 3, 3, 0, 2, 2, 70],
        "alert protocol_version"
    );
    assert!(describe::failure(session.failure().unwrap()).contains("protocol version"));
}

/// Bytes of the server's flight to a client that takes certificates in `forms`.
fn flight(shown: &Shown, forms: &[&'static dyn CertDecompressor], write: bool) -> usize {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAll))
        .with_no_client_auth();
    config.cert_decompressors = forms.to_vec();
    let name = ServerName::try_from("a.test").unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut session = Session::new();
    session.read_hello(&sent_by(&mut client));
    let context = context_for("a.test", shown);
    session.start(&policy(), b"", false, context).unwrap();
    session.feed(&[], &mut |_| {});
    let flight = session.take_ciphertext();
    give(&mut client, &flight);
    session.feed(&sent_by(&mut client), &mut |_| {});
    assert_eq!(session.status(), Status::Open);
    if write {
        session.seal(b"data", MAX_FRAGMENT, &mut [0; 100]).unwrap();
    }
    flight.len()
}

#[test]
fn certificates_go_compressed_once_that_is_made_outside_of_a_handshake() {
    let mut shown = shown();
    let mut certified = CertifiedKey::clone(&shown.certified);
    certified.cert = vec![certified.cert[0].clone(); 5];
    certified.ocsp = Some(vec![3; 200]);
    shown.certified = Arc::new(certified);
    let all = default_cert_decompressors();
    assert_eq!(all.len(), 2, "brotli and zlib, by who wrote the client");
    let plain = flight(&shown, &[], true);
    let certificate = shown.certified.cert[0].len();
    let is_plain = |size: usize| size.abs_diff(plain) < 5; // signatures differ in length
    assert!(
        is_plain(flight(&shown, all, false)),
        "not yet made, and nothing was written"
    );
    assert!(is_plain(flight(&shown, all, true)));
    for form in all {
        let packed = flight(&shown, &[*form], true);
        assert!(
            packed + 4 * certificate < plain + 100,
            "{:?}: {packed}",
            form.algorithm()
        );
    }
    assert!(
        is_plain(flight(&shown, &[], true)),
        "who does not ask gets it as it is"
    );
}

/// Who looks for a challenge may ask for a name that is hidden from rustls, too.
#[test]
fn the_transcript_of_a_challenge_is_the_clients() {
    let sent = [1, 0, 0, 4, 0, 0, 7, 7];
    let given = [1, 0, 0, 4, 0xff, 0x80, 7, 7];
    for odd in [false, true] {
        let config = policy().challenge_config(b"acme-tls/1").unwrap();
        let suites = &config.crypto_provider().cipher_suites;
        let hashes = suites
            .iter()
            .filter_map(|suite| suite.tls13())
            .map(|suite| suite.common.hash_provider);
        for hash in hashes {
            let hidden = crate::tls::hello::Hidden {
                offset: 4,
                substitute: [0xff, 0x80],
            };
            let mut context = Some(Box::new(Context {
                hidden: odd.then_some(hidden),
                ..Context::default()
            }));
            let found = context::enter(&mut context, || {
                let mut transcript = hash.start();
                transcript.update(&given);
                transcript.finish()
            });
            assert_eq!(found.as_ref() == hash.hash(&sent).as_ref(), odd);
        }
    }
}
