// SPDX-License-Identifier: Apache-2.0
//! A handshake that is complete but for what OCSP responders say of the client.
//!
//! rustls asks its verifier in the middle of the client's last messages and cannot be told to wait. So it goes on, and the
//! session keeps everything back: what the client would learn of it (the server's Finished with TLS 1.2), what the client
//! sent with it, and no ticket is made. Then the connection is open, or ends with the alert of a refused certificate.

use rustls::{AlertDescription, Error};
use rustls_pki_types::CertificateDer;

use super::alerts::{is_tls12, plain_alert};
use super::{Session, Status};
use crate::metrics::{self, choose};
use crate::tls::context;
use crate::tls::describe;
use crate::tls::engine::RustlsConnection;
use crate::verify::{Verdict, refusal};

/// Room for an alert in a record of its own.
const ALERT_RECORD: usize = 128;

impl Session {
    /// Whether the handshake waits for what responders say.
    pub(super) fn is_judging(&self) -> bool {
        let pending = self.context.as_ref().is_some_and(|c| c.pending.is_some());
        let complete = |tls: &RustlsConnection| !tls.common().is_handshaking();
        pending && self.failure.is_none() && self.tls.as_ref().is_some_and(complete)
    }

    /// Takes what came meanwhile.
    pub(super) fn keep(&mut self, input: &[u8]) -> Status {
        if let Err(fault) = self.incoming.take(input) {
            self.refuse(fault);
        }
        self.status()
    }

    /// Looks whether responders have answered; with `wait` until they have, or were given the time they may take. Then
    /// [`Session::feed`] without input goes on, or the alert is to be taken. Any thread, as with other calls.
    pub fn judge(&mut self, wait: bool) -> Status {
        let Some(context) = self.context.as_mut() else {
            return self.status();
        };
        let settled = match &mut context.pending {
            Some(pending) if wait => Some(pending.wait()),
            Some(pending) => pending.poll(),
            None => None,
        };
        if let Some(settled) = settled {
            context.pending = None;
            let mut verdict = context.verdict.take().unwrap_or_default();
            let good = settled.is_ok();
            verdict.settle(settled);
            if good {
                context.verdict = Some(verdict);
            } else {
                self.refuse_client(verdict);
            }
        }
        self.status()
    }

    fn refuse_client(&mut self, verdict: Verdict) {
        let error = refusal(verdict.reason);
        let leaf = self
            .peer_certificates()
            .next()
            .map(|leaf| CertificateDer::from(leaf.to_vec()));
        if let Some(context) = &mut self.context {
            context.refused = leaf;
            context.resumption.client = None;
            context.verdict = Some(verdict);
        }
        self.unread.clear();
        self.incoming.clear();
        let alert = match &error {
            Error::InvalidCertificate(fault) => AlertDescription::from(fault.clone()),
            other => describe::alert_for(other),
        };
        if self.tls.as_ref().is_some_and(is_tls12) {
            // Nothing of what we have encrypted was sent, so that the client takes what comes in the clear.
            self.outgoing.clear();
            self.outgoing.extend_from_slice(&plain_alert(alert));
        } else {
            self.encrypt_alert(alert);
        }
        metrics::count(choose::alert(alert, true));
        self.refused = true;
        self.failure = Some(error);
    }

    /// RFC 8446 6: level fatal(2) and the description. See `transcript.rs` for how data becomes an alert.
    fn encrypt_alert(&mut self, alert: AlertDescription) {
        let Some(mut tls) = self.tls.take() else {
            return;
        };
        let mut context = self.context.take();
        if let Some(context) = &mut context {
            context.alerting = true;
        }
        let mut record = Vec::new();
        context::enter(&mut context, || {
            self.write(&mut tls, &mut |traffic, owed| {
                record.extend_from_slice(owed);
                let start = record.len();
                record.resize(start + ALERT_RECORD, 0);
                let sealed = record
                    .get_mut(start..)
                    .map(|space| traffic.encrypt(&[2, u8::from(alert)], space));
                let written = match sealed {
                    Some(Ok(Some(written))) => written,
                    _ => 0,
                };
                record.truncate(start + written);
            });
        });
        self.context = context;
        self.tls = Some(tls);
        self.outgoing.append(&mut record);
        self.unread.clear();
    }
}
