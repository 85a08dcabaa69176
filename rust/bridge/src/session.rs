// SPDX-License-Identifier: Apache-2.0
//! `Session` for C++: every call is guarded, and a panic poisons this one connection.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use mod_tls_core::backend::Ending;
use mod_tls_core::tls::context::{Context, Offer, Wants};
use mod_tls_core::tls::hello::{Hello, Parsed};
use mod_tls_core::tls::{describe, policy, session};
use mod_tls_core::{backend, creds, metrics, verify, x509};

use crate::backend::BackendPolicy;
use crate::credentials::Credentials;
use crate::ech;
use crate::ffi;
use crate::guard::guard;
use crate::identity::{self, Identity};
use crate::policy::Policy;

/// One connection; owned by the connection pool, used by one thread at a time.
pub struct Session {
    inner: session::Session,
    poisoned: bool,
}

/// See the bridge.
pub fn new_session() -> Box<Session> {
    guard(
        || {
            Box::new(Session {
                inner: session::Session::new(),
                poisoned: true,
            })
        },
        || {
            let mut inner = session::Session::new();
            inner.take_offers(&ech::HELD);
            Box::new(Session {
                inner,
                poisoned: false,
            })
        },
    )
}

fn status_of(status: session::Status) -> ffi::Status {
    match status {
        session::Status::Handshaking => ffi::Status::Handshaking,
        session::Status::Judging => ffi::Status::Judging,
        session::Status::Open => ffi::Status::Open,
        session::Status::PeerClosed => ffi::Status::PeerClosed,
        session::Status::Failed => ffi::Status::Failed,
    }
}

impl Session {
    /// Runs `body` unless a panic has spoiled the session; marks it spoilt when `body` panics.
    #[track_caller]
    pub(crate) fn run<R>(
        &mut self,
        fallback: impl Fn() -> R,
        body: impl FnOnce(&mut session::Session) -> R,
    ) -> R {
        if self.poisoned {
            return fallback();
        }
        let Self { inner, poisoned } = self;
        guard(
            || {
                *poisoned = true;
                fallback()
            },
            || body(inner),
        )
    }

    pub(crate) fn read_hello(&mut self, input: &[u8]) -> ffi::Hello {
        self.run(
            || hello(ffi::Opening::NotTls, None),
            |inner| match inner.read_hello(input) {
                Parsed::NeedMore => hello(ffi::Opening::NeedMore, None),
                Parsed::Hello(parsed) => hello(ffi::Opening::Hello, Some(&parsed)),
                Parsed::PlainHttp => hello(ffi::Opening::PlainHttp, None),
                Parsed::Sslv2 => hello(ffi::Opening::Sslv2, None),
                Parsed::Malformed(_) => hello(ffi::Opening::Malformed, None),
                Parsed::NotTls => hello(ffi::Opening::NotTls, None),
            },
        )
    }

    pub(crate) fn start(
        &mut self,
        policy: &Policy,
        credentials: &Credentials,
        binding: &ffi::ChosenHost,
    ) -> bool {
        self.run(
            || false,
            |inner| {
                let policy = policy.0.get();
                let context = Context {
                    certificates: credentials.0.source(binding.certificates),
                    identity: Arc::from(binding.identity.as_str()),
                    policy_id: policy.id(),
                    server_name: Some(binding.server_name.clone()).filter(|name| !name.is_empty()),
                    wants: Wants {
                        staple: false, // the session knows
                        offered: binding.staples.iter().map(offer).collect(),
                        fetched: binding.fetched.then(|| binding.staple_url.clone()),
                    },
                    ..Context::default()
                };
                inner
                    .start(
                        &policy,
                        binding.alpn.as_bytes(),
                        binding.prefers_chacha,
                        context,
                    )
                    .is_ok()
            },
        )
    }

