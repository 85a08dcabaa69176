// SPDX-License-Identifier: Apache-2.0
//! What [`seam`](crate::ech::seam) and [`transcript`](crate::tls::transcript) rest on of rustls' inside: habits that its documents
//! do not promise. Each has a test on rustls alone, so that an update says which of them is no more; the table of them is in
//! `docs/ech.md`.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, Iv, OutboundChunks, OutboundPlainMessage,
};
use rustls::server::ServerSessionMemoryCache;
use rustls::version::TLS13;
use rustls::{
    ClientConfig, ClientConnection, ContentType, ProtocolVersion, ServerConfig, ServerConnection,
};

use super::noting::{DONE, Done, note, noting};
use super::tests::shown;
use super::trust_all::TrustAll;
use crate::ech::seam::RETRY;

fn server(groups: &[u16]) -> Arc<ServerConfig> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites = vec![noting(cipher_suite::TLS13_AES_128_GCM_SHA256)];
    provider.kx_groups = crate::tls::policy::groups(groups);
    let builder = ServerConfig::builder_with_provider(Arc::new(provider));
    let builder = builder.with_protocol_versions(&[&TLS13]).unwrap();
    let certified = shown().certified.clone();
    let resolver = rustls::sign::SingleCertAndKey::from(certified);
    let mut config = builder
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    config.session_storage = ServerSessionMemoryCache::new(8);
    Arc::new(config)
}

fn client() -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAll));
    Arc::new(builder.with_no_client_auth())
}

/// One connection; what the server did.
fn handshake(
    client: &Arc<ClientConfig>,
    config: &Arc<ServerConfig>,
) -> (ServerConnection, Vec<Done>) {
    DONE.take();
    let name = rustls::pki_types::ServerName::try_from("secret.test").unwrap();
    let mut client = ClientConnection::new(client.clone(), name).unwrap();
    let mut server = ServerConnection::new(config.clone()).unwrap();
    for _ in 0..4 {
        let mut flight = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut flight).unwrap();
        }
        let mut bytes = flight.as_slice();
        while !bytes.is_empty() {
            server.read_tls(&mut bytes).unwrap();
            server.process_new_packets().unwrap();
        }
        let mut answer = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut answer).unwrap();
        }
        note(Done::Send(answer.clone()));
        let mut bytes = answer.as_slice();
        while !bytes.is_empty() {
            client.read_tls(&mut bytes).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    (server, DONE.take())
}

fn full() -> Vec<Done> {
    handshake(&client(), &server(&[29])).1
}

/// The client has a share of another group than the server wants.
fn retried() -> Vec<Done> {
    handshake(&client(), &server(&[24])).1
}

fn resumed() -> Vec<Done> {
    let (client, server) = (client(), server(&[29]));
    handshake(&client, &server);
    let (connection, done) = handshake(&client, &server);
    assert_eq!(
        connection.handshake_kind(),
        Some(rustls::HandshakeKind::Resumed)
    );
    done
}

/// What is added to the transcript.
fn updates(done: &[Done]) -> Vec<&[u8]> {
    fn update(what: &Done) -> Option<&[u8]> {
        match what {
            Done::Update(message) => Some(message.as_slice()),
            _ => None,
        }
    }
    done.iter().filter_map(update).collect()
}

fn place(done: &[Done], wanted: impl Fn(&Done) -> bool) -> usize {
    done.iter().position(wanted).unwrap()
}

fn is_update(what: &Done, kind: u8) -> bool {
    matches!(what, Done::Update(message) if message.first() == Some(&kind))
}

/// `Seam::hash` sees each message of the server by itself.
#[test]
fn each_message_is_added_to_the_transcript_whole_and_by_itself() {
    // The certificate is compressed. Tickets may come last, when nobody looks any more.
    let of_server = [8, 25, 15, 20];
    for (done, expected) in [
        (full(), [&[1, 2][..], &of_server, &[20]].concat()),
        (
            retried(),
            [&[1, 254, 2, 1, 2][..], &of_server, &[20]].concat(),
        ),
        (resumed(), vec![1, 2, 8, 20, 20]),
    ] {
        let updates = updates(&done);
        let kinds = updates.iter().map(|message| message[0]);
        let kinds: Vec<_> = kinds.filter(|kind| *kind != 4).collect();
        assert_eq!(kinds, expected);
        for message in updates {
            let length = u32::from_be_bytes([0, message[1], message[2], message[3]]) as usize;
            assert_eq!(message.len(), 4 + length, "of type {}", message[0]);
        }
    }
}

/// So that the secrets of both sides come of the ServerHello that is sent.
#[test]
fn a_server_hello_is_in_the_transcript_before_any_key_is_made_of_it() {
    for done in [full(), retried(), resumed()] {
        let hellos = done.iter().filter(|what| is_update(what, 2)).count();
        let last = done.iter().rposition(|what| is_update(what, 2)).unwrap();
        let look = last + place(&done[last..], |what| *what == Done::Look);
        let key = place(&done, |what| matches!(what, Done::Key(_)));
        assert!(last < look && look < key, "{hellos} hellos");
    }
}

