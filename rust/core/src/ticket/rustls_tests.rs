// SPDX-License-Identifier: Apache-2.0
//! The ticketer and the store under rustls itself: what resumes, and what does not.

use super::keeper::testing::Keys;
use super::store::{Cache, Lookup, Stored};
use super::*;
use crate::metrics::Counter;
use crate::system::clock::testing::HandClock;
use crate::tls::context;
use crate::tls::context::Context;
use rustls::client::{ClientSessionMemoryCache, Resumption as ClientResumption, Tls12Resumption};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

const NOW: u64 = 1_790_000_000;
const LIFETIME: u32 = 300;

/// A cache in a map, which a test can break and poison.
#[derive(Debug, Default)]
pub(super) struct MapCache {
    pub(super) map: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
    down: AtomicBool,
    reports: AtomicU32,
    calls: AtomicU32,
}

impl Cache for MapCache {
    fn put(&self, key: &[u8], value: &[u8], _expiry: u64) -> Stored {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.map
            .lock()
            .unwrap()
            .insert(key.to_vec(), value.to_vec());
        if self.down.load(Ordering::SeqCst) {
            Stored::Failed
        } else {
            Stored::Yes
        }
    }

    fn get(&self, key: &[u8]) -> Lookup {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Lookup::Failed;
        }
        self.map
            .lock()
            .unwrap()
            .get(key)
            .map_or(Lookup::Missing, |value| Lookup::Found(value.clone()))
    }

    fn take(&self, key: &[u8]) -> Lookup {
        let found = self.get(key);
        self.map.lock().unwrap().remove(key);
        found
    }

    fn report(&self, _failures: u64) {
        self.reports.fetch_add(1, Ordering::SeqCst);
    }
}

/// A server and a client that keeps its sessions.
struct BothEnds {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    clock: HandClock,
    protector: TicketProtector,
    cache: Arc<MapCache>,
    tickets: bool,
}

impl BothEnds {
    fn new(version: &'static SupportedProtocolVersion, tickets: bool) -> Self {
        let clock = HandClock::at(NOW);
        let protector = TicketProtector {
            key_store: Keys::new(u64::from(LIFETIME), &clock).key_store,
            clock: Arc::new(clock.clone()),
        };
        let cache = Arc::new(MapCache::default());
        let signed =
            rcgen::generate_simple_self_signed(["a.example".into(), "b.example".into()]).unwrap();
        let certificate: CertificateDer<'static> = signed.cert.der().clone();
        let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        server.session_storage = Arc::new(SessionStore::new(protector.clone(), cache.clone()));
        if tickets {
            server.ticketer = Arc::new(Ticketer::new(protector.clone()));
        }
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.resumption = ClientResumption::store(Arc::new(ClientSessionMemoryCache::new(8)))
            .tls12_resumption(if tickets {
                Tls12Resumption::SessionIdOrTickets
            } else {
                Tls12Resumption::SessionIdOnly
            });
        Self {
            server: Arc::new(server),
            client: Arc::new(client),
            clock,
            protector,
            cache,
            tickets,
        }
    }

    /// One connection of virtual host `host` under `policy`; whether it was resumed.
    fn connect(&self, host: &str, policy: u8) -> bool {
        let mut context = Some(Box::new(Context {
            identity: host.into(),
            policy_id: [policy; 32],
            resumption: Resumption::new(LIFETIME, self.tickets),
            ..Context::default()
        }));
        let mut server = ServerConnection::new(self.server.clone()).unwrap();
        let name = ServerName::try_from("a.example").unwrap();
        let mut client = ClientConnection::new(self.client.clone(), name).unwrap();
        for _ in 0..4 {
            let mut wire = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut wire).unwrap();
            }
            context.as_mut().unwrap().resumption.begin_call();
            context::enter(&mut context, || {
                server.read_tls(&mut wire.as_slice()).unwrap();
                server.process_new_packets().unwrap();
            });
            if let Some(kind) = server.handshake_kind() {
                context
                    .as_mut()
                    .unwrap()
                    .resumption
                    .settle(kind == HandshakeKind::Resumed);
            }
            let mut wire = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut wire).unwrap();
            }
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets().unwrap();
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        server.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    fn count(&self, counter: Counter) -> u64 {
        self.protector.key_store.counters.own(counter)
    }
}

/// Every way of resuming: version, and whether by tickets.
const WAYS: [(&SupportedProtocolVersion, bool); 4] = [
    (&TLS13, true),
    (&TLS13, false),
    (&TLS12, true),
    (&TLS12, false),
];

