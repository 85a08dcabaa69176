// SPDX-License-Identifier: Apache-2.0
//! `Session` for C++: every call is guarded, and a panic poisons this one connection.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use mod_tls_core::backend::{Ending, Target};
use mod_tls_core::creds::{self, challenge};
use mod_tls_core::tls::context::{Context, Offer, Wants};
use mod_tls_core::tls::hello::{Hello, Parsed};
use mod_tls_core::tls::session::Session as Inner;
use mod_tls_core::tls::{describe, policy, session};
use mod_tls_core::{verify, x509};

use crate::backend::BackendPolicy;
use crate::credentials::Credentials;
use crate::ech;
use crate::ffi;
use crate::guard::{PANICKED, guard};
use crate::identity::Identity;
use crate::policy::Policy;

/// One connection; owned by the connection pool, used by one thread at a time.
pub(crate) struct Session {
    pub(crate) inner: session::Session,
    poisoned: bool,
}

/// A connection of which nothing is known yet.
pub(crate) fn new_session() -> Box<Session> {
    guard(Session::spoilt, || {
        let mut inner = session::Session::new();
        inner.take_offers(&ech::HELD);
        let poisoned = false;
        Box::new(Session { inner, poisoned })
    })
}

impl Session {
    fn spoilt() -> Box<Self> {
        Box::new(Self {
            inner: session::Session::new(),
            poisoned: true,
        })
    }

    /// Runs `body` unless a panic has spoiled the session; marks it spoilt when `body` panics.
    #[track_caller]
    pub(crate) fn run<R>(
        &mut self,
        fallback: impl FnOnce() -> R,
        body: impl FnOnce(&mut session::Session) -> R,
    ) -> R {
        if self.poisoned {
            return fallback();
        }
        let done = guard(|| None, || Some(body(&mut self.inner)));
        self.poisoned = done.is_none();
        done.unwrap_or_else(fallback)
    }

    pub(crate) fn read_hello(&mut self, input: &[u8]) -> ffi::Hello {
        // What is said of a stranger's octets is made within the guard, too.
        let nothing = || Parsed::NotTls.into();
        self.run(nothing, |inner| inner.read_hello(input).into())
    }

    pub(crate) fn start(
        &mut self,
        policy: &Policy,
        credentials: &Credentials,
        host: &ffi::ChosenHost,
    ) -> bool {
        let start = |tls: &mut Inner| {
            let (policy, alpn) = (policy.0.get(), host.alpn.as_bytes());
            let bound = host.context(credentials, policy.id());
            tls.start(&policy, alpn, host.prefers_chacha, bound).is_ok()
        };
        self.run(|| false, start)
    }

    pub(crate) fn start_challenge(
        &mut self,
        policy: &Policy,
        certificate: &[u8],
        key: &[u8],
        host: &ffi::ChosenHost,
    ) -> bool {
        let start = |inner: &mut Inner| {
            let context = host.challenge(challenge::from_pem(certificate, key).ok()?);
            let (policy, alpn) = (policy.0.get(), host.alpn.as_bytes());
            inner.start_challenge(&policy, alpn, context).ok()
        };
        self.run(|| None, start).is_some()
    }

    pub(crate) fn connect(&mut self, policy: &BackendPolicy, target: &ffi::Target) -> bool {
        let connect = |inner: &mut Inner| inner.connect_to(&policy.0, target.into());
        self.run(|| false, |inner| connect(inner).is_ok())
    }

    pub(crate) fn feed(&mut self, input: &[u8], mut sink: Pin<&mut ffi::Sink>) -> ffi::Status {
        let failed = || ffi::Status::Failed;
        self.run(failed, |inner| {
            let status = inner.feed(input, &mut |data| sink.as_mut().plaintext(data));
            deliver(&inner.take_ciphertext(), sink);
            status.into()
        })
    }

    pub(crate) fn judge(&mut self, wait: bool) -> ffi::Status {
        self.run(|| ffi::Status::Failed, |inner| inner.judge(wait).into())
    }

    pub(crate) fn seal(
        &mut self,
        plaintext: &[u8],
        fragment: usize,
        out: &mut [u8],
    ) -> ffi::Sealed {
        self.run(|| None, |inner| inner.seal(plaintext, fragment, out))
            .into()
    }

    pub(crate) fn close_notify(&mut self, sink: Pin<&mut ffi::Sink>) {
        self.run(
            || (),
            |inner| {
                inner.close_notify();
                deliver(&inner.take_ciphertext(), sink);
            },
        );
    }

    pub(crate) fn negotiated(&self) -> ffi::Negotiated {
        let facts = guard(session::Facts::default, || self.inner.facts());
        ffi::Negotiated::of(facts, &self.inner)
    }

    pub(crate) fn failure(&self) -> String {
        match self.poisoned {
            true => PANICKED.to_owned(),
            false => guard(String::new, || self.inner.client_failure()),
        }
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
        let said = || self.inner.backend_failure().filter(|_| !self.poisoned);
        let otherwise = || [self.failure(), String::new()];
        guard(|| None, said).unwrap_or_else(otherwise).into()
    }

    pub(crate) fn count(&self, ending: ffi::Ending) {
        let count = |ending| self.inner.count_backend(ending);
        guard(|| (), || count(ending.with(self.inner.is_resumed())));
    }

    pub(crate) fn count_completed(&self, microseconds: u64, host: u32) {
        let took = Duration::from_micros(microseconds);
        guard(|| (), || self.inner.count_completed(took, host));
    }

