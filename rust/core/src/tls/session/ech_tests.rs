// SPDX-License-Identifier: Apache-2.0
//! rustls' client with Encrypted ClientHello against [`Session`].

use std::sync::Arc;

use rustls::client::{EchConfig, EchGreaseConfig, EchMode, EchStatus};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, hpke};
use rustls::crypto::hpke::HpkePublicKey;
use rustls::internal::msgs::codec::Codec;
use rustls::pki_types::ServerName;
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, Error, HandshakeKind, PeerIncompatible,
};

use super::tests::{context_for, sent_by, shown};
use super::trust_all::TrustAll;
use super::*;
use crate::ech::keys::PADDING;
use crate::ech::{Key, Keys, Outcome, Source};
use crate::metrics::Counter;
use crate::system::clock::testing::HandClock;
use crate::ticket::keeper::testing;
use crate::ticket::{TicketProtector, Ticketer};
use crate::tls::context::Shown;
use crate::tls::policy::Policy;
use crate::tls::policy::{Negotiated, Sessions, Spec, Versions};

pub(super) struct Fixed(Option<Arc<Keys>>);

impl Source for Fixed {
    fn keys(&self) -> Option<Arc<Keys>> {
        self.0.clone()
    }
}

pub(super) fn source(keys: Option<Keys>) -> &'static dyn Source {
    Box::leak(Box::new(Fixed(keys.map(Arc::new))))
}

pub(super) fn key(id: u8) -> Key {
    Key::generate("public.test", id, 0).unwrap()
}

/// An ECHConfigList with this key.
pub(super) fn known(key: &Key) -> Vec<u8> {
    crate::ech::config::list([key.encoded()])
}

pub(super) fn only(key: Key) -> &'static dyn Source {
    source(Some(Keys::new(vec![key], PADDING).unwrap()))
}

pub(super) fn enabled(list: &[u8]) -> EchMode {
    EchConfig::new(list.into(), hpke::ALL_SUPPORTED_SUITES)
        .unwrap()
        .into()
}

pub(super) fn grease() -> EchMode {
    let suite = hpke::DH_KEM_X25519_HKDF_SHA256_AES_128;
    let (public, _) = rustls::crypto::hpke::Hpke::generate_key_pair(suite).unwrap();
    EchGreaseConfig::new(suite, HpkePublicKey(public.0)).into()
}

pub(super) fn config(mode: Option<EchMode>, provider: CryptoProvider) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(provider));
    let builder = match mode {
        Some(mode) => builder.with_ech(mode).unwrap(),
        None => builder.with_safe_default_protocol_versions().unwrap(),
    };
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAll))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

pub(super) fn to(config: &Arc<ClientConfig>) -> ClientConnection {
    let name = ServerName::try_from("secret.test").unwrap();
    ClientConnection::new(config.clone(), name).unwrap()
}

pub(super) fn spec() -> Spec {
    Spec {
        negotiated: Negotiated {
            versions: Versions {
                tls12: true,
                tls13: true,
            },
            suites: vec![0x1301, 0x1302, 0x1303, 0xc02b],
            groups: vec![29, 0x11ec, 23],
            honor_client_order: true,
            ..Negotiated::default()
        },
        ..Spec::default()
    }
}

/// What a handshake came to.
pub(super) struct Met {
    pub(super) client: ClientConnection,
    pub(super) session: Session,
    /// What the client says of it.
    pub(super) fault: Option<Error>,
    /// The name that the hello asked for.
    pub(super) name: String,
    /// Bytes that the server sent before the client's last word.
    pub(super) sent: usize,
}

pub(super) fn meet(
    client: ClientConnection,
    source: &'static dyn Source,
    spec: &Spec,
    step: usize,
) -> Met {
    meet_with(client, source, spec, step, &shown())
}

pub(super) fn meet_with(
    client: ClientConnection,
    source: &'static dyn Source,
    spec: &Spec,
    step: usize,
    shown: &Shown,
) -> Met {
    meet_under(client, source, &Policy::build(spec).unwrap(), step, shown)
}

pub(super) fn meet_under(
    client: ClientConnection,
    source: &'static dyn Source,
    policy: &Policy,
    step: usize,
    shown: &Shown,
) -> Met {
    meet_limited(client, source, policy, step, shown, None)
}

