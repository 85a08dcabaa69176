//! OCSP responses to staple (RFC 6960): only one that a client would believe is ever sent.
//!
//! The file comes from whoever renews it, and the server's own certificate is at stake, so a response is judged as a
//! client judges it: it is about this certificate, says `good`, is of now, and is signed by the certificate's issuer or
//! by a responder that the issuer named.

use std::fmt;

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

use super::chain::date;
use crate::verify::keys::{Signed, key_of};
use crate::x509::der::{
    BIT_STRING, ENUMERATED, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, context,
};
use crate::x509::outline::public_key_bits;
use crate::x509::time::{GENERALIZED_TIME, Time};
use crate::x509::{Certificate, objects};

/// `certStatus`, a CHOICE of implicit tags 0 to 2.
const GOOD: u8 = 0x80;
const REVOKED: u8 = 0xa1;

const SHA1: &str = "1.3.14.3.2.26";
const SHA2_256: &str = "2.16.840.1.101.3.4.2.1";
const OCSP_BASIC: &str = "1.3.6.1.5.5.7.48.1.1";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";

/// Certificates of a response that are looked at.
const MOST_DELEGATES: usize = 8;

/// How far the clock of a responder may be ahead of ours.
const SKEW: i64 = 300;
/// RFC 6960 4.2.2.1 leaves open how long a response without `nextUpdate` is worth believing.
const WITHOUT_END: i64 = 24 * 3600;

/// A response that may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staple {
    /// As it is sent.
    pub der: Vec<u8>,
    /// Seconds since 1970 from which it is of use.
    pub from: i64,
    /// Seconds since 1970 up to which it is.
    pub until: i64,
}

impl Staple {
    /// Whether it may be sent at this time.
    pub fn is_of_use(&self, now: i64) -> bool {
        self.from - SKEW <= now && now < self.until
    }
}

/// Why a response is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is no response.
    Unreadable,
    /// The responder had nothing to say.
    Unsuccessful(u8),
    /// It is about other certificates.
    Foreign,
    /// The certificate is revoked.
    Revoked,
    /// The responder does not know the certificate.
    Unknown,
    /// It is valid from then on.
    Early(i64),
    /// It was valid until then.
    Late(i64),
    /// There is no certificate of the issuer to judge it by.
    NoIssuer,
    /// Who signed it may not.
    Signature,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Unreadable => f.write_str("it is no OCSP response in DER"),
            Refusal::Unsuccessful(status) => {
                write!(f, "it says only that the responder had no answer (status {status})")
            }
            Refusal::Foreign => f.write_str("it is about another certificate"),
            Refusal::Revoked => f.write_str(
                "it says that the certificate is revoked, and clients that ask will refuse it: have a new one issued",
            ),
            Refusal::Unknown => f.write_str("it says that the responder does not know the certificate"),
            Refusal::Early(from) => write!(f, "it is not valid before {}", date(*from)),
            Refusal::Late(until) => write!(f, "it was valid until {}", date(*until)),
            Refusal::NoIssuer => f.write_str(
                "the certificate of the issuer, by which it is verified, does not stand behind the server's own",
            ),
            Refusal::Signature => {
                f.write_str("it is not signed by the issuer of the certificate, nor by a responder that the issuer named")
            }
        }
    }
}

/// Judges `response` for the certificate `leaf`, which `issuer` issued (both DER).
///
/// # Errors
/// Why it must not be sent.
pub fn check(response: &[u8], leaf: &[u8], issuer: &[u8], now: i64) -> Result<Staple, Refusal> {
    let basic = basic_response(response)?;
    let leaf = Certificate::parse(leaf).ok_or(Refusal::Foreign)?;
    let issuer = Issuer::parse(issuer).ok_or(Refusal::NoIssuer)?;
    if leaf.issuer_der() != issuer.certificate.subject_der() {
        return Err(Refusal::NoIssuer);
    }
    let parsed = Basic::parse(basic).ok_or(Refusal::Unreadable)?;
    let single = parsed.about(&leaf, &issuer)?;
    if !parsed.signed_for(&issuer, now) {
        return Err(Refusal::Signature);
    }
    match single.status {
        GOOD => {}
        REVOKED => return Err(Refusal::Revoked),
        _ => return Err(Refusal::Unknown),
    }
    let staple = Staple {
        der: response.to_vec(),
        from: single.from,
        until: single.until,
    };
    match staple {
        _ if staple.from - SKEW > now => Err(Refusal::Early(staple.from)),
        _ if staple.until <= now => Err(Refusal::Late(staple.until)),
        _ => Ok(staple),
    }
}

