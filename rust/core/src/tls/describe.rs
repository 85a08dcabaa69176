// SPDX-License-Identifier: Apache-2.0
//! Words for log lines. Nothing a peer sent gets into them unescaped.

use rustls::{
    AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible, PeerMisbehaved,
};

use super::hello::Hello;
use crate::hex;
use crate::metrics::choose::class;

/// A protocol name of ALPN as text; `None` where it holds anything but printable ASCII.
pub fn alpn(name: &[u8]) -> Option<String> {
    let printable = !name.is_empty() && name.iter().all(|b| b.is_ascii_graphic());
    printable.then(|| name.iter().map(|b| char::from(*b)).collect())
}

/// What the client offered, for a log line: `TLS1.3,TLS1.2; ALPN h2,http/1.1`.
pub fn offered(hello: &Hello) -> String {
    let fallback = [hello.legacy_version];
    let versions = if hello.versions.is_empty() {
        &fallback[..]
    } else {
        &hello.versions
    };
    let known = [0x0304, 0x0303, 0x0302, 0x0301, 0x0300];
    let versions: Vec<_> = known
        .into_iter()
        .filter(|v| versions.contains(v))
        .filter_map(version)
        .collect();
    let names: Vec<_> = hello.alpn.iter().take(4).map(|n| shown(n)).collect();
    let alpn = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(",")
    };
    format!(
        "{}; ALPN {alpn}",
        if versions.is_empty() {
            "no known version".to_owned()
        } else {
            versions.join(",")
        }
    )
}

/// The longest name of a protocol that a log line has room for; the longest one that is registered has 20 letters.
const LONGEST_SHOWN: usize = 32;

fn shown(name: &[u8]) -> String {
    alpn(name)
        .filter(|text| text.len() <= LONGEST_SHOWN)
        .unwrap_or_else(|| hex::prefixed(name.get(..16).unwrap_or(name)))
}

fn version(number: u16) -> Option<&'static str> {
    match number {
        0x0304 => Some("TLS1.3"),
        0x0303 => Some("TLS1.2"),
        0x0302 => Some("TLS1.1"),
        0x0301 => Some("TLS1.0"),
        0x0300 => Some("SSL3"),
        _ => None,
    }
}

/// Why a client fails that offers nothing newer than `newest`, where nothing older than `oldest` is spoken.
pub fn too_old(newest: u16, oldest: u16) -> String {
    let name = |number| match version(number) {
        Some(name) => name.replace("TLS", "TLS "),
        None => "SSL 2".to_owned(),
    };
    format!(
        "the client offers at most {}, and the oldest version that is enabled here is {}",
        name(newest),
        name(oldest)
    )
}

/// Whether the handshake failed because no certificate fits what the client offers. rustls asks for one before it
/// looks for a cipher suite, and says so in words alone (0.23: server/hs.rs).
pub fn nothing_in_common(error: &Error) -> bool {
    matches!(error, Error::General(text) if text == "no server certificate chain resolved")
}

/// Why a client fails that has no post-quantum group where one is demanded.
pub const LACKS_POST_QUANTUM: &str =
    "the client offers no post-quantum group, and one is demanded here";

/// What lets it in.
pub const LACKS_POST_QUANTUM_REMEDY: &str =
    "TLSPostQuantum prefer (SSLPostQuantum prefer) serves clients without one, too";

/// What to do about a backend that may have none.
pub const BACKEND_LACKS_POST_QUANTUM_REMEDY: &str = "it is offered post-quantum groups alone, which it may not have: TLSProxyPostQuantum prefer (SSLProxyPostQuantum \
     prefer) connects without one, too";

/// Whether a backend may have failed for want of a group that it shares with us.
pub fn disagrees_on_groups(error: &Error) -> bool {
    matches!(
        error,
        Error::AlertReceived(
            AlertDescription::HandshakeFailure
                | AlertDescription::InsufficientSecurity
                | AlertDescription::ProtocolVersion
        ) | Error::PeerIncompatible(_)
            | Error::PeerMisbehaved(
                PeerMisbehaved::SelectedUnofferedKxGroup
                    | PeerMisbehaved::IllegalHelloRetryRequestWithUnofferedNamedGroup
                    | PeerMisbehaved::WrongGroupForKeyShare
            )
    )
}

/// What rustls calls `why`, as words: its names are sentences without spaces. What it adds (numbers, names, pieces of
/// what the peer sent) is left out.
fn words(why: &impl std::fmt::Debug) -> String {
    let text = format!("{why:?}");
    let names = text.split(|c: char| !c.is_ascii_alphanumeric());
    let outer = names.take(1).collect::<String>();
    snake(&outer).replace('_', " ")
}