/// `limit`: as if the client had asked for records of that size (RFC 8449), which rustls' does not.
pub(super) fn meet_limited(
    mut client: ClientConnection,
    source: &'static dyn Source,
    policy: &Policy,
    step: usize,
    shown: &Shown,
    limit: Option<usize>,
) -> Met {
    let mut session = Session::new();
    session.take_offers(source);
    let (mut fault, mut sent, mut name) = (None, 0, String::new());
    for _ in 0..6 {
        for piece in sent_by(&mut client).chunks(step) {
            if session.tls.is_some() {
                session.feed(piece, &mut |_| {});
            } else if let Parsed::Hello(hello) = session.read_hello(piece) {
                name = hello.server_name.unwrap_or_default();
                let context = context_for(&name, shown);
                session.record_limit = limit;
                session.start(policy, b"h2", false, context).unwrap();
                session.feed(&[], &mut |_| {});
            }
        }
        let outgoing = session.take_ciphertext();
        sent += outgoing.len() * usize::from(client.is_handshaking());
        let mut bytes = outgoing.as_slice();
        while !bytes.is_empty() && fault.is_none() {
            client.read_tls(&mut bytes).unwrap();
            fault = client.process_new_packets().err();
        }
    }
    Met {
        client,
        session,
        fault,
        name,
        sent,
    }
}

/// The client was taken at its word, by every part of the session.
pub(super) fn assert_accepted(met: &Met) {
    assert_eq!((&met.fault, met.session.cause()), (&None, String::new()));
    assert_eq!(met.client.ech_status(), EchStatus::Accepted);
    assert_eq!(met.session.status(), Status::Open);
    assert_eq!(met.session.ech_outcome(), Outcome::Accepted);
    assert_eq!(
        (met.name.as_str(), met.session.outer_name()),
        ("secret.test", Some("public.test"))
    );
    assert_eq!(met.session.facts().alpn, b"h2");
    assert!(
        met.session.context().unwrap().ech.is_none(),
        "only the handshake needs it"
    );
}

#[test]
fn offers_are_accepted_with_every_suite_and_group_and_in_single_bytes() {
    for suite in [0x1301, 0x1302, 0x1303] {
        for group in [29, 0x11ec, 23] {
            for step in [1, 100_000] {
                let key = key(7);
                let mode = enabled(&known(&key));
                let mut provider = aws_lc_rs::default_provider();
                provider.kx_groups = crate::tls::policy::groups(&[group, 29]);
                let client = to(&Arc::new(config(Some(mode), provider)));
                let mut spec = spec();
                spec.negotiated.suites = vec![suite];
                spec.negotiated.groups = vec![group];
                assert_accepted(&meet(client, only(key), &spec, step));
            }
        }
    }
}

/// The client has a share of another group than the server wants.
#[test]
fn offers_are_accepted_after_a_hello_retry_request() {
    for step in [1, 100_000] {
        for suite in [0x1301, 0x1302] {
            let key = key(7);
            let client = to(&Arc::new(config(
                Some(enabled(&known(&key))),
                aws_lc_rs::default_provider(),
            )));
            let mut spec = spec();
            spec.negotiated.suites = vec![suite];
            spec.negotiated.groups = vec![24];
            let met = meet(client, only(key), &spec, step);
            assert_accepted(&met);
            assert_eq!(
                met.client.handshake_kind(),
                Some(HandshakeKind::FullWithHelloRetryRequest)
            );
        }
    }
}

#[test]
fn an_older_key_that_is_still_held_decrypts() {
    let mut old = key(7);
    old.set_retry(false);
    let client = to(&Arc::new(config(
        Some(enabled(&known(&old))),
        aws_lc_rs::default_provider(),
    )));
    let keys = Keys::new(vec![key(7), key(8), old], PADDING).unwrap();
    assert_accepted(&meet(client, source(Some(keys)), &spec(), 100_000));
}