    pub(crate) fn start_challenge(
        &mut self,
        policy: &Policy,
        certificate: &[u8],
        key: &[u8],
        binding: &ffi::ChosenHost,
    ) -> bool {
        self.run(
            || false,
            |inner| {
                let Ok(set) = creds::challenge::from_pem(certificate, key) else {
                    return false;
                };
                let context = Context {
                    certificates: Some(Arc::new(set)),
                    server_name: Some(binding.server_name.clone()).filter(|name| !name.is_empty()),
                    ..Context::default()
                };
                let alpn = binding.alpn.as_bytes();
                inner
                    .start_challenge(&policy.0.get(), alpn, context)
                    .is_ok()
            },
        )
    }

    pub(crate) fn connect(&mut self, policy: &BackendPolicy, target: &ffi::Target) -> bool {
        self.run(
            || false,
            |inner| {
                let Some(name) = backend::server_name(&target.host, &target.address) else {
                    return false;
                };
                let ffi::Target {
                    host,
                    address,
                    port,
                    alpn,
                } = target;
                let context = Context {
                    // Sessions are kept apart by all that was proven when they were made.
                    identity: Arc::from(format!("{address}:{port}/{host}")),
                    server_name: Some(host.clone()).filter(|host| !host.is_empty()),
                    ..Context::default()
                };
                let alpn = alpn.iter().map(|name| name.clone().into_bytes()).collect();
                inner.connect(&policy.0, name, alpn, context).is_ok()
            },
        )
    }

    pub(crate) fn feed(&mut self, input: &[u8], mut sink: Pin<&mut ffi::Sink>) -> ffi::Status {
        self.run(
            || ffi::Status::Failed,
            |inner| {
                let status = inner.feed(input, &mut |data| sink.as_mut().plaintext(data));
                let ciphertext = inner.take_ciphertext();
                if !ciphertext.is_empty() {
                    sink.as_mut().ciphertext(&ciphertext);
                }
                status_of(status)
            },
        )
    }

    pub(crate) fn judge(&mut self, wait: bool) -> ffi::Status {
        self.run(|| ffi::Status::Failed, |inner| status_of(inner.judge(wait)))
    }

    pub(crate) fn seal(
        &mut self,
        plaintext: &[u8],
        fragment: usize,
        out: &mut [u8],
    ) -> ffi::Sealed {
        let nothing = || ffi::Sealed {
            ok: false,
            taken: 0,
            written: 0,
        };
        self.run(nothing, |inner| {
            match inner.seal(plaintext, fragment, out) {
                Some((taken, written)) => ffi::Sealed {
                    ok: true,
                    taken,
                    written,
                },
                None => nothing(),
            }
        })
    }

    pub(crate) fn close_notify(&mut self, mut sink: Pin<&mut ffi::Sink>) {
        self.run(
            || (),
            |inner| {
                inner.close_notify();
                let ciphertext = inner.take_ciphertext();
                if !ciphertext.is_empty() {
                    sink.as_mut().ciphertext(&ciphertext);
                }
            },
        );
    }

    pub(crate) fn negotiated(&self) -> ffi::Negotiated {
        let facts = guard(session::Facts::default, || self.inner.facts());
        ffi::Negotiated {
            version: facts.version,
            suite: facts.suite,
            group: facts.group,
            signature_scheme: facts.signature_scheme,
            alpn: String::from_utf8(facts.alpn).unwrap_or_default(),
            resumed: facts.resumed,
            session_id: facts.session_id,
            ech: self.inner.ech_outcome() as u8,
            outer_name: self.inner.outer_name().unwrap_or_default().to_owned(),
        }
    }

    pub(crate) fn failure(&self) -> String {
        if self.poisoned {
            return "internal error: a panic was caught; please report it".to_owned();
        }
        guard(String::new, || {
            let verdict = self.inner.verdict();
            match self.inner.failure() {
                Some(rustls::Error::InvalidCertificate(_))
                    if verdict.outcome == verify::Outcome::Failed =>
                {
                    format!("the client's certificate is refused: {}", verdict.reason)
                }
                _ => self.inner.cause(),
            }
        })
    }