/// `UnknownCA` as the RFCs write it: `unknown_ca`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut before = '_';
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let next_small = letters.peek().is_some_and(char::is_ascii_lowercase);
        let starts = letter.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (next_small && before != '_'));
        if starts {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
        before = letter;
    }
    out
}

/// The alert for an error for which rustls has none.
pub fn alert_for(error: &Error) -> AlertDescription {
    match error {
        Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge) => {
            AlertDescription::IllegalParameter
        }
        Error::InvalidMessage(_) => AlertDescription::DecodeError,
        Error::PeerMisbehaved(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. } => AlertDescription::UnexpectedMessage,
        Error::PeerIncompatible(_) => AlertDescription::HandshakeFailure,
        _ => AlertDescription::InternalError,
    }
}

/// Why a connection failed, in plain words.
pub fn failure(error: &Error) -> String {
    match error {
        Error::AlertReceived(AlertDescription::EncryptedClientHelloRequired) => {
            "the client encrypted its hello for a key that is not loaded here (alert ech_required)"
                .to_owned()
        }
        Error::AlertReceived(alert) => {
            format!("the client gave up with alert {}", alert_name(*alert))
        }
        Error::PeerIncompatible(why) => incompatible(why),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what the client sent is not TLS".to_owned()
        }
        Error::InvalidMessage(why) => {
            format!("the client sent a malformed message ({})", words(why))
        }
        // Where it is a backend: rustls names no such scheme in TLS 1.2, and OpenSSL has no other for such a key.
        Error::PeerMisbehaved(PeerMisbehaved::SignedKxWithWrongAlgorithm) => {
            "its key is for RSASSA-PSS alone, which is had in TLS 1.3 alone: let it speak TLS 1.3, or give it another key"
                .to_owned()
        }
        Error::PeerMisbehaved(why) => format!("the client broke the protocol ({})", words(why)),
        Error::DecryptError => "a record did not decrypt".to_owned(),
        Error::NoApplicationProtocol => {
            "none of the client's ALPN protocols is served here".to_owned()
        }
        Error::InvalidCertificate(CertificateError::UnsupportedSignatureAlgorithmContext {
            ..
        }) => "the key of the client's certificate is of a kind that cannot be used here".to_owned(),
        Error::InvalidCertificate(CertificateError::BadSignature) => {
            "what the client signed does not verify by the key of its certificate".to_owned()
        }
        Error::InvalidCertificate(why) => {
            format!("the client's certificate is refused ({})", words(why))
        }
        Error::NoCertificatesPresented => "the client sent no certificate".to_owned(),
        Error::PeerSentOversizedRecord => "the client sent a record over the limit".to_owned(),
        error if nothing_in_common(error) => {
            "no cipher suite or signature algorithm in common with the client".to_owned()
        }
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "the client sent a message that may not come here".to_owned()
        }
        Error::General(text) => text.clone(),
        other => words(other),
    }
}

/// The class of a cause, below 64. A peer chooses among them, but makes up none.
pub fn kind(error: &Error) -> u8 {
    match error {
        Error::AlertReceived(AlertDescription::Unknown(_)) => 1,
        Error::AlertReceived(
            AlertDescription::CertificateUnknown | AlertDescription::UnknownCA,
        ) => 2,
        Error::AlertReceived(AlertDescription::BadCertificate) => 3,
        Error::AlertReceived(AlertDescription::CertificateExpired) => 4,
        Error::AlertReceived(AlertDescription::HandshakeFailure) => 5,
        Error::AlertReceived(AlertDescription::ProtocolVersion) => 6,
        Error::AlertReceived(AlertDescription::EncryptedClientHelloRequired) => class::ECH_REQUIRED,
        Error::AlertReceived(_) => 7,
        Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon) => 8,
        Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon) => 9,
        Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered) => 10,
        Error::PeerIncompatible(_) => 11,
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => 12,
        Error::InvalidMessage(_) => 13,
        Error::PeerMisbehaved(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. } => 14,
        Error::DecryptError => 15,
        Error::NoApplicationProtocol => 16,
        Error::InvalidCertificate(_) => 17,
        Error::NoCertificatesPresented => 18,
        Error::PeerSentOversizedRecord => 19,
        error if nothing_in_common(error) => 20,
        Error::General(_) => 21,
        _ => 22,
    }
}

/// The class of a fault that we found ourselves, by what the client is told of it.
pub(crate) fn kind_of_fault(alert: AlertDescription) -> u8 {
    match alert {
        AlertDescription::InappropriateFallback => 11,
        AlertDescription::DecodeError => 13,
        AlertDescription::InternalError => 22,
        _ => 14,
    }
}