/// The list that a refused client was given.
pub(super) fn given(met: &Met) -> Option<Vec<u8>> {
    match &met.fault {
        Some(Error::PeerIncompatible(PeerIncompatible::ServerRejectedEncryptedClientHello(
            list,
        ))) => list.as_ref().map(Codec::get_encoding),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stale_key_is_answered_with_the_newest_which_is_then_accepted() {
    for (id, outcome) in [(7, Outcome::Failed), (9, Outcome::Grease)] {
        for groups in [vec![29], vec![24]] {
            for step in [1, 100_000] {
                let (stale, newest) = (key(id), key(7));
                let newest_list = known(&newest);
                let mut old = key(8);
                old.set_retry(false);
                let source = source(Some(Keys::new(vec![newest, old], PADDING).unwrap()));
                let mut spec = spec();
                spec.negotiated.groups = groups.clone();
                let provider = aws_lc_rs::default_provider;
                let client = to(&Arc::new(config(Some(enabled(&known(&stale))), provider())));
                let met = meet(client, source, &spec, step);
                let list = given(&met).unwrap();
                assert_eq!(list, newest_list);
                assert_eq!(met.session.ech_outcome(), outcome);
                assert_eq!(met.name, "public.test", "the outer name is served");
                assert_eq!(
                    met.session.alert_received(),
                    Some(AlertDescription::EncryptedClientHelloRequired)
                );
                let client = to(&Arc::new(config(Some(enabled(&list)), provider())));
                assert_accepted(&meet(client, source, &spec, step));
            }
        }
    }
}

/// A flight that fills its record has no room: no list is given, and the client goes on as RFC 9849 6.1.6 says.
#[test]
fn what_would_not_fit_in_a_record_is_not_given() {
    let client = to(&Arc::new(config(
        Some(enabled(&known(&key(7)))),
        aws_lc_rs::default_provider(),
    )));
    let long = Shown::new(rustls::sign::CertifiedKey {
        ocsp: Some(vec![7; 15_000]),
        ..(*shown().certified).clone()
    });
    let met = meet_with(client, only(key(8)), &spec(), 100_000, &long);
    assert_eq!(given(&met), None);
}

fn protector() -> TicketProtector {
    let clock = HandClock::at(1_800_000_000);
    TicketProtector {
        key_store: testing::Keys::new(3600, &clock).key_store,
        clock: Arc::new(clock),
    }
}

/// RFC 9849 6.1.2: in the outer hello stands an identity of random octets.
#[test]
fn a_hidden_session_of_a_stale_key_is_no_refused_ticket() {
    let (stale, protector) = (key(7), protector());
    let mode = Some(enabled(&known(&stale)));
    let config = Arc::new(config(mode, aws_lc_rs::default_provider()));
    let mut spec = spec();
    spec.negotiated.ticket_count = 2;
    spec.negotiated.lifetime.tls13_s = 300;
    spec.sessions.ticketer = Some(Arc::new(Ticketer::new(protector.clone())));
    let policy = Policy::build(&spec).unwrap();
    for (key, outcome) in [(stale, Outcome::Accepted), (key(8), Outcome::Grease)] {
        let met = meet_under(to(&config), only(key), &policy, 100_000, &shown());
        assert_eq!(met.session.ech_outcome(), outcome);
    }
    assert_eq!(protector.key_store.counters.own(Counter::Malformed), 0);
}

#[test]
fn sessions_are_resumed_inside() {
    for groups in [vec![29], vec![24]] {
        for stateful in [false, true] {
            let key = key(7);
            let config = Arc::new(config(
                Some(enabled(&known(&key))),
                aws_lc_rs::default_provider(),
            ));
            let mut sessions = Sessions::default();
            match stateful {
                true => sessions.store = Some(rustls::server::ServerSessionMemoryCache::new(8)),
                false => sessions.ticketer = Some(Arc::new(Ticketer::new(protector()))),
            }
            let mut spec = spec();
            spec.negotiated.groups = groups.clone();
            spec.negotiated.ticket_count = 2;
            spec.negotiated.lifetime.tls13_s = 300;
            spec.sessions = sessions;
            let policy = Policy::build(&spec).unwrap();
            let source = only(key);
            for turn in 0..3 {
                let met = meet_under(to(&config), source, &policy, 100_000, &shown());
                assert_accepted(&met);
                assert_eq!(met.session.facts().resumed, turn > 0, "turn {turn}");
            }
        }
    }
}

#[test]
fn grease_and_clients_without_are_served_as_ever() {
    for keys in [Some(Keys::new(vec![key(7)], PADDING).unwrap()), None] {
        let (source, holds) = (source(keys), source(None));
        let provider = aws_lc_rs::default_provider;
        let met = meet(
            to(&Arc::new(config(Some(grease()), provider()))),
            source,
            &spec(),
            100_000,
        );
        assert_eq!((met.fault, met.session.status()), (None, Status::Open));
        assert_eq!(met.client.ech_status(), EchStatus::Grease);
        assert_eq!(met.name, "secret.test");
        let met = meet(
            to(&Arc::new(config(None, provider()))),
            holds,
            &spec(),
            100_000,
        );
        assert_eq!((met.fault, met.session.status()), (None, Status::Open));
        assert_eq!(met.session.ech_outcome(), Outcome::NotTried);
    }
}
