// SPDX-License-Identifier: Apache-2.0
//! Which counter is meant: by the numbers on the wire, and by what went wrong.

use rustls::{AlertDescription, SignatureAlgorithm};

use super::table::Counter;

/// The kinds of failure that C++ finds; their numbers are those of the bridge's `Cause`.
pub mod cause {
    #![allow(missing_docs, reason = "the bridge explains them")]
    pub const ENDED: u8 = 64;
    pub const TIMED_OUT: u8 = 65;
    pub const CLOSED_EARLY: u8 = 66;
    pub const CLOSED: u8 = 67;
    pub const SSLV2: u8 = 68;
    pub const NOT_TLS: u8 = 69;
    pub const UNKNOWN_NAME: u8 = 70;
    pub const NO_PROTOCOL: u8 = 71;
    pub const PROTOCOL_FAILED: u8 = 72;
    pub const NO_SESSION: u8 = 73;
    pub const PLAIN_HTTP: u8 = 74;
    pub const LIMIT: u8 = 75;
}

/// Classes of failures that no number of [`describe`](crate::tls::describe) is taken for by its place.
pub mod class {
    /// The handshake could not be signed.
    pub const NOT_SIGNED: u8 = 23;
    /// For want of a post-quantum group.
    pub const NO_POST_QUANTUM: u8 = 24;
    /// The client's key of Encrypted ClientHello is not ours.
    pub const ECH_REQUIRED: u8 = 25;
}

/// Counts a handshake with a client that failed of `kind`, in all and for the virtual host of that number.
pub fn count_failed(kind: u8, host: u32) {
    super::count(failure(kind));
    super::count_host(host, false);
}

/// Failures that say nothing of clients who mean it: scanners, floods that a limit refused, and httpd's own stop.
pub const NOISE: &[Counter] = &[
    Counter::FailedNotTls,
    Counter::FailedPlainHttp,
    Counter::FailedSslv2,
    Counter::FailedUnknownName,
    Counter::FailedClosedEarly,
    Counter::FailedStopping,
    Counter::FailedLimit,
];

/// Of a failed handshake: `kind` is one of [`kind`](crate::tls::describe::kind) or of [`cause`].
pub fn failure(kind: u8) -> Counter {
    match kind {
        2..=4 => Counter::FailedCertificateRejected,
        1 | 5..=7 | class::ECH_REQUIRED => Counter::FailedAlert,
        8 => Counter::FailedSuite,
        9 => Counter::FailedGroup,
        10 => Counter::FailedVersion,
        11 => Counter::FailedIncompatible,
        12 | cause::NOT_TLS => Counter::FailedNotTls,
        13 => Counter::FailedMalformed,
        14 => Counter::FailedMisbehaved,
        15 => Counter::FailedDecrypt,
        16 | cause::NO_PROTOCOL => Counter::FailedAlpn,
        17 => Counter::FailedClientCertificate,
        18 => Counter::FailedNoClientCertificate,
        19 => Counter::FailedOversized,
        20 => Counter::FailedSelection,
        class::NOT_SIGNED => Counter::FailedSignature,
        class::NO_POST_QUANTUM => Counter::FailedPostQuantum,
        cause::ENDED => Counter::FailedStopping,
        cause::TIMED_OUT => Counter::FailedTimeout,
        cause::CLOSED_EARLY => Counter::FailedClosedEarly,
        cause::CLOSED => Counter::FailedClosed,
        cause::SSLV2 => Counter::FailedSslv2,
        cause::UNKNOWN_NAME => Counter::FailedUnknownName,
        cause::PROTOCOL_FAILED | cause::NO_SESSION => Counter::FailedInternal,
        cause::PLAIN_HTTP => Counter::FailedPlainHttp,
        cause::LIMIT => Counter::FailedLimit,
        _ => Counter::FailedOther,
    }
}