    pub(crate) fn authority(&self) -> String {
        guard(String::new, || self.inner.authority().unwrap_or_default())
    }

    pub(crate) fn remedy(&self) -> String {
        guard(String::new, || self.inner.client_remedy())
    }

    pub(crate) fn identity(&self) -> Box<Identity> {
        let identity = guard(x509::Identity::default, || self.inner.identity());
        let offered = guard(|| None, || self.inner.offered());
        Box::new(Identity::new(identity, offered))
    }

    pub(crate) fn verdict(&self) -> ffi::Verdict {
        guard(verify::Verdict::default, || self.inner.verdict()).into()
    }
}

impl ffi::Negotiated {
    fn of(facts: session::Facts, session: &Inner) -> Self {
        Self {
            version: facts.version,
            suite: facts.suite,
            group: facts.group,
            signature_scheme: facts.signature_scheme,
            alpn: String::from_utf8(facts.alpn).unwrap_or_default(),
            resumed: facts.resumed,
            session_id: facts.session_id,
            ech: session.ech_outcome() as u8,
            outer_name: session.outer_name().unwrap_or_default().to_owned(),
        }
    }
}

pub(crate) fn refuse(alert: u8, sink: Pin<&mut ffi::Sink>) {
    guard(|| (), || deliver(&session::refusal(alert.into()), sink));
}

fn deliver(ciphertext: &[u8], sink: Pin<&mut ffi::Sink>) {
    if !ciphertext.is_empty() {
        sink.ciphertext(ciphertext);
    }
}

impl From<session::Status> for ffi::Status {
    fn from(status: session::Status) -> Self {
        match status {
            session::Status::Handshaking => Self::Handshaking,
            session::Status::Judging => Self::Judging,
            session::Status::Open => Self::Open,
            session::Status::PeerClosed => Self::PeerClosed,
            session::Status::Failed => Self::Failed,
        }
    }
}

impl From<Option<(usize, usize)>> for ffi::Sealed {
    fn from(sealed: Option<(usize, usize)>) -> Self {
        let (taken, written) = sealed.unwrap_or_default();
        Self {
            ok: sealed.is_some(),
            taken,
            written,
        }
    }
}

impl ffi::Ending {
    fn with(self, resumed: bool) -> Ending {
        match self {
            Self::Done => Ending::Done { resumed },
            Self::Closed => Ending::Closed,
            Self::TimedOut => Ending::TimedOut,
            _ => Ending::Failed,
        }
    }
}

impl From<&ffi::Target> for Target {
    fn from(target: &ffi::Target) -> Self {
        Self {
            host: target.host.clone(),
            address: target.address.clone(),
            port: target.port,
            alpn: target.alpn.clone(),
        }
    }
}

impl From<&ffi::StapleOffer> for Offer {
    fn from(offer: &ffi::StapleOffer) -> Self {
        Self {
            id: offer.id.clone(),
            response: offer.response.clone(),
        }
    }
}

/// What a client wants of certificates, or whoever looks at a virtual host as one.
pub(crate) fn wants(staple: bool, offered: &[ffi::StapleOffer], fetched: bool, url: &str) -> Wants {
    Wants {
        staple,
        offered: offered.iter().map(Offer::from).collect(),
        fetched: fetched.then(|| url.to_owned()),
    }
}

impl ffi::ChosenHost {
    /// What a session is bound to that begins with this.
    fn context(&self, credentials: &Credentials, policy_id: [u8; 32]) -> Context {
        Context {
            certificates: credentials.0.source(self.certificates),
            identity: Arc::from(self.identity.as_str()),
            policy_id,
            server_name: Some(self.server_name.clone()).filter(|name| !name.is_empty()),
            // Whether it wants one, the session knows.
            wants: wants(false, &self.staples, self.fetched, &self.staple_url),
            ..Context::default()
        }
    }

    /// The same of one that answers an ACME challenge.
    fn challenge(&self, set: creds::CertSet) -> Context {
        Context {
            certificates: Some(Arc::new(set)),
            server_name: Some(self.server_name.clone()).filter(|name| !name.is_empty()),
            ..Context::default()
        }
    }
}

impl From<Parsed> for ffi::Hello {
    fn from(parsed: Parsed) -> Self {
        match parsed {
            Parsed::NeedMore => Self::none(ffi::Opening::NeedMore),
            Parsed::Hello(parsed) => Self::of(&parsed),
            Parsed::PlainHttp => Self::none(ffi::Opening::PlainHttp),
            Parsed::Sslv2 => Self::none(ffi::Opening::Sslv2),
            Parsed::Malformed(_) => Self::none(ffi::Opening::Malformed),
            Parsed::NotTls => Self::none(ffi::Opening::NotTls),
        }
    }
}

impl ffi::Hello {
    fn none(opening: ffi::Opening) -> Self {
        Self {
            opening,
            server_name: String::new(),
            odd_name: false,
            wants_staple: false,
            alpn: Vec::new(),
            prefers_chacha: false,
            offered: String::new(),
        }
    }

    fn of(hello: &Hello) -> Self {
        let alpn = hello.alpn.iter().filter_map(|name| describe::alpn(name));
        Self {
            opening: ffi::Opening::Hello,
            server_name: hello.server_name.clone().unwrap_or_default(),
            odd_name: hello.hidden.is_some(),
            wants_staple: hello.extensions.contains(&session::STATUS_REQUEST),
            alpn: alpn.collect(),
            prefers_chacha: policy::prefers_chacha(&hello.suites),
            offered: describe::offered(hello),
        }
    }
}
