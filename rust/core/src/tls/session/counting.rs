// SPDX-License-Identifier: Apache-2.0
//! What is counted of a connection.

use std::time::Duration;

use rustls::{AlertDescription, CertificateError, Error};

use super::Session;
use crate::backend::{self, Ending};
use crate::ech;
use crate::metrics::choose::{self, Settled, class};
use crate::metrics::{self, Counter, Histogram};
use crate::tls::describe;
use crate::tls::engine::RustlsConnection;
use crate::verify::Outcome;

impl Session {
    /// Counts bytes that came from the network.
    pub(super) fn count_received(&self, bytes: usize, records: u64) {
        let [from, to] = if self.is_outgoing() {
            [Counter::ReceivedFromBackends, Counter::RecordsFromBackends]
        } else {
            [Counter::ReceivedFromClients, Counter::RecordsFromClients]
        };
        add(from, bytes as u64);
        add(to, records);
    }

    /// Counts bytes that go to the network.
    pub(super) fn count_sent(&self, bytes: usize, records: u64) {
        let [bytes_of, records_of] = if self.is_outgoing() {
            [Counter::SentToBackends, Counter::RecordsToBackends]
        } else {
            [Counter::SentToClients, Counter::RecordsToClients]
        };
        add(bytes_of, bytes as u64);
        add(records_of, records);
    }

    /// Counts a handshake with a client that is complete, and took so long; `host` is the virtual host's number among those
    /// that are counted apart.
    pub fn count_completed(&self, took: Duration, host: u32) {
        let facts = self.facts();
        let settled = Settled {
            version: facts.version,
            suite: facts.suite,
            group: facts.group,
            scheme: facts.signature_scheme,
            alpn: facts.alpn,
            resumed: facts.resumed,
        };
        let client = match self.verdict().outcome {
            Outcome::None => Counter::ClientNone,
            Outcome::Success => Counter::ClientSuccess,
            Outcome::Unverified => Counter::ClientUnverified,
            Outcome::Failed => Counter::ClientFailed,
        };
        choose::completed(&settled, client).for_each(metrics::count);
        if let Some(offer) = of_offer(self.ech_outcome()) {
            metrics::count(offer);
        }
        metrics::observe(Histogram::Handshake, took);
        metrics::count_host(host, true);
    }

    /// Counts how the handshake of an outgoing connection ended. Once per connection.
    pub fn count_backend(&self, ending: Ending) {
        metrics::count(match self.lacks_post_quantum() {
            true => Counter::BackendPostQuantum,
            false => backend::counter(ending, self.failure()),
        });
    }

    /// The class of the failure, for lines and counters; 0 where there is none.
    pub fn failure_kind(&self) -> u8 {
        match (self.failure(), self.context()) {
            (Some(_), Some(context)) if context.not_signed => class::NOT_SIGNED,
            (Some(_), _) if self.lacks_post_quantum() => class::NO_POST_QUANTUM,
            (Some(_), _) if self.fault.is_some() => self.fault.map_or(0, describe::kind_of_fault),
            (error, _) => error.map_or(0, describe::kind),
        }
    }

    /// Counts the alert by which a connection with a client ends. What was sent in the clear is seen in its record;
    /// what was encrypted follows from the error.
    pub(super) fn count_alert(&self, tls: &RustlsConnection) {
        if matches!(tls, RustlsConnection::Client(_)) {
            return;
        }
        if let Some(alert) = self.alert_received() {
            metrics::count(choose::alert(alert, false));
            return;
        }
        let sent = match self.outgoing.last_chunk() {
            Some([21, 3, _, 0, 2, 2, description]) => Some(AlertDescription::from(*description)),
            _ => self.failure().map(owed),
        };
        if let Some(alert) = sent {
            metrics::count(choose::alert(alert, true));
        }
    }
}

fn of_offer(outcome: ech::Outcome) -> Option<Counter> {
    match outcome {
        ech::Outcome::NotTried => None,
        ech::Outcome::Grease => Some(Counter::EchGrease),
        ech::Outcome::Failed => Some(Counter::EchRejected),
        ech::Outcome::Accepted => Some(Counter::EchAccepted),
    }
}

fn add(counter: Counter, amount: u64) {
    if amount > 0 {
        metrics::add(counter, amount);
    }
}

/// The alert that rustls sends for an error.
fn owed(error: &Error) -> AlertDescription {
    match error {
        Error::DecryptError => AlertDescription::BadRecordMac,
        Error::PeerSentOversizedRecord => AlertDescription::RecordOverflow,
        Error::NoApplicationProtocol => AlertDescription::NoApplicationProtocol,
        Error::NoCertificatesPresented => AlertDescription::CertificateRequired,
        Error::InvalidCertificate(why) => match why {
            CertificateError::Other(_) => AlertDescription::CertificateUnknown,
            why => AlertDescription::from(why.clone()),
        },
        error => describe::alert_for(error),
    }
}