#[test]
fn every_connection_after_the_first_is_resumed() {
    for (version, tickets) in WAYS {
        let pair = BothEnds::new(version, tickets);
        assert!(!pair.connect("a.example:443", 1));
        for round in 0..100 {
            assert!(
                pair.connect("a.example:443", 1),
                "{version:?} tickets {tickets} round {round}"
            );
        }
        let resumed = pair.count(Counter::Accepted) + pair.count(Counter::CacheHits);
        assert_eq!(resumed, 100, "{version:?} tickets {tickets}");
        assert_eq!(
            pair.cache.map.lock().unwrap().is_empty(),
            tickets,
            "tickets need no entries"
        );
    }
}

#[test]
fn no_session_crosses_policies_or_hosts() {
    for (version, tickets) in WAYS {
        for (host, policy) in [
            ("b.example:443", 1),
            ("a.example:8443", 1),
            ("a.example:443", 2),
        ] {
            let pair = BothEnds::new(version, tickets);
            pair.connect("a.example:443", 1);
            assert!(
                !pair.connect(host, policy),
                "{version:?} tickets {tickets} {host} {policy}"
            );
            assert!(pair.connect(host, policy), "and then a session of its own");
        }
    }
}

#[test]
fn no_session_outlives_its_lifetime() {
    for (version, tickets) in WAYS {
        let pair = BothEnds::new(version, tickets);
        pair.connect("a.example:443", 1);
        pair.clock.advance(u64::from(LIFETIME) - 1);
        assert!(
            pair.connect("a.example:443", 1),
            "{version:?} tickets {tickets}"
        );
        pair.clock.advance(u64::from(LIFETIME));
        assert!(
            !pair.connect("a.example:443", 1),
            "{version:?} tickets {tickets}"
        );
    }
}

#[test]
fn poisoned_entries_are_misses() {
    for version in [&TLS12, &TLS13] {
        let poisons: [fn(&mut Vec<u8>); 5] = [
            |entry| entry.clear(),
            |entry| entry.truncate(20),
            |entry| entry.push(0),
            |entry| entry[3] ^= 0x80,
            |entry| *entry = vec![0xff; 300],
        ];
        for (which, poison) in poisons.into_iter().enumerate() {
            let pair = BothEnds::new(version, false);
            pair.connect("a.example:443", 1);
            pair.cache.map.lock().unwrap().values_mut().for_each(poison);
            assert!(
                !pair.connect("a.example:443", 1),
                "{version:?} poison {which}"
            );
            assert!(pair.count(Counter::CacheRefused) > 0 && pair.count(Counter::CacheHits) == 0);
        }
    }
}

#[test]
fn copied_entries_are_misses() {
    let pair = BothEnds::new(&TLS12, false);
    pair.connect("a.example:443", 1);
    let (id, entry) = pair
        .cache
        .map
        .lock()
        .unwrap()
        .iter()
        .next()
        .map(|(id, e)| (id.clone(), e.clone()))
        .unwrap();
    pair.cache.map.lock().unwrap().insert(vec![7; 32], entry);
    let mut context = Some(Box::new(Context {
        identity: "a.example:443".into(),
        policy_id: [1; 32],
        resumption: Resumption::new(LIFETIME, false),
        ..Context::default()
    }));
    let store = pair.server.session_storage.clone();
    assert!(
        context::enter(&mut context, || store.get(&[7; 32])).is_none(),
        "copied to another id"
    );
    assert!(context::enter(&mut context, || store.get(&id)).is_some());
}

#[test]
fn a_cache_that_is_down_costs_full_handshakes_only() {
    for version in [&TLS12, &TLS13] {
        let pair = BothEnds::new(version, false);
        pair.connect("a.example:443", 1);
        pair.cache.down.store(true, Ordering::SeqCst);
        for _ in 0..10 {
            assert!(!pair.connect("a.example:443", 1));
        }
        let calls = pair.cache.calls.load(Ordering::SeqCst);
        assert!(
            calls <= 4,
            "left alone after the first failure: {calls} calls"
        );
        assert_eq!(pair.cache.reports.load(Ordering::SeqCst), 1);
        pair.cache.down.store(false, Ordering::SeqCst);
        pair.clock.advance(6);
        pair.connect("a.example:443", 1);
        assert!(pair.connect("a.example:443", 1), "{version:?} is back");
    }
}

#[test]
fn outside_of_a_connection_there_is_nothing() {
    use rustls::server::ProducesTickets;
    let pair = BothEnds::new(&TLS13, true);
    let ticketer = Ticketer::new(pair.protector.clone());
    assert!(ticketer.encrypt(b"value").is_none() && ticketer.decrypt(b"ticket").is_none());
    assert_eq!(ticketer.lifetime(), 0);
}