/// `Seam::mend` looks for it there.
#[test]
fn a_server_hello_goes_out_as_it_was_hashed_and_in_a_record_of_its_own() {
    for done in [full(), retried(), resumed()] {
        let hellos: Vec<_> = updates(&done).into_iter().filter(|m| m[0] == 2).collect();
        let sent: Vec<_> = done
            .iter()
            .filter_map(|what| match what {
                Done::Send(bytes) if bytes.first() == Some(&22) => Some(bytes),
                _ => None,
            })
            .collect();
        assert_eq!(hellos.len(), sent.len());
        for (hello, bytes) in hellos.iter().zip(sent) {
            let length = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
            assert_eq!(&bytes[5..5 + length], *hello);
        }
    }
}

/// `Shaper` puts longer ones in the first record of the first key, and pads by the second key too.
#[test]
fn encrypted_extensions_begin_the_first_encrypted_record() {
    for done in [full(), retried(), resumed()] {
        let extensions = updates(&done).into_iter().find(|m| m[0] == 8).unwrap();
        let first = done.iter().find(|what| matches!(what, Done::Encrypt(..)));
        let Some(Done::Encrypt(0, 0, ContentType::Handshake, flight)) = first else {
            panic!("{first:?}");
        };
        assert!(flight.starts_with(extensions));
    }
}

#[test]
fn a_server_makes_one_key_for_its_handshake_and_one_for_what_follows() {
    for done in [full(), retried(), resumed()] {
        let keys = done
            .iter()
            .filter(|what| matches!(what, Done::Key(_)))
            .count();
        assert_eq!(keys, 2);
        let mut tickets = 0;
        for what in &done {
            let Done::Encrypt(key, _, typ, payload) = what else {
                continue;
            };
            assert_eq!(*typ, ContentType::Handshake);
            let is_ticket = payload[0] == 4;
            assert_eq!(is_ticket, *key == 1);
            tickets += usize::from(is_ticket);
        }
        assert!(tickets > 0, "they are padded too");
    }
}

/// Both transcripts of such a connection are `Transcript`s, and the first one's end goes by unchanged.
#[test]
fn a_retry_has_this_random_and_begins_a_second_transcript() {
    let done = retried();
    let starts = done.iter().filter(|what| **what == Done::Start).count();
    assert_eq!(starts, 2);
    let hello = updates(&done).into_iter().find(|m| m[0] == 2).unwrap();
    assert_eq!(hello[6..38], RETRY);
    let second = done.iter().rposition(|what| *what == Done::Start).unwrap();
    assert!(is_update(&done[second + 1], 254) && is_update(&done[second + 2], 2));
    let other = full();
    assert_eq!(other.iter().filter(|what| **what == Done::Start).count(), 1);
}

/// So that a copy needs no change.
#[test]
fn what_is_added_to_a_copy_is_a_hello_without_its_binders() {
    let of = |done: &[Done]| {
        let copies = done.iter().filter_map(|what| match what {
            Done::UpdateCopy(bytes) => Some((bytes[0], bytes.len())),
            _ => None,
        });
        copies.collect::<Vec<_>>()
    };
    assert!(of(&full()).is_empty() && of(&retried()).is_empty());
    let done = resumed();
    let whole = updates(&done)[0].len();
    assert!(
        of(&done)
            .iter()
            .all(|(kind, length)| *kind == 1 && *length < whole)
    );
}

/// RFC 8446 5.2 has the type behind the contents; `padded` gives zeros for one.
#[test]
fn what_is_encrypted_ends_with_the_type_that_is_given() {
    let suite = cipher_suite::TLS13_CHACHA20_POLY1305_SHA256
        .tls13()
        .unwrap();
    let keys = || (AeadKey::from([7; 32]), Iv::new([9; 12]));
    let (key, iv) = keys();
    let payload = [
        &b"message"[..],
        &[u8::from(ContentType::Handshake), 0, 0, 0],
    ]
    .concat();
    let message = OutboundPlainMessage {
        typ: ContentType::Unknown(0),
        version: ProtocolVersion::TLSv1_3,
        payload: OutboundChunks::Single(&payload),
    };
    let sealed = suite
        .aead_alg
        .encrypter(key, iv)
        .encrypt(message, 0)
        .unwrap()
        .encode();
    let (key, iv) = keys();
    let mut contents = sealed[5..].to_vec();
    let opaque = InboundOpaqueMessage::new(
        ContentType::ApplicationData,
        ProtocolVersion::TLSv1_2,
        &mut contents,
    );
    let mut decrypter = suite.aead_alg.decrypter(key, iv);
    let opened = decrypter.decrypt(opaque, 0).unwrap();
    assert_eq!(
        (opened.typ, opened.payload),
        (ContentType::Handshake, &b"message"[..])
    );
}

/// `padded` knows it by its length.
#[test]
fn a_key_update_is_a_record_of_five_octets_and_no_other_is_as_short() {
    let (mut server, done) = handshake(&client(), &server(&[29]));
    let handshakes = |done: &[Done]| {
        let lengths = done.iter().filter_map(|what| match what {
            Done::Encrypt(_, _, ContentType::Handshake, payload) => Some(payload.len()),
            _ => None,
        });
        lengths.collect::<Vec<_>>()
    };
    assert!(handshakes(&done).iter().all(|length| *length > 5));
    DONE.take();
    server.refresh_traffic_keys().unwrap();
    assert_eq!(handshakes(&DONE.take()), [5]);
}
