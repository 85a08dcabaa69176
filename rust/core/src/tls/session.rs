// SPDX-License-Identifier: Apache-2.0
//! One TLS connection, incoming or outgoing.
//!
//! Bytes from the network go in, plaintext and bytes for the network come out; who reads and writes sockets is none of
//! its business. Every loop consumes, produces or returns.

use std::sync::Arc;

use rustls::{AlertDescription, Error, HandshakeKind, PeerIncompatible};

use super::context;
use super::context::Context;
use super::engine::{RustlsConnection, Step, StepIo};
use super::hello::{Hello, Offered, Parsed};
use super::limits::Toll;

mod alerts;
mod counting;
mod ech;
mod ending;
mod facts;
mod incoming;
mod judging;
mod limits;
mod sealing;
mod standing;
mod starting;
mod writing;

pub use alerts::refusal;
use alerts::{RENEGOTIATES, is_plain};
pub use facts::Facts;
use incoming::{Incoming, TOO_MANY_PIECES};

/// The longest plaintext of one record (RFC 8446 5.1).
pub const MAX_FRAGMENT: usize = 16_384;

const RECORD_HEADER: usize = 5;

/// `supported_versions` entry of TLS 1.3 (RFC 8446 4.2.1).
const TLS13: u16 = 0x0304;

/// Extension type of RFC 5077 3.2.
const SESSION_TICKET: u16 = 35;

/// Extension type of RFC 6066 8.
pub const STATUS_REQUEST: u16 = 5;

/// Where a connection stands after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The handshake needs more from the client.
    Handshaking,
    /// The handshake is complete, but for what OCSP responders say of the client: see [`Session::judge`].
    Judging,
    /// Application data may flow both ways.
    Open,
    /// The client has sent close_notify: no more data will come, ours may still go.
    PeerClosed,
    /// Nothing more can be said on this connection.
    Failed,
}

/// One connection, from its first byte on. Owned by the connection pool; any thread may call, one at a time.
#[derive(Default)]
pub struct Session {
    tls: Option<RustlsConnection>,
    context: Option<Box<Context>>,
    incoming: Incoming,
    /// Bytes for the network.
    outgoing: Vec<u8>,
    /// Plaintext that turned up while writing.
    unread: Vec<u8>,
    offers_tls13: bool,
    offers_tickets: bool,
    newest_offered: u16,
    /// The oldest version of the policy, where the client knows nothing as new.
    out_of_reach: Option<u16>,
    /// The policy demands a post-quantum group.
    needs_post_quantum: bool,
    wants_staple: bool,
    falls_back: bool,
    /// The longest plaintext of a record that the client wants.
    record_limit: Option<usize>,
    offered_id: Vec<u8>,
    /// What the client offered in its first hello.
    offered: Option<Arc<Offered>>,
    peer_closed: bool,
    /// The backend wants another handshake, and was told that there is none.
    asked_again: bool,
    /// Octets of the peer's certificates; 0 until they are counted.
    shown: usize,
    /// We have ended it, with an alert of ours.
    refused: bool,
    /// What a client was told of a fault that we found ourselves.
    fault: Option<AlertDescription>,
    failure: Option<Error>,
    toll: Toll,
}

impl Session {
    /// A connection of which nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the first bytes and says what they are. Call until the answer is not [`Parsed::NeedMore`].
    pub fn read_hello(&mut self, input: &[u8]) -> Parsed {
        self.count_received(input.len(), 0);
        let Self { incoming, toll, .. } = self;
        let parsed = incoming.read_hello(input, &mut || toll.pay());
        match &parsed {
            Parsed::Hello(hello) => self.note(hello),
            Parsed::Malformed(fault) => self.refuse(*fault),
            _ => {}
        }
        parsed
    }

    fn note(&mut self, hello: &Hello) {
        self.offers_tls13 = hello.versions.contains(&TLS13);
        self.offers_tickets = hello.extensions.contains(&SESSION_TICKET);
        self.newest_offered = hello.newest_version();
        self.wants_staple = hello.extensions.contains(&STATUS_REQUEST);
        self.falls_back = hello.falls_back();
        self.record_limit = hello.record_limit;
        self.offered_id.clone_from(&hello.session_id);
        self.toll.note(&hello.ticket);
        self.offered = Some(Arc::new(Offered::new(hello)));
        // RFC 5746 3.6: "The server MUST then verify that the length of the "renegotiated_connection" field is zero,
        // and if it is not, MUST abort the handshake"; mod_ssl says handshake_failure.
        if hello.renegotiates {
            self.refuse(RENEGOTIATES);
        }
    }