/// What a handshake with a client settled: IANA numbers, 0 for none.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// As on the wire.
    pub version: u16,
    /// Cipher suite.
    pub suite: u16,
    /// Group of the key exchange.
    pub group: u16,
    /// Scheme of the server's signature.
    pub scheme: u16,
    /// ALPN's answer; empty for none.
    pub alpn: Vec<u8>,
    /// A session was resumed.
    pub resumed: bool,
}

/// Those of a completed handshake; `client` is the counter of what was found of the client's certificate.
pub fn completed(facts: &Settled, client: Counter) -> impl Iterator<Item = Counter> + use<> {
    let kind = match (facts.version, facts.resumed) {
        (0x0304, false) => Counter::FullTls13,
        (0x0304, true) => Counter::ResumedTls13,
        (_, false) => Counter::FullTls12,
        (_, true) => Counter::ResumedTls12,
    };
    let all = [
        kind,
        group(facts.group),
        suite(facts.suite),
        alpn(&facts.alpn),
        client,
    ];
    let signed = (!facts.resumed).then(|| scheme(facts.scheme));
    all.into_iter().chain(signed)
}

/// IANA "TLS Supported Groups".
fn group(number: u16) -> Counter {
    match number {
        0 => Counter::GroupNone,
        0x11EC => Counter::GroupX25519Mlkem768,
        0x11EB => Counter::GroupP256Mlkem768,
        0x11ED => Counter::GroupP384Mlkem1024,
        0x0201 => Counter::GroupMlkem768,
        0x0202 => Counter::GroupMlkem1024,
        0x001D => Counter::GroupX25519,
        0x0017 => Counter::GroupP256,
        0x0018 => Counter::GroupP384,
        _ => Counter::GroupOther,
    }
}

/// IANA "TLS Cipher Suites".
fn suite(number: u16) -> Counter {
    match number {
        0x1301 => Counter::SuiteAes128,
        0x1302 => Counter::SuiteAes256,
        0x1303 => Counter::SuiteChaCha,
        0xC02B => Counter::SuiteEcdsaAes128,
        0xC02C => Counter::SuiteEcdsaAes256,
        0xCCA9 => Counter::SuiteEcdsaChaCha,
        0xC02F => Counter::SuiteRsaAes128,
        0xC030 => Counter::SuiteRsaAes256,
        0xCCA8 => Counter::SuiteRsaChaCha,
        _ => Counter::SuiteOther,
    }
}

fn alpn(name: &[u8]) -> Counter {
    match name {
        b"" => Counter::AlpnNone,
        b"h2" => Counter::AlpnH2,
        b"http/1.1" => Counter::AlpnHttp1,
        b"acme-tls/1" => Counter::AlpnAcme,
        _ => Counter::AlpnOther,
    }
}

/// IANA "TLS SignatureScheme".
fn scheme(number: u16) -> Counter {
    match number {
        0x0403 => Counter::SchemeEcdsaP256,
        0x0503 => Counter::SchemeEcdsaP384,
        0x0603 => Counter::SchemeEcdsaP521,
        0x0807 => Counter::SchemeEd25519,
        0x0804 => Counter::SchemePss256,
        0x0805 => Counter::SchemePss384,
        0x0806 => Counter::SchemePss512,
        0x0904 => Counter::SchemeMlDsa44,
        0x0905 => Counter::SchemeMlDsa65,
        0x0906 => Counter::SchemeMlDsa87,
        0x0401 => Counter::SchemePkcs256,
        0x0501 => Counter::SchemePkcs384,
        0x0601 => Counter::SchemePkcs512,
        _ => Counter::SchemeOther,
    }
}

/// Of a signature that was made, or was not.
pub fn signature(key: SignatureAlgorithm, made: bool) -> Counter {
    match (key, made) {
        (SignatureAlgorithm::RSA, true) => Counter::SignedRsa,
        (SignatureAlgorithm::RSA, false) => Counter::UnsignedRsa,
        (SignatureAlgorithm::ED25519, true) => Counter::SignedEdwards,
        (SignatureAlgorithm::ED25519, false) => Counter::UnsignedEdwards,
        (SignatureAlgorithm::ECDSA, true) => Counter::SignedEcdsa,
        (SignatureAlgorithm::ECDSA, false) => Counter::UnsignedEcdsa,
        (_, true) => Counter::SignedOther,
        (_, false) => Counter::UnsignedOther,
    }
}

