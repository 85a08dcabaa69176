// SPDX-License-Identifier: Apache-2.0
//! How a connection is ended: the alert that the peer is owed.

use rustls::{AlertDescription, Error, InvalidMessage};

use super::Session;
use super::alerts::{is_plain, is_tls12, plain_alert, refusal};
use crate::tls::context;
use crate::tls::describe;
use crate::tls::engine::{RustlsConnection, Step, StepIo};
use crate::tls::hello::Fault;

/// Type of records that hold alerts.
const ALERT: u8 = 21;

/// A close_notify alert in a record of its own, with a key update before it.
const MAX_ALERT: usize = 128;

impl Session {
    /// Ends our direction with a close_notify alert, unless an alert was sent already or no traffic keys exist yet.
    pub fn close_notify(&mut self) {
        if self.failure.is_some() {
            return;
        }
        let Some(mut tls) = self.tls.take() else {
            return;
        };
        let mut alert = Vec::new();
        let mut context = self.context.take();
        context::enter(&mut context, || {
            self.write(&mut tls, &mut |traffic, owed| {
                alert.extend_from_slice(owed);
                let start = alert.len();
                alert.resize(start + MAX_ALERT, 0);
                let written = alert
                    .get_mut(start..)
                    .and_then(|space| traffic.close_notify(space));
                alert.truncate(start + written.unwrap_or(0));
            });
        });
        self.context = context;
        self.tls = Some(tls);
        self.outgoing.append(&mut alert);
    }

    /// Ends a connection that is not encrypted yet.
    pub(super) fn refuse(&mut self, fault: Fault) {
        self.outgoing.extend_from_slice(&refusal(fault.alert));
        self.refused = true;
        self.failure = Some(Error::General(fault.text.to_owned()));
        self.fault = Some(fault.alert);
    }

    /// Whether what was written from `before` on is the warning no_renegotiation: rustls says nothing else by an alert on
    /// a connection of TLS 1.2 that goes on, when a backend sends a HelloRequest (RFC 5246 7.4.1.1).
    pub(super) fn refuses_renegotiation(&self, tls: &RustlsConnection, before: usize) -> bool {
        let written = self.outgoing.get(before..).unwrap_or_default();
        matches!(tls, RustlsConnection::Client(_))
            && !tls.common().is_handshaking()
            && !self.peer_closed
            && is_tls12(tls)
            && written.first() == Some(&ALERT)
    }

    /// Whether a backend has asked for another handshake since this was last asked.
    pub fn takes_asked_again(&mut self) -> bool {
        std::mem::take(&mut self.asked_again)
    }

    /// After an error the alert that rustls owes is still to be had. What is left of the input must not be shown to
    /// it again: rustls asserts that it is never called to fail twice.
    ///
    /// RFC 8446 4.1.1: "If the server is unable to negotiate a supported set of parameters [...] it MUST abort the
    /// handshake with either a "handshake_failure" or "insufficient_security" fatal alert"; rustls sends access_denied
    /// when no certificate fits, in the clear, its description last.
    ///
    /// RFC 5246 E.1: a server that does not speak the client's version "MUST send a "protocol_version" alert message"; rustls
    /// misses signature_algorithms first, which old clients do not send, and answers handshake_failure.
    ///
    /// RFC 5246 7.4.6: "If the client does not send any certificates, the server MAY [...] respond with a fatal
    /// handshake_failure alert"; rustls sends certificate_required, which TLS 1.2 does not have.
    ///
    /// Where a client's key does not sign, rustls leaves messages without an alert behind them.
    pub(super) fn collect_alert(&mut self, tls: &mut RustlsConnection) {
        let mark = self.outgoing.len();
        while tls.common().wants_write() {
            let io = &mut StepIo {
                outgoing: &mut self.outgoing,
                sink: &mut |_| {},
                write: None,
            };
            if !matches!(tls.step(&mut [], io), (_, Step::Again)) {
                break;
            }
        }
        let told = has_alert(self.outgoing.get(mark..).unwrap_or_default());
        let better = match &self.failure {
            _ if self.out_of_reach.is_some() => AlertDescription::ProtocolVersion,
            Some(error) if describe::nothing_in_common(error) => AlertDescription::HandshakeFailure,
            Some(Error::NoCertificatesPresented) if is_tls12(tls) => {
                AlertDescription::HandshakeFailure
            }
            Some(Error::InvalidMessage(InvalidMessage::MessageTooLarge)) => {
                AlertDescription::RecordOverflow
            }
            Some(error) if !told && is_plain(tls) => describe::alert_for(error),
            _ => return,
        };
        if !told && is_plain(tls) {
            self.outgoing.extend_from_slice(&plain_alert(better));
        } else if let Some([21, 3, _, 0, 2, 2, description]) = self.outgoing.last_chunk_mut() {
            *description = u8::from(better);
        }
    }
}

/// Whether there is an alert among whole records.
fn has_alert(mut records: &[u8]) -> bool {
    while let [kind, _, _, high, low, rest @ ..] = records {
        if *kind == ALERT {
            return true;
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        records = rest.get(length..).unwrap_or_default();
    }
    false
}