/// What the administrator can do about it; empty where that is nothing.
pub fn remedy(error: &Error) -> &'static str {
    use AlertDescription as Alert;
    match error {
        Error::AlertReceived(
            Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::UnsupportedCertificate,
        ) => {
            "It does not accept the certificate: check that its file holds the whole chain, and its names and dates"
        }
        Error::AlertReceived(Alert::EncryptedClientHelloRequired) => {
            "It comes again with a key of ours; DNS should name that one: see \"apachectl -t -D DUMP_TLS_ECH\""
        }
        Error::AlertReceived(_) => "What it did not like stands in its own log",
        Error::PeerIncompatible(why) => match why {
            PeerIncompatible::NoCipherSuitesInCommon => SUITES,
            PeerIncompatible::NoKxGroupsInCommon => {
                "Those served are listed in TLSGroups (SSLOpenSSLConfCmd Curves)"
            }
            PeerIncompatible::NoSignatureSchemesInCommon => {
                "A second certificate with a key of another kind (RSA beside ECDSA) would serve it too"
            }
            PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired => {
                "Those served are named by TLSProtocol (SSLProtocol); older clients need an update"
            }
            _ => "",
        },
        Error::InvalidCertificate(CertificateError::BadSignature) => {
            "Its key and its certificate do not belong together, or it signs in a way that the kind or the size of the key \
             does not allow: it needs a new pair"
        }
        Error::InvalidCertificate(CertificateError::UnsupportedSignatureAlgorithmContext {
            ..
        }) => {
            "It needs a new one, for a key of RSA, of ECDSA on P-256, P-384 or P-521 (by the curve's name, not with its \
             parameters spelled out), of Ed25519 or of ML-DSA"
        }
        Error::InvalidCertificate(_) => {
            "Accepted are certificates of the authorities in TLSClientCA (SSLCACertificateFile)"
        }
        Error::NoCertificatesPresented => {
            "TLSClientCertificate optional (SSLVerifyClient optional) lets clients without one in"
        }
        Error::DecryptError => {
            "Something between client and server changes what they send, or the client is broken"
        }
        error if nothing_in_common(error) => SUITES,
        _ => "",
    }
}

const SUITES: &str = "TLSCiphersSuppress (SSLCipherSuite) or TLSSignatureAlgorithms may leave out too much, or the client \
                      is old; one that takes no ECDSA needs a second certificate with an RSA key";

/// Why an outgoing connection failed, in plain words.
pub fn backend_failure(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::Other(why)) => why.to_string(),
        Error::InvalidCertificate(why) => format!("its certificate is refused ({})", words(why)),
        Error::NoApplicationProtocol => {
            "it speaks none of the protocols that were offered".to_owned()
        }
        other => failure(other).replace("the client", "the backend"),
    }
}

/// What to do about it; empty where nothing is known. What refuses certificates says it in the cause.
pub fn backend_remedy(error: &Error) -> &'static str {
    match error {
        Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::AccessDenied,
        ) => {
            "it wants a client certificate, or another one than it was shown: see TLSProxyMachineCertificate and \
             SSLProxyMachineCertificateFile"
        }
        Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            "it does not serve the name of the request: see ProxyPreserveHost"
        }
        Error::AlertReceived(AlertDescription::ProtocolVersion)
        | Error::PeerIncompatible(
            PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::ServerDoesNotSupportTls12Or13,
        ) => "it needs TLS 1.2 or 1.3, whichever TLSProxyProtocol or SSLProxyProtocol allows",
        Error::AlertReceived(AlertDescription::HandshakeFailure) | Error::PeerIncompatible(_) => {
            "it needs forward secrecy with AES-GCM or ChaCha20 and a group of TLSProxyGroups, and may want a client \
             certificate"
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "is it a port of TLS? Without it the URL begins with http:, ws: or h2c:"
        }
        _ => "",
    }
}

fn incompatible(why: &PeerIncompatible) -> String {
    match why {
        PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled
        | PeerIncompatible::Tls13RequiredForQuic
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
            "the client speaks no protocol version that is enabled here".to_owned()
        }
        PeerIncompatible::NoCipherSuitesInCommon => {
            "no cipher suite in common with the client".to_owned()
        }
        PeerIncompatible::NoKxGroupsInCommon => {
            "no key exchange group in common with the client".to_owned()
        }
        PeerIncompatible::SignatureAlgorithmsExtensionRequired => {
            "the client names no signature algorithms, as clients do that know none newer than SHA-1".to_owned()
        }
        PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => {
            "no signature algorithm in common with the client".to_owned()
        }
        other => format!("the client cannot do what is needed here ({})", words(other)),
    }
}

fn alert_name(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::Unknown(number) => format!("number {number}"),
        known => snake(&format!("{known:?}")),
    }
}

#[cfg(test)]
#[path = "describe_tests.rs"]
mod tests;
