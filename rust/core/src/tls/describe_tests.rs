// SPDX-License-Identifier: Apache-2.0
//! What log lines say of peers.

use super::*;
use crate::metrics::Counter;
use crate::metrics::choose::failure as counter;

#[test]
fn nothing_unprintable_passes() {
    assert_eq!(alpn(b"h2").as_deref(), Some("h2"));
    assert_eq!(alpn(b"h\n2"), None);
    assert_eq!(alpn(b""), None);
    let hello = Hello {
        alpn: vec![b"\x1b[1m".to_vec()],
        versions: vec![0x0a0a, 0x0304],
        ..Hello::default()
    };
    assert_eq!(offered(&hello), "TLS1.3; ALPN 0x1b5b316d");
}

#[test]
fn old_clients_are_named_as_such() {
    let said =
        "the client offers at most TLS 1.1, and the oldest version that is enabled here is TLS 1.2";
    assert_eq!(too_old(0x0302, 0x0303), said);
    assert!(too_old(0x0300, 0x0304).starts_with("the client offers at most SSL3, and"));
}

#[test]
fn causes_are_plain_words() {
    assert_eq!(
        failure(&Error::AlertReceived(AlertDescription::UnknownCA)),
        "the client gave up with alert unknown_ca"
    );
    assert!(
        failure(&Error::PeerIncompatible(
            PeerIncompatible::NoCipherSuitesInCommon
        ))
        .contains("cipher suite")
    );
}

#[test]
fn no_alert_of_a_client_counts_as_a_fault_of_ours() {
    for number in 0..=255 {
        let error = Error::AlertReceived(AlertDescription::from(number));
        let counted = counter(kind(&error));
        assert!(
            [Counter::FailedCertificateRejected, Counter::FailedAlert].contains(&counted),
            "{error}: {counted:?}"
        );
    }
}
