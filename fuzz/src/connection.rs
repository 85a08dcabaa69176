// SPDX-License-Identifier: Apache-2.0
//! A connection from its first byte to its last: a client of rustls' own, whose bytes are cut, damaged, joined by records of the
//! fuzzer's and fed in pieces, while both sides write and close when the input says so.

use std::sync::{Arc, OnceLock};

use mod_tls_core::compress::Packed;
use mod_tls_core::tls::context::{CertificateSource, Context, Shown, Wants};
use mod_tls_core::tls::hello::Parsed;
use mod_tls_core::tls::policy::{Negotiated, Policy, Spec, Versions};
use mod_tls_core::tls::session::{MAX_FRAGMENT, Session, Status};
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs::{default_provider, sign::any_supported_type};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};

const STEPS: usize = 256;
/// So many keys in a row rustls takes without a word of the application between them.
const KEY_UPDATES: usize = 32;

#[derive(Debug)]
struct OnePair(Shown);

impl CertificateSource for OnePair {
    fn select(&self, _: &[SignatureScheme], _: &Wants) -> Option<Shown> {
        Some(self.0.clone())
    }
}

/// The certificate's time is that of the seeds.
#[derive(Debug)]
struct Stopped;

impl rustls::time_provider::TimeProvider for Stopped {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(
            1_798_761_600,
        )))
    }
}

struct Parts {
    shown: Shown,
    policy: Policy,
    clients: [Arc<ClientConfig>; 2],
}

fn parts() -> &'static Parts {
    static PARTS: OnceLock<Parts> = OnceLock::new();
    PARTS.get_or_init(|| {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(
            &include_bytes!("../path/leaf.key")[..],
        ));
        let signer = any_supported_type(&key).expect("a key");
        let certificate = CertificateDer::from(&include_bytes!("../path/server.der")[..]);
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from(
                &include_bytes!("../path/server.der")[..],
            ))
            .expect("a root");
        let provider = Arc::new(default_provider());
        let clients = [&TLS12, &TLS13].map(|version| {
            let verifier = WebPkiServerVerifier::builder_with_provider(
                Arc::new(roots.clone()),
                provider.clone(),
            )
            .build()
            .expect("a verifier");
            let config = ClientConfig::builder_with_details(provider.clone(), Arc::new(Stopped))
                .with_protocol_versions(&[version])
                .expect("a version")
                .with_webpki_verifier(verifier)
                .with_no_client_auth();
            Arc::new(config)
        });
        let spec = Spec {
            negotiated: Negotiated {
                versions: Versions {
                    tls12: true,
                    tls13: true,
                },
                suites: vec![0x1301, 0x1303, 0xc02b],
                groups: vec![29, 23],
                honor_client_order: true,
                ..Negotiated::default()
            },
            ..Spec::default()
        };
        Parts {
            shown: Shown {
                certified: Arc::new(CertifiedKey::new(vec![certificate], signer)),
                packed: Arc::new(Packed::default()),
            },
            policy: Policy::build(&spec).expect("a policy"),
            clients,
        }
    })
}

/// What has been said by whom, and what of it has arrived.
struct Talk {
    session: Session,
    started: bool,
    client: ClientConnection,
    /// From the client, not yet fed.
    wire: Vec<u8>,
    /// Nobody has touched what is on its way.
    honest: bool,
    /// Keys that the client has changed since it last wrote something.
    key_updates: usize,
    written: Vec<u8>,
    arrived: Vec<u8>,
    sealed: Vec<u8>,
    failed: bool,
}

/// Each step is an octet of what to do and one of how much. What arrives is what was written, from its beginning, and after a
/// failure nothing does.
pub fn connection(data: &[u8]) {
    let Some((&choice, steps)) = data.split_first() else {
        return;
    };
    let config = parts().clients[usize::from(choice & 1)].clone();
    let name = ServerName::try_from("a.test").expect("a name");
    let mut talk = Talk {
        session: Session::new(),
        started: false,
        client: ClientConnection::new(config, name).expect("a client"),
        wire: Vec::new(),
        honest: true,
        key_updates: 0,
        written: Vec::new(),
        arrived: Vec::new(),
        sealed: Vec::new(),
        failed: false,
    };
    talk.collect();
    for step in steps.chunks_exact(2).take(STEPS) {
        if let [what, amount] = *step {
            talk.step(what, usize::from(amount));
        }
    }
    talk.feed(usize::MAX);
    if talk.honest && !talk.failed && talk.started {
        talk.deliver();
    }
}

