// SPDX-License-Identifier: Apache-2.0
//! Answers: what they say, and whether it is to be believed.

use super::SKEW;
use super::about::{About, Matcher};
use super::fault::Fault;
use super::request::NONCE_ID;
use super::signer::{Responder, SignerCheck};
use crate::verify::signed::Signed;
use crate::verify::work::Work;
use crate::x509::der::{
    BIT_STRING, ENUMERATED, OCTET_STRING, OID, Reader, SEQUENCE, context, written,
};
use crate::x509::time::{GENERALIZED_TIME, Time};

/// `certStatus`, a CHOICE of implicit tags 0 to 2.
const GOOD: u8 = 0x80;
const REVOKED: u8 = 0xa1;

/// Content of id-pkix-ocsp-basic.
const OCSP_BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];

/// How answers are judged, as the configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How far clocks may differ, in seconds.
    pub skew: i64,
    /// How old an answer may be, in seconds, whatever it says itself.
    pub max_age: Option<i64>,
    /// Whether the signature is looked at.
    pub verify: bool,
    /// Certificates (DER) of responders whose word counts whoever issued them.
    pub responders: Vec<Vec<u8>>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            skew: SKEW,
            max_age: None,
            verify: true,
            responders: Vec::new(),
        }
    }
}

/// What is said of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is not revoked.
    Good,
    /// It is.
    Revoked {
        /// Seconds since 1970.
        when: i64,
        /// CRLReason (RFC 5280, 5.3.1); 0, unspecified, where none is given.
        reason: u8,
    },
    /// The responder does not know it.
    Unknown,
}

/// An answer that is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it says.
    pub status: Status,
    /// Since when, in seconds since 1970.
    pub from: i64,
    /// Until when there will be another; `None` where that is not said.
    pub until: Option<i64>,
}

/// Judges `response` about the certificate `leaf`, which `issuer` issued (both DER). With a `nonce` it must repeat that.
///
/// # Errors
/// Why nothing of it is believed.
pub fn judge(
    response: &[u8],
    leaf: &[u8],
    issuer: &[u8],
    nonce: Option<&[u8]>,
    rules: &Rules,
    now: i64,
) -> Result<Answer, Fault> {
    let basic = basic_response(response)?;
    let about = About::parse(leaf, issuer)?;
    let parsed = Basic::parse(basic).ok_or(Fault::Unreadable)?;
    let answer = parsed.about(&about.matcher())?;
    if !is_known(parsed.extensions).ok_or(Fault::Unreadable)? {
        return Err(Fault::Critical);
    }
    if nonce.is_some_and(|nonce| !parsed.repeats(nonce)) {
        return Err(Fault::Nonce);
    }
    let mut judge = SignerCheck {
        about: &about,
        trusted: &rules.responders,
        now,
        work: Work::default(),
    };
    if rules.verify
        && judge.allows(&parsed.signed, &parsed.responder, parsed.certificates) != Ok(true)
    {
        return Err(Fault::Signature);
    }
    answer.in_time(rules, now)
}

impl Answer {
    /// As OpenSSL's `OCSP_check_validity` has it.
    fn in_time(self, rules: &Rules, now: i64) -> Result<Self, Fault> {
        let (earliest, latest) = (
            now.saturating_sub(rules.skew),
            now.saturating_add(rules.skew),
        );
        if self.from > latest {
            return Err(Fault::Early(self.from));
        }
        if let Some(until) = self.until
            && (until < earliest || until < self.from)
        {
            return Err(Fault::Late(until));
        }
        match rules.max_age {
            Some(age) if self.from < now.saturating_sub(age) => Err(Fault::Old(self.from)),
            _ => Ok(self),
        }
    }
}

/// RFC 6960 4.2.1: the BasicOCSPResponse of an OCSPResponse.
fn basic_response(response: &[u8]) -> Result<&[u8], Fault> {
    let mut outer = Reader::new(response);
    let mut body = outer.enter(SEQUENCE).ok_or(Fault::Unreadable)?;
    if !outer.at_end() {
        return Err(Fault::Unreadable);
    }
    match body.take(ENUMERATED) {
        Some([0]) => {}
        Some([other]) => return Err(Fault::Unsuccessful(*other)),
        _ => return Err(Fault::Unreadable),
    }
    let bytes = body.enter(context(0)).and_then(|mut r| r.enter(SEQUENCE));
    let mut bytes = bytes.ok_or(Fault::Unreadable)?;
    if bytes.take(OID) != Some(OCSP_BASIC) {
        return Err(Fault::Unreadable);
    }
    bytes.take(OCTET_STRING).ok_or(Fault::Unreadable)
}

