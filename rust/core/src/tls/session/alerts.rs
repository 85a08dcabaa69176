// SPDX-License-Identifier: Apache-2.0
//! Alerts of ours, and whether they go in the clear.

use rustls::AlertDescription;

use crate::metrics::{self, choose};
use crate::tls::engine::RustlsConnection;
use crate::tls::hello::Fault;

/// Version of TLS 1.2 (RFC 5246 A.1).
pub(super) const TLS12: u16 = 0x0303;

pub(super) const RENEGOTIATES: Fault = Fault {
    text: "the client begins with a renegotiation, though nothing was negotiated before",
    alert: AlertDescription::HandshakeFailure,
};

pub(super) const FALLS_BACK: Fault = Fault {
    text: "the client has tried a newer version before and offers an older one now, though the newer one is served: \
           something broke its first attempt, or somebody wants an older version to be used",
    alert: AlertDescription::InappropriateFallback,
};

/// RFC 8446 9.2; rustls says handshake_failure.
pub(super) const NOT_WHOLE: Fault = Fault {
    text: "the client's hello lacks an extension without which there is no TLS 1.3: key_share, supported_groups or \
           signature_algorithms",
    alert: AlertDescription::MissingExtension,
};

/// A fatal alert in the clear, for a handshake that we end before rustls has the word (RFC 8446 6).
pub(super) fn plain_alert(alert: AlertDescription) -> [u8; 7] {
    [21, 3, 3, 0, 2, 2, u8::from(alert)]
}

/// Counts an alert with which we end a handshake in the clear, and is the record that says it.
#[must_use]
pub fn refusal(alert: AlertDescription) -> [u8; 7] {
    metrics::count(choose::alert(alert, true));
    plain_alert(alert)
}

pub(super) fn is_tls12(tls: &RustlsConnection) -> bool {
    tls.common()
        .protocol_version()
        .is_some_and(|version| u16::from(version) == TLS12)
}

/// What we say goes in the clear: before ServerHello, or, with TLS 1.2, until the client has finished.
pub(super) fn is_plain(tls: &RustlsConnection) -> bool {
    tls.common().is_handshaking() && (tls.common().protocol_version().is_none() || is_tls12(tls))
}
