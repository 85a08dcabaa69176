// SPDX-License-Identifier: Apache-2.0
//! Who may sign answers about an issuer's certificates.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::SKEW;
use super::about::About;
use crate::verify::signed::{Signed, key_of};
use crate::verify::work::{Exhausted, Work};
use crate::x509::canonical::is_one_name;
use crate::x509::der::{OCTET_STRING, Reader, SEQUENCE, context};
use crate::x509::outline::public_key_bits;
use crate::x509::{Certificate, uses};

const EXTENDED_KEY_USAGE: &str = "2.5.29.37";

/// Certificates of a response that are looked at.
const MOST_DELEGATES: usize = 8;

/// The ResponderID of an answer.
pub(super) enum Responder<'a> {
    Name(&'a [u8]),
    Key(&'a [u8]),
}

impl<'a> Responder<'a> {
    /// Reads it off the front of a ResponseData without its version (RFC 6960 4.2.1).
    pub(super) fn read(data: &mut Reader<'a>) -> Option<Self> {
        Some(match data.enter(context(1)) {
            Some(mut name) => Self::Name(name.require(SEQUENCE)?.raw),
            None => Self::Key(data.enter(context(2))?.take(OCTET_STRING)?),
        })
    }

    fn is(&self, certificate: &Certificate<'_>) -> bool {
        match self {
            Self::Name(name) => is_one_name(certificate.subject_der(), name),
            Self::Key(hash) => public_key_bits(certificate.spki())
                .is_some_and(|bits| digest(&SHA1_FOR_LEGACY_USE_ONLY, bits).as_ref() == *hash),
        }
    }
}

/// What a signature is judged by.
pub(super) struct SignerCheck<'j> {
    pub(super) about: &'j About<'j>,
    /// Certificates (DER) whose word counts whoever issued them.
    pub(super) trusted: &'j [Vec<u8>],
    pub(super) now: i64,
    pub(super) work: Work,
}

impl SignerCheck<'_> {
    /// RFC 6960 4.2.2.2: signed by a responder that is configured, by the issuer, or by who holds a certificate of the issuer
    /// for signing responses. `certificates` are those that the answer brought along.
    ///
    /// # Errors
    /// That would be more work than is done for one answer.
    pub(super) fn allows(
        &mut self,
        signed: &Signed<'_>,
        responder: &Responder<'_>,
        mut certificates: Reader<'_>,
    ) -> Result<bool, Exhausted> {
        for der in self.trusted {
            let known = Certificate::parse(der).filter(|known| responder.is(known));
            // Those of before and after a change of keys have one name.
            if let Some(known) = known
                && self.is_by(signed, known.spki())?
            {
                return Ok(true);
            }
        }
        let issuer = &self.about.issuer;
        if responder.is(issuer) {
            return self.is_by(signed, issuer.spki());
        }
        let brought = std::iter::from_fn(|| certificates.require(SEQUENCE));
        for element in brought.take(MOST_DELEGATES) {
            self.work.charge_reading(element.raw.len())?;
            let delegate = Certificate::parse(element.raw).filter(|d| responder.is(d));
            if let Some(delegate) = delegate
                && self.is_delegate(&delegate)?
                && self.is_by(signed, delegate.spki())?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_delegate(&mut self, delegate: &Certificate<'_>) -> Result<bool, Exhausted> {
        let issuer = &self.about.issuer;
        let in_time = delegate
            .not_before()
            .seconds()
            .is_some_and(|from| from.saturating_sub(SKEW) <= self.now)
            && delegate
                .not_after()
                .seconds()
                .is_some_and(|until| self.now <= until);
        if !in_time
            || !is_one_name(delegate.issuer_der(), issuer.subject_der())
            || !signs_responses(delegate)
        {
            return Ok(false);
        }
        match Signed::parse(delegate.der()) {
            Some(signed) => self.is_by(&signed, issuer.spki()),
            None => Ok(false),
        }
    }

    /// Whether what was signed is of the key in `spki`.
    fn is_by(&mut self, signed: &Signed<'_>, spki: &[u8]) -> Result<bool, Exhausted> {
        let Some(key) = key_of(spki) else {
            return Ok(false);
        };
        self.work.charge(signed.cost(&key))?;
        Ok(signed.check(&key).is_ok())
    }
}

fn signs_responses(certificate: &Certificate<'_>) -> bool {
    let usage = certificate
        .extensions()
        .find(|extension| extension.dotted == EXTENDED_KEY_USAGE);
    usage
        .and_then(|usage| uses::purposes(usage.value))
        .is_some_and(|list| uses::has_purpose(list, &[uses::OCSP_SIGNING]))
}
