// SPDX-License-Identifier: Apache-2.0
//! What a certificate must be by itself, and what a path must be apart from names, policies and revocation
//! (RFC 5280, 6.1.3 and 6.1.4, with OpenSSL's readings where that leaves some).

use super::certificate::PathCertificate;
use super::keys::{Algorithm, Key};
use super::reason;
use crate::x509::uses::{
    CLIENT_AUTH, CRL_SIGN, DIGITAL_SIGNATURE, KEY_AGREEMENT, KEY_CERT_SIGN, KEY_ENCIPHERMENT,
    MS_SGC, NETSCAPE_SGC, SERVER_AUTH,
};

/// Bits of nsCertType.
const NS_CLIENT: u8 = 0x80;
const NS_SERVER: u8 = 0x40;
const NS_TLS_CA: u8 = 0x04;
const NS_ANY_CA: u8 = 0x07;

/// What the first certificate of a path has to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A TLS client.
    Client,
    /// A TLS server.
    Server,
    /// Signing revocation lists.
    Lists,
}

/// Where in a path a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// Beneath all others.
    First,
    /// Beneath one and above one.
    Between,
    /// The trusted one.
    Last,
    /// The only one of its path.
    Alone,
}

/// Whether it is a CA's (RFC 5280, 6.1.4 (k) and (n)). A trusted one may say so by what went for it once: a root of
/// version 1, a KeyUsage that lets it sign, Netscape's extension.
pub(crate) fn is_authority(certificate: &PathCertificate<'_>, trusted: bool) -> bool {
    if !certificate.allows(KEY_CERT_SIGN) {
        return false;
    }
    match certificate.basic {
        Some((authority, _)) => authority,
        None => {
            let old_root = certificate.outline.version == 1 && certificate.claims_own_signature();
            let netscape = certificate
                .netscape
                .is_some_and(|kinds| kinds & NS_ANY_CA != 0);
            trusted && (old_root || certificate.key_usage.is_some() || netscape)
        }
    }
}

/// Whether extended usages and Netscape's kind let it stand for `purpose` in a path, be it at its foot or above.
fn serves(certificate: &PathCertificate<'_>, purpose: Purpose, first: bool) -> bool {
    let (wanted, usage, netscape): (&[&[u8]], u16, u8) = match purpose {
        Purpose::Client => (&[CLIENT_AUTH], DIGITAL_SIGNATURE | KEY_AGREEMENT, NS_CLIENT),
        Purpose::Server => (
            &[SERVER_AUTH, MS_SGC, NETSCAPE_SGC],
            DIGITAL_SIGNATURE | KEY_ENCIPHERMENT | KEY_AGREEMENT,
            NS_SERVER,
        ),
        Purpose::Lists => return !first || certificate.allows(CRL_SIGN),
    };
    if !certificate.is_meant_for(wanted) {
        return false;
    }
    if first {
        return certificate.allows(usage)
            && certificate
                .netscape
                .is_none_or(|kinds| kinds & netscape != 0);
    }
    // Netscape's kind counts for a CA that is one by it alone.
    let by_netscape = certificate.basic.is_none()
        && certificate.key_usage.is_none()
        && !(certificate.outline.version == 1 && certificate.claims_own_signature());
    !by_netscape
        || certificate
            .netscape
            .is_some_and(|kinds| kinds & NS_TLS_CA != 0)
}

/// What is wrong with a certificate wherever a path leads: the first complaint in OpenSSL's order, dates last.
pub(crate) fn own_fault(
    certificate: &PathCertificate<'_>,
    position: Position,
    purpose: Purpose,
    now: i64,
) -> Option<&'static str> {
    let first = matches!(position, Position::First | Position::Alone);
    let trusted = matches!(position, Position::Last | Position::Alone);
    let Some(key) = Key::parse(&certificate.outline.spki) else {
        return Some(reason::NO_KEY);
    };
    if first && !key.is_strong() {
        return Some(reason::WEAK_KEY);
    }
    if let Some(fault) = certificate.fault {
        return Some(fault);
    }
    if !first && !is_authority(certificate, trusted) {
        return Some(reason::NOT_A_CA);
    }
    if !serves(certificate, purpose, first) {
        return Some(reason::PURPOSE);
    }
    if !first && !key.is_strong() {
        return Some(reason::CA_KEY);
    }
    if !trusted && !Algorithm::parse(&certificate.outline.algorithm).is_strong() {
        return Some(reason::CA_DIGEST);
    }
    certificate.outside(now)
}

/// RFC 5280, 6.1.4 (l) and (m): no more CAs beneath one than it says. Self-issued ones do not count. `path` has the
/// first certificate first.
pub(crate) fn check_lengths(path: &[&PathCertificate<'_>]) -> Result<(), &'static str> {
    let mut beneath = 0_u64;
    for certificate in path.iter().skip(1) {
        if let Some((_, Some(most))) = certificate.basic
            && beneath > most
        {
            return Err(reason::PATH_LENGTH);
        }
        if !certificate.is_self_issued() {
            beneath = beneath.saturating_add(1);
        }
    }
    Ok(())
}