    pub(crate) fn asked_again(&mut self) -> bool {
        self.run(|| false, session::Session::takes_asked_again)
    }

    pub(crate) fn failure_kind(&self) -> u8 {
        guard(|| 0, || self.inner.failure_kind())
    }

    pub(crate) fn fits(&self, policy: &BackendPolicy) -> bool {
        !self.poisoned && guard(|| false, || self.inner.fits(&policy.0))
    }

    pub(crate) fn backend_failure(&self) -> Vec<String> {
        guard(Vec::new, || match self.inner.failure() {
            Some(error) if !self.poisoned => {
                let remedy = match self.inner.lacks_post_quantum() {
                    true => describe::BACKEND_LACKS_POST_QUANTUM_REMEDY,
                    false => describe::backend_remedy(error),
                };
                vec![describe::backend_failure(error), remedy.to_owned()]
            }
            _ => vec![self.failure(), String::new()],
        })
    }

    pub(crate) fn count(&self, ending: ffi::Ending) {
        guard(
            || (),
            || {
                let ending = match ending {
                    ffi::Ending::Done => Ending::Done {
                        resumed: self.inner.facts().resumed,
                    },
                    ffi::Ending::Closed => Ending::Closed,
                    ffi::Ending::TimedOut => Ending::TimedOut,
                    _ => Ending::Failed,
                };
                metrics::count(match self.inner.lacks_post_quantum() {
                    true => metrics::Counter::BackendPostQuantum,
                    false => backend::counter(ending, self.inner.failure()),
                });
            },
        );
    }

    pub(crate) fn count_completed(&self, microseconds: u64, host: u32) {
        guard(
            || (),
            || {
                self.inner
                    .count_completed(Duration::from_micros(microseconds));
                metrics::count_host(host, true);
            },
        );
    }

    pub(crate) fn authority(&self) -> String {
        guard(String::new, || self.inner.authority().unwrap_or_default())
    }

    pub(crate) fn remedy(&self) -> String {
        guard(String::new, || {
            let verdict = self.inner.verdict();
            if self.inner.lacks_post_quantum() {
                return describe::LACKS_POST_QUANTUM_REMEDY.to_owned();
            }
            match self.inner.failure() {
                Some(rustls::Error::InvalidCertificate(_))
                    if verdict.outcome == verify::Outcome::Failed =>
                {
                    verdict.advice
                }
                error => error.map_or("", describe::remedy).to_owned(),
            }
        })
    }

    pub(crate) fn identity(&self) -> Box<Identity> {
        let identity = guard(x509::Identity::default, || self.inner.identity());
        let offered = guard(|| None, || self.inner.offered());
        Box::new(Identity::new(identity, offered))
    }

    pub(crate) fn verdict(&self) -> ffi::Verdict {
        identity::verdict(&guard(verify::Verdict::default, || self.inner.verdict()))
    }
}

fn offer(offer: &ffi::StapleOffer) -> Offer {
    Offer {
        id: offer.id.clone(),
        response: offer.response.clone(),
    }
}

fn hello(opening: ffi::Opening, parsed: Option<&Hello>) -> ffi::Hello {
    let Some(parsed) = parsed else {
        return ffi::Hello {
            opening,
            server_name: String::new(),
            odd_name: false,
            wants_staple: false,
            alpn: Vec::new(),
            prefers_chacha: false,
            offered: String::new(),
        };
    };
    ffi::Hello {
        opening,
        server_name: parsed.server_name.clone().unwrap_or_default(),
        odd_name: parsed.hidden.is_some(),
        wants_staple: parsed.extensions.contains(&session::STATUS_REQUEST),
        alpn: parsed
            .alpn
            .iter()
            .filter_map(|name| describe::alpn(name))
            .collect(),
        prefers_chacha: policy::prefers_chacha(&parsed.suites),
        offered: describe::offered(parsed),
    }
}