/// RFC 6960 4.2.1: the BasicOCSPResponse of an OCSPResponse.
fn basic_response(response: &[u8]) -> Result<&[u8], Refusal> {
    let mut outer = Reader::new(response);
    let mut body = outer.enter(SEQUENCE).ok_or(Refusal::Unreadable)?;
    if !outer.at_end() {
        return Err(Refusal::Unreadable);
    }
    let status = body.expect(ENUMERATED).ok_or(Refusal::Unreadable)?;
    match status.value {
        [0] => {}
        [other] => return Err(Refusal::Unsuccessful(*other)),
        _ => return Err(Refusal::Unreadable),
    }
    let bytes = body.enter(context(0)).and_then(|mut r| r.enter(SEQUENCE));
    let mut bytes = bytes.ok_or(Refusal::Unreadable)?;
    let kind = bytes.expect(OID).and_then(|oid| objects::dotted(oid.value));
    if kind.as_deref() != Some(OCSP_BASIC) {
        return Err(Refusal::Unreadable);
    }
    let basic = bytes.expect(OCTET_STRING).ok_or(Refusal::Unreadable)?;
    Ok(basic.value)
}

/// Whether what was signed is of the key in `spki`.
fn is_by(signed: &Signed<'_>, spki: &[u8]) -> bool {
    key_of(spki).is_some_and(|key| signed.check(&key).is_ok())
}

/// A BasicOCSPResponse.
struct Basic<'a> {
    signed: Signed<'a>,
    responder: Responder<'a>,
    responses: Reader<'a>,
    certificates: Vec<&'a [u8]>,
}

enum Responder<'a> {
    Name(&'a [u8]),
    Key(&'a [u8]),
}

impl Responder<'_> {
    fn is(&self, certificate: &Certificate<'_>) -> bool {
        match self {
            Responder::Name(name) => certificate.subject_der() == *name,
            Responder::Key(hash) => public_key_bits(certificate.spki())
                .is_some_and(|bits| digest(&SHA1_FOR_LEGACY_USE_ONLY, bits).as_ref() == *hash),
        }
    }
}

/// What a response says of one certificate.
struct Single {
    status: u8,
    from: i64,
    until: i64,
}

struct Issuer<'a> {
    certificate: Certificate<'a>,
    key_bits: &'a [u8],
}

impl<'a> Issuer<'a> {
    fn parse(der: &'a [u8]) -> Option<Self> {
        let certificate = Certificate::parse(der)?;
        let key_bits = public_key_bits(certificate.spki())?;
        Some(Self {
            certificate,
            key_bits,
        })
    }
}

impl<'a> Basic<'a> {
    fn parse(input: &'a [u8]) -> Option<Self> {
        let signed = Signed::parse(input)?;
        let mut basic = Reader::new(input).enter(SEQUENCE)?;
        let mut data = basic.enter(SEQUENCE)?;
        basic.expect(SEQUENCE)?;
        basic.expect(BIT_STRING)?;
        let mut certificates = Vec::new();
        if let Some(mut list) = basic.enter(context(0)) {
            let mut list = list.enter(SEQUENCE)?;
            while let Some(certificate) = list.expect(SEQUENCE) {
                certificates.push(certificate.raw);
            }
        }
        data.enter(context(0)); // the version; there is only one
        let responder = match data.enter(context(1)) {
            Some(mut name) => Responder::Name(name.expect(SEQUENCE)?.raw),
            None => Responder::Key(data.enter(context(2))?.expect(OCTET_STRING)?.value),
        };
        data.expect(GENERALIZED_TIME)?;
        Some(Self {
            signed,
            responder,
            responses: data.enter(SEQUENCE)?,
            certificates,
        })
    }