/// A BasicOCSPResponse.
struct Basic<'a> {
    signed: Signed<'a>,
    responder: Responder<'a>,
    responses: Reader<'a>,
    /// Content of the list of extensions.
    extensions: Reader<'a>,
    certificates: Reader<'a>,
}

impl<'a> Basic<'a> {
    fn parse(input: &'a [u8]) -> Option<Self> {
        let signed = Signed::parse(input)?;
        let mut basic = Reader::new(input).enter(SEQUENCE)?;
        let mut data = basic.enter(SEQUENCE)?;
        basic.require(SEQUENCE)?;
        basic.require(BIT_STRING)?;
        let certificates = match basic.enter(context(0)) {
            Some(mut list) => list.enter(SEQUENCE)?,
            None => Reader::new(&[]),
        };
        data.enter(context(0)); // the version; there is only one
        let responder = Responder::read(&mut data)?;
        data.require(GENERALIZED_TIME)?;
        let responses = data.enter(SEQUENCE)?;
        let extensions = match data.enter(context(1)) {
            Some(mut list) => list.enter(SEQUENCE)?,
            None => Reader::new(&[]),
        };
        Some(Self {
            signed,
            responder,
            responses,
            extensions,
            certificates,
        })
    }

    /// What is said about a certificate: the first that is.
    fn about(&self, matcher: &Matcher<'_, '_>) -> Result<Answer, Fault> {
        let mut responses = self.responses;
        while !responses.at_end() {
            let single = responses.enter(SEQUENCE).and_then(|r| single(r, matcher));
            if let Some((about_it, is_known)) = single.ok_or(Fault::Unreadable)? {
                return is_known.then_some(about_it).ok_or(Fault::Critical);
            }
        }
        Err(Fault::Foreign)
    }

    /// RFC 6960 4.4.1.
    fn repeats(&self, nonce: &[u8]) -> bool {
        let mut extensions = self.extensions;
        let mut found = std::iter::from_fn(|| extensions.enter(SEQUENCE)).filter_map(|mut one| {
            let is_nonce = one.take(OID)? == NONCE_ID;
            one.flag()?;
            is_nonce.then(|| one.take(OCTET_STRING)).flatten()
        });
        found.next() == Some(&written(OCTET_STRING, &[nonce]))
    }
}

/// Whether no extension (RFC 6960 4.4) is critical that is not known here; `None` where they cannot be read.
fn is_known(mut extensions: Reader<'_>) -> Option<bool> {
    let mut all = true;
    while !extensions.at_end() {
        let mut one = extensions.enter(SEQUENCE)?;
        let id = one.take(OID)?;
        all &= !one.flag()? || id == NONCE_ID;
    }
    Some(all)
}

/// One SingleResponse, and whether all of it is known: `None` where it cannot be read, `Some(None)` where it is about
/// another certificate.
fn single(mut reader: Reader<'_>, matcher: &Matcher<'_, '_>) -> Option<Option<(Answer, bool)>> {
    let is_it = matcher.is_it(reader.enter(SEQUENCE)?)?;
    let status = reader.any()?;
    let from = time(&mut reader)?;
    let until = match reader.enter(context(0)) {
        Some(mut next) => Some(time(&mut next)?),
        None => None,
    };
    let status = match status.tag {
        GOOD => Status::Good,
        REVOKED => revoked(Reader::new(status.value))?,
        _ => Status::Unknown,
    };
    let is_known = match reader.enter(context(1)) {
        Some(mut list) => is_known(list.enter(SEQUENCE)?)?,
        None => true,
    };
    let answer = Answer {
        status,
        from,
        until,
    };
    Some(is_it.then_some((answer, is_known)))
}

/// RevokedInfo (RFC 6960 4.2.1).
fn revoked(mut info: Reader<'_>) -> Option<Status> {
    let when = time(&mut info)?;
    let reason = match info.enter(context(0)) {
        Some(mut reason) => *reason.take(ENUMERATED)?.last()?,
        None => 0,
    };
    Some(Status::Revoked { when, reason })
}

fn time(reader: &mut Reader<'_>) -> Option<i64> {
    Time::new(GENERALIZED_TIME, reader.take(GENERALIZED_TIME)?).seconds()
}