impl Talk {
    fn step(&mut self, what: u8, amount: usize) {
        match what % 16 {
            0..=2 => self.feed(amount),
            3 => self.feed(amount << 8),
            4 | 5 => self.deliver(),
            6 => self.write(amount << 4),
            7 => self.seal(amount << 6),
            8 => self.damage(amount),
            9 => self.insert(what, amount),
            10 => {
                // In the middle of a handshake that is the end of it.
                self.honest = self.honest && !self.client.is_handshaking();
                self.client.send_close_notify();
                self.collect();
            }
            11 => {
                self.honest = self.honest && self.session.status() == Status::Open;
                self.session.close_notify();
            }
            12 => {
                let changed = self.client.refresh_traffic_keys();
                self.key_updates += usize::from(changed.is_ok());
                self.honest = self.honest && self.key_updates <= KEY_UPDATES;
                self.collect();
            }
            13 => {
                self.honest = self.honest && self.wire.is_empty();
                self.wire.truncate(amount << 2);
            }
            14 => {
                self.deliver();
                self.feed(usize::MAX);
                self.deliver();
            }
            _ => {
                let again = self.wire.clone();
                self.honest = self.honest && again.is_empty();
                self.wire
                    .extend_from_slice(&again[..again.len().min(amount << 3)]);
            }
        }
    }

    /// What the client has to send goes onto the wire.
    fn collect(&mut self) {
        while self.client.wants_write() {
            self.client.write_tls(&mut self.wire).expect("memory");
        }
    }

    fn feed(&mut self, most: usize) {
        let piece: Vec<u8> = self.wire.drain(..self.wire.len().min(most)).collect();
        if self.started {
            self.take(&piece);
        } else if let Parsed::Hello(_) = self.session.read_hello(&piece) {
            let context = Context {
                certificates: Some(Arc::new(OnePair(parts().shown.clone()))),
                server_name: Some("a.test".to_owned()),
                ..Context::default()
            };
            self.started = self
                .session
                .start(&parts().policy, b"", false, context)
                .is_ok();
            self.take(&[]);
        }
    }

    fn take(&mut self, piece: &[u8]) {
        if !self.started {
            return;
        }
        let before = self.arrived.len();
        let arrived = &mut self.arrived;
        let status = self.session.feed(piece, &mut |text| {
            assert!(text.len() <= MAX_FRAGMENT * 2, "a piece is a record or two");
            arrived.extend_from_slice(text);
        });
        assert!(
            self.written.starts_with(&self.arrived),
            "what arrives is what was written"
        );
        assert!(
            !self.failed || self.arrived.len() == before,
            "nothing arrives after a failure"
        );
        assert!(
            !self.failed || status == Status::Failed,
            "a failure is final"
        );
        self.failed = status == Status::Failed;
        assert!(
            !(self.failed && self.honest),
            "an honest client is no failure: {:?}",
            self.session.failure()
        );
    }

    /// What the session has to send reaches the client, whose answer goes onto the wire.
    fn deliver(&mut self) {
        let out = self.session.take_ciphertext();
        let mut rest = &out[..];
        while !rest.is_empty() {
            let read = self.client.read_tls(&mut rest);
            let taken = self.client.process_new_packets();
            assert!(
                !self.honest || taken.is_ok(),
                "an honest session is understood: {taken:?}"
            );
            // It reads no more after a close or a fault.
            if taken.is_err() || !read.is_ok_and(|read| read > 0) {
                break;
            }
        }
        let mut text = Vec::new();
        let _ = std::io::Read::read_to_end(&mut self.client.reader(), &mut text);
        assert!(
            text.len() <= self.sealed.len() && text == self.sealed[..text.len()],
            "what was sealed"
        );
        self.sealed.drain(..text.len());
        self.collect();
    }

    fn write(&mut self, amount: usize) {
        if self.client.is_handshaking() {
            return;
        }
        let text: Vec<u8> = (0..amount)
            .map(|place| (self.written.len() + place) as u8)
            .collect();
        if let Ok(taken) = std::io::Write::write(&mut self.client.writer(), &text) {
            self.written.extend_from_slice(&text[..taken]);
            if taken > 0 {
                self.key_updates = 0;
            }
        }
        self.collect();
    }

    fn seal(&mut self, amount: usize) {
        if self.session.status() != Status::Open {
            return;
        }
        let text: Vec<u8> = (0..amount).map(|place| place as u8).collect();
        let mut out = vec![0; amount + 1024];
        let Some((taken, written)) = self.session.seal(&text, MAX_FRAGMENT, &mut out) else {
            return;
        };
        assert!(taken <= text.len() && written <= out.len());
        // What waited for the network goes first, as the filters see to.
        self.deliver();
        let mut records = &out[..written];
        while !records.is_empty()
            && self
                .client
                .read_tls(&mut records)
                .is_ok_and(|read| read > 0)
        {
            if self.client.process_new_packets().is_err() {
                assert!(!self.honest, "an honest session is understood");
                return;
            }
        }
        self.sealed.extend_from_slice(&text[..taken]);
        self.deliver();
    }

    fn damage(&mut self, place: usize) {
        let length = self.wire.len();
        if let Some(octet) = self.wire.get_mut(place * 7 % length.max(1)) {
            *octet ^= 1 << (place & 7);
            self.honest = false;
        }
    }

    /// A record in the clear, of any kind, in front of what comes next.
    fn insert(&mut self, what: u8, amount: usize) {
        let kind = 20 + (what >> 4) % 6;
        let mut record = vec![kind, 3, 3, 0, amount as u8];
        record.extend((0..amount).map(|place| place as u8));
        self.wire.splice(..0, record);
        self.honest = false;
    }
}