    /// What is said about `leaf`.
    fn about(&self, leaf: &Certificate<'_>, issuer: &Issuer<'_>) -> Result<Single, Refusal> {
        let mut responses = self.responses;
        while !responses.at_end() {
            let single = responses
                .enter(SEQUENCE)
                .and_then(|r| single(r, leaf, issuer));
            if let Some(about_it) = single.ok_or(Refusal::Unreadable)? {
                return Ok(about_it);
            }
        }
        Err(Refusal::Foreign)
    }

    /// RFC 6960 4.2.2.2: signed by the issuer, or by who holds a certificate of the issuer for signing responses.
    fn signed_for(&self, issuer: &Issuer<'_>, now: i64) -> bool {
        if self.responder.is(&issuer.certificate) {
            return is_by(&self.signed, issuer.certificate.spki());
        }
        self.certificates.iter().take(MOST_DELEGATES).any(|der| {
            let delegate = Certificate::parse(der);
            delegate.is_some_and(|delegate| {
                self.responder.is(&delegate)
                    && is_delegate(&delegate, der, issuer, now)
                    && is_by(&self.signed, delegate.spki())
            })
        })
    }
}

fn is_delegate(delegate: &Certificate<'_>, der: &[u8], issuer: &Issuer<'_>, now: i64) -> bool {
    let time = |time: &Time| time.seconds();
    let in_time = time(&delegate.not_before()).is_some_and(|from| from - SKEW <= now)
        && time(&delegate.not_after()).is_some_and(|until| now <= until);
    in_time
        && delegate.issuer_der() == issuer.certificate.subject_der()
        && signs_responses(delegate)
        && Signed::parse(der).is_some_and(|signed| is_by(&signed, issuer.certificate.spki()))
}

fn signs_responses(certificate: &Certificate<'_>) -> bool {
    let usage = certificate
        .extensions()
        .find(|extension| extension.dotted == EXTENDED_KEY_USAGE);
    let Some(mut purposes) = usage.and_then(|usage| Reader::new(usage.value).enter(SEQUENCE))
    else {
        return false;
    };
    std::iter::from_fn(|| purposes.expect(OID))
        .any(|oid| objects::dotted(oid.value).as_deref() == Some(OCSP_SIGNING))
}

/// One SingleResponse: `None` where it cannot be read, `Some(None)` where it is about another certificate.
fn single(
    mut reader: Reader<'_>,
    leaf: &Certificate<'_>,
    issuer: &Issuer<'_>,
) -> Option<Option<Single>> {
    let about = is_about(reader.enter(SEQUENCE)?, leaf, issuer)?;
    let status = reader.any()?.tag;
    let from = time(&mut reader)?;
    let until = match reader.enter(context(0)) {
        Some(mut next) => time(&mut next)?,
        None => from + WITHOUT_END,
    };
    let single = Single {
        status,
        from,
        until,
    };
    Some(about.then_some(single))
}

fn is_about(mut id: Reader<'_>, leaf: &Certificate<'_>, issuer: &Issuer<'_>) -> Option<bool> {
    let algorithm = objects::dotted(id.enter(SEQUENCE)?.expect(OID)?.value)?;
    let name = id.expect(OCTET_STRING)?.value;
    let key = id.expect(OCTET_STRING)?.value;
    let serial = id.expect(INTEGER)?.value;
    let hash: &'static Algorithm = match algorithm.as_str() {
        SHA1 => &SHA1_FOR_LEGACY_USE_ONLY,
        SHA2_256 => &SHA256,
        _ => return Some(false),
    };
    Some(
        serial == leaf.serial
            && digest(hash, leaf.issuer_der()).as_ref() == name
            && digest(hash, issuer.key_bits).as_ref() == key,
    )
}

fn time(reader: &mut Reader<'_>) -> Option<i64> {
    Time::new(GENERALIZED_TIME, reader.expect(GENERALIZED_TIME)?.value).seconds()
}

#[cfg(test)]
#[path = "ocsp_tests.rs"]
mod tests;