    /// Takes bytes from the network. Plaintext goes to `sink` record by record; bytes for the network are to be taken
    /// by [`Session::take_ciphertext`] before the next call.
    pub fn feed(&mut self, input: &[u8], sink: &mut dyn FnMut(&[u8])) -> Status {
        if self.is_judging() {
            return self.keep(input);
        }
        if !self.unread.is_empty() {
            sink(&std::mem::take(&mut self.unread));
        }
        if self.failure.is_some() {
            return Status::Failed;
        }
        if let Err(fault) = self.incoming.take(input) {
            self.refuse(fault);
            return Status::Failed;
        }
        let Some(mut tls) = self.tls.take() else {
            return self.status();
        };
        let mut context = self.context.take();
        if let Some(context) = &mut context {
            context.hidden = self.incoming.hidden;
            context.resumption.begin_call();
        }
        let mut records = 0;
        let mut held = Vec::new();
        let mut counted = |data: &[u8]| {
            records += 1;
            match context::is_pending() {
                true => held.extend_from_slice(data),
                false => sink(data),
            }
        };
        context::enter(&mut context, || self.process(&mut tls, &mut counted));
        if context.as_ref().is_some_and(|context| context.beyond_limit) {
            self.toll.refuse();
        }
        // What a second hello asks for is not known yet.
        let kind = tls.common().handshake_kind();
        let kind = kind.filter(|_| !tls.awaits_second_hello());
        if let (Some(context), Some(kind)) = (&mut context, kind) {
            context.resumption.settle(kind == HandshakeKind::Resumed);
            self.toll.settle(kind == HandshakeKind::Resumed);
        }
        self.context = context;
        self.tls = Some(tls);
        self.unread.append(&mut held);
        self.count_received(input.len(), records);
        self.status()
    }

    fn process(&mut self, tls: &mut RustlsConnection, sink: &mut dyn FnMut(&[u8])) {
        let mark = self.outgoing.len();
        let consumed = self.run(tls, sink);
        // It ends with the alert that was written in the place of what has no signature.
        if let Some(error) = context::with(|context| context.unsigned.take()).flatten() {
            self.failure = Some(error);
        }
        self.check_said(mark);
        self.settle_offer(tls);
        if self.failure.is_some() && !self.refused {
            if self.out_of_reach.is_some() {
                self.failure = Some(PeerIncompatible::Tls12NotOffered.into());
            }
            self.collect_alert(tls);
            self.count_alert(tls);
        }
        if self.failure.is_some() || self.peer_closed {
            self.incoming.clear();
            return;
        }
        self.incoming.discard(consumed);
        // What came with the end of the handshake is looked at when the client is known; until that end all is bounded.
        if is_held(tls) || !self.incoming.is_excessive(tls) {
            return;
        }
        if is_plain(tls) {
            self.refuse(TOO_MANY_PIECES);
        } else {
            self.incoming.spoil();
            self.run(tls, &mut |_| {});
            self.collect_alert(tls);
            self.failure = Some(Error::General(TOO_MANY_PIECES.text.to_owned()));
            self.fault = Some(TOO_MANY_PIECES.alert);
            self.count_alert(tls);
        }
        self.incoming.clear();
    }

    /// Lets rustls have all that is there; how many bytes it has consumed. What a backend sends goes record by record, so
    /// that what a session takes can be told when it is kept.
    fn run(&mut self, tls: &mut RustlsConnection, sink: &mut dyn FnMut(&[u8])) -> usize {
        let mut consumed = 0;
        if matches!(tls, RustlsConnection::Client(_)) {
            while let Some(end) = self.incoming.next_record() {
                let arrived = end - consumed;
                let shown = self.shown(tls);
                context::with(|context| (context.arrived, context.peer_octets) = (arrived, shown));
                consumed = self.run_until(consumed, end, tls, sink);
                // Nothing is believed of who answers to what was not signed.
                let is_unsigned = context::with(|context| context.unsigned.is_some());
                if self.failure.is_some() || is_unsigned == Some(true) {
                    return consumed;
                }
            }
        }
        self.run_until(consumed, self.incoming.bytes.len(), tls, sink)
    }

    /// Octets of the certificates that the peer has shown.
    fn shown(&mut self, tls: &RustlsConnection) -> usize {
        if self.shown == 0
            && let Some(chain) = tls.common().peer_certificates()
        {
            self.shown = chain.iter().map(|certificate| certificate.len()).sum();
        }
        self.shown
    }

    fn run_until(
        &mut self,
        mut start: usize,
        end: usize,
        tls: &mut RustlsConnection,
        sink: &mut dyn FnMut(&[u8]),
    ) -> usize {
        let mut mark = self.outgoing.len();
        while let Some(unconsumed) = self.incoming.bytes.get_mut(start..end) {
            let before = self.outgoing.len();
            let offered = self.incoming.offer.is_tried();
            if offered && !Self::has_unsaid() {
                mark = before;
            }
            let io = &mut StepIo {
                outgoing: &mut self.outgoing,
                sink,
                write: None,
            };
            let (consumed, next) = tls.step(unconsumed, io);
            start += consumed;
            if offered {
                self.mend(mark);
            }
            self.asked_again |=
                self.outgoing.len() > before && self.refuses_renegotiation(tls, before);
            match next {
                Step::Again | Step::Written if is_held(tls) => break,
                Step::Again | Step::Written => {}
                Step::PeerClosed => self.peer_closed = true,
                Step::Wait => break,
                Step::Failed(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
            if tls.awaits_second_hello()
                && let Err(fault) = self.incoming.expect_second_hello(start)
            {
                self.refuse(fault);
                break;
            }
        }
        start
    }
}

/// Whether the handshake of this thread's connection is complete but for what responders say.
fn is_held(tls: &RustlsConnection) -> bool {
    context::is_pending() && !tls.common().is_handshaking()
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;

#[cfg(test)]
mod ech_cost_tests;
#[cfg(test)]
mod ech_hello_tests;
#[cfg(test)]
mod ech_record_tests;
#[cfg(test)]
mod ech_tests;
#[cfg(test)]
mod noting;
#[cfg(test)]
mod rustls_facts_tests;
#[cfg(test)]
mod trust_all;
#[cfg(test)]
mod unsigned_tests;