macro_rules! alerts {
    ($($name:ident $sent:ident $received:ident)*) => {
        /// Of an alert.
        pub fn alert(alert: AlertDescription, sent: bool) -> Counter {
            match (alert, sent) {
                $((AlertDescription::$name, true) => Counter::$sent,
                (AlertDescription::$name, false) => Counter::$received,)*
                (_, true) => Counter::SentOther,
                (_, false) => Counter::ReceivedOther,
            }
        }
    };
}

alerts! {
    UnexpectedMessage SentUnexpectedMessage ReceivedUnexpectedMessage
    BadRecordMac SentBadRecordMac ReceivedBadRecordMac
    RecordOverflow SentRecordOverflow ReceivedRecordOverflow
    HandshakeFailure SentHandshakeFailure ReceivedHandshakeFailure
    BadCertificate SentBadCertificate ReceivedBadCertificate
    UnsupportedCertificate SentUnsupportedCertificate ReceivedUnsupportedCertificate
    CertificateRevoked SentCertificateRevoked ReceivedCertificateRevoked
    CertificateExpired SentCertificateExpired ReceivedCertificateExpired
    CertificateUnknown SentCertificateUnknown ReceivedCertificateUnknown
    IllegalParameter SentIllegalParameter ReceivedIllegalParameter
    UnknownCA SentUnknownCa ReceivedUnknownCa
    AccessDenied SentAccessDenied ReceivedAccessDenied
    DecodeError SentDecodeError ReceivedDecodeError
    DecryptError SentDecryptError ReceivedDecryptError
    ProtocolVersion SentProtocolVersion ReceivedProtocolVersion
    InternalError SentInternalError ReceivedInternalError
    InappropriateFallback SentInappropriateFallback ReceivedInappropriateFallback
    MissingExtension SentMissingExtension ReceivedMissingExtension
    UnrecognisedName SentUnrecognizedName ReceivedUnrecognizedName
    CertificateRequired SentCertificateRequired ReceivedCertificateRequired
    NoApplicationProtocol SentNoApplicationProtocol ReceivedNoApplicationProtocol
    EncryptedClientHelloRequired SentEchRequired ReceivedEchRequired
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::FAMILIES;

    fn values(counter: Counter) -> Vec<&'static str> {
        let series = FAMILIES.iter().flat_map(|family| family.series);
        let mut found = series.filter(|series| series.counter == counter);
        found.next().unwrap().values.to_vec()
    }

    #[test]
    fn a_handshake_counts_once_in_each_family() {
        let facts = Settled {
            version: 0x0304,
            suite: 0x1302,
            group: 0x11EC,
            scheme: 0x0804,
            alpn: b"h2".to_vec(),
            ..Settled::default()
        };
        let labels: Vec<_> = completed(&facts, Counter::ClientSuccess)
            .flat_map(values)
            .collect();
        let expected = [
            "TLSv1.3",
            "full",
            "X25519MLKEM768",
            "TLS_AES_256_GCM_SHA384",
            "h2",
            "success",
            "rsa_pss_rsae_sha256",
        ];
        assert_eq!(labels, expected);
        let again = Settled {
            resumed: true,
            ..facts
        };
        assert_eq!(
            completed(&again, Counter::ClientNone).count(),
            5,
            "nothing was signed"
        );
    }

    #[test]
    fn what_a_client_makes_up_is_other() {
        assert_eq!(alpn(b"x-made-up"), Counter::AlpnOther);
        assert_eq!(
            alert(AlertDescription::Unknown(200), false),
            Counter::ReceivedOther
        );
        assert_eq!(failure(63), Counter::FailedOther);
    }
}
