// SPDX-License-Identifier: Apache-2.0
//! A certificate as validation sees it: names in canonical form and the extensions that bind (RFC 5280, 4.2.1).

use super::elements::{directory_name, general_names};
use super::reason;
use super::resources::Resources;
use super::revocation::scope::Point;
use crate::x509::canonical::canonical;
use crate::x509::der::{
    BIT_STRING, Element, OCTET_STRING, Reader, SEQUENCE, is_integer, only, whole,
};
use crate::x509::oid;
use crate::x509::outline::{Outline, RawExtension, RawExtensions};
use crate::x509::time::{GENERALIZED_TIME, Time, UTC_TIME};
use crate::x509::uses;

const NETSCAPE_TYPE: &[u8] = &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 1, 1];
const ADDRESS_BLOCKS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 7];
const SYSTEM_NUMBERS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 8];
const OCSP_NO_CHECK: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 5];
const PROXY_INFO: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 14];

/// Keys of an issuer, as certificates and lists name them (RFC 5280, 4.2.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct AuthorityKey {
    /// Its key identifier.
    pub id: Option<Vec<u8>>,
    /// Canonical name of the issuer of the issuer's certificate.
    pub issuer: Option<Vec<u8>>,
    /// Serial number of the issuer's certificate.
    pub serial: Option<Vec<u8>>,
}

impl AuthorityKey {
    /// Reads the value of the extension.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut fields = whole(value, SEQUENCE)?;
        let mut found = Self::default();
        let mut last = None;
        while !fields.at_end() {
            let field = fields.any()?;
            // [0], [1] and [2]: each once and in this order.
            let number = field.tag & 0x1f;
            if last.is_some_and(|last| number <= last) {
                return None;
            }
            last = Some(number);
            match field.tag {
                0x80 => found.id = Some(field.value.to_vec()),
                // Of several names the first directoryName counts, as in OpenSSL.
                0xa1 => found.issuer = first_directory_name(field.value)?,
                0x82 => found.serial = Some(field.value.to_vec()),
                _ => return None,
            }
        }
        Some(found)
    }

    /// Whether `issuer` may be the one that is meant: what both say must agree.
    pub(crate) fn fits(&self, issuer: &PathCertificate<'_>) -> bool {
        let same_id = match (&self.id, issuer.key_id) {
            (Some(wanted), Some(id)) => wanted == id,
            _ => true,
        };
        same_id
            && self
                .serial
                .as_ref()
                .is_none_or(|serial| serial == issuer.outline.serial)
            && self
                .issuer
                .as_ref()
                .is_none_or(|name| *name == issuer.issuer)
    }

    /// Whether it names `issuer` by the key identifier.
    pub(crate) fn names_key(&self, issuer: &PathCertificate<'_>) -> bool {
        self.id.is_some() && self.id.as_deref() == issuer.key_id
    }
}

fn first_directory_name(names: &[u8]) -> Option<Option<Vec<u8>>> {
    let mut names = Reader::new(names);
    while !names.at_end() {
        let name = names.any()?;
        if name.tag == 0xa4 {
            return directory_name(name.value).map(Some);
        }
    }
    Some(None)
}

/// One certificate that may stand in a path.
#[derive(Clone, Debug)]
pub(crate) struct PathCertificate<'a> {
    /// Where its parts are.
    pub outline: Outline<'a>,
    /// Canonical subject.
    pub subject: Vec<u8>,
    /// Canonical issuer.
    pub issuer: Vec<u8>,
    /// BasicConstraints: whether it is a CA's, and how many others may stand beneath it.
    pub basic: Option<(bool, Option<u64>)>,
    /// KeyUsage, as the bits above.
    pub key_usage: Option<u16>,
    /// ExtendedKeyUsage: the content of the list.
    pub purposes: Option<&'a [u8]>,
    /// nsCertType: its first octet.
    pub netscape: Option<u8>,
    /// SubjectKeyIdentifier.
    pub key_id: Option<&'a [u8]>,
    /// AuthorityKeyIdentifier.
    pub authority: Option<AuthorityKey>,
    /// SubjectAltName: the content of the list.
    pub alt_names: Option<&'a [u8]>,
    /// NameConstraints: the content of the SEQUENCE.
    pub constraints: Option<&'a [u8]>,
    /// CertificatePolicies, PolicyMappings, PolicyConstraints and InhibitAnyPolicy, as they stand there.
    pub policies: Option<&'a [u8]>,
    pub mappings: Option<&'a [u8]>,
    pub policy_constraints: Option<&'a [u8]>,
    pub inhibit_any: Option<&'a [u8]>,
    /// CRLDistributionPoints: the content of the list.
    pub distribution_points: Option<&'a [u8]>,
    /// Addresses and numbers of autonomous systems (RFC 3779), which few have.
    pub addresses: Option<Box<Resources>>,
    pub systems: Option<Box<Resources>>,
    /// What makes it unfit for any path.
    pub fault: Option<&'static str>,
}

impl<'a> PathCertificate<'a> {
    /// Units of [`super::work::Work`] that reading it took beyond a look at each octet: blocks of addresses and numbers are
    /// made into ranges, each of which takes about a fifth of one.
    pub(crate) fn reading_cost(&self) -> u64 {
        let held = [&self.systems, &self.addresses].into_iter().flatten();
        let ranges: usize = held.map(|resources| resources.size()).sum();
        u64::try_from(ranges / 4).unwrap_or(u64::MAX)
    }

    /// Reads DER. `None` where OpenSSL would read no certificate; extensions that cannot be read are a fault of it.
    pub(crate) fn parse(der: &'a [u8]) -> Option<Self> {
        Self::new(Outline::parse(der)?)
    }

    /// The same of a certificate whose outline is known.
    pub(crate) fn new(outline: Outline<'a>) -> Option<Self> {
        is_integer(outline.serial).then_some(())?;
        let mut certificate = Self {
            subject: canonical(outline.subject.value)?,
            issuer: canonical(outline.issuer.value)?,
            outline,
            basic: None,
            key_usage: None,
            purposes: None,
            netscape: None,
            key_id: None,
            authority: None,
            alt_names: None,
            constraints: None,
            policies: None,
            mappings: None,
            policy_constraints: None,
            inhibit_any: None,
            distribution_points: None,
            addresses: None,
            systems: None,
            fault: None,
        };
        for extension in RawExtensions::new(outline.extensions) {
            let extension = extension?;
            match certificate.take(&extension) {
                Some(true) => {}
                // RFC 5280, 4.2: who does not know a critical one must refuse.
                Some(false) if extension.critical => {
                    certificate.fault.get_or_insert(reason::CRITICAL);
                }
                Some(false) => {}
                None => certificate.fault = Some(reason::EXTENSION),
            }
        }
        Some(certificate)
    }

    /// Takes one extension in; whether it is one that validation heeds. `None` where it is not as it should be, or
    /// there twice (RFC 5280, 4.2).
    fn take(&mut self, extension: &RawExtension<'a>) -> Option<bool> {
        let value = extension.value;
        match extension.oid {
            [0x55, 0x1d, 0x0e] => {
                once(&mut self.key_id, only(value, OCTET_STRING)?.value)?;
                return Some(false);
            }
            [0x55, 0x1d, 0x23] => {
                once(&mut self.authority, AuthorityKey::parse(value)?)?;
                return Some(false);
            }
            uses::KEY_USAGE => {
                let usage = uses::key_usage(value).filter(|bits| *bits != 0)?;
                once(&mut self.key_usage, usage)?;
            }
            oid::SUBJECT_ALT_NAME => once(&mut self.alt_names, general_names(value)?)?,
            uses::BASIC_CONSTRAINTS => once(&mut self.basic, uses::basic_constraints(value)?)?,
            [0x55, 0x1d, 0x1e] => once(&mut self.constraints, only(value, SEQUENCE)?.value)?,
            [0x55, 0x1d, 0x1f] => {
                let points = only(value, SEQUENCE)?.value;
                Point::parse_all(points, self.outline.issuer.value)?;
                once(&mut self.distribution_points, points)?;
            }
            [0x55, 0x1d, 0x20] => once(&mut self.policies, value)?,
            [0x55, 0x1d, 0x21] => once(&mut self.mappings, value)?,
            [0x55, 0x1d, 0x24] => once(&mut self.policy_constraints, value)?,
            uses::EXTENDED_KEY_USAGE => once(&mut self.purposes, uses::purposes(value)?)?,
            [0x55, 0x1d, 0x36] => once(&mut self.inhibit_any, value)?,
            NETSCAPE_TYPE => {
                let bits = only(value, BIT_STRING)?.value;
                once(&mut self.netscape, bits.get(1).copied().unwrap_or(0))?;
            }
            ADDRESS_BLOCKS => {
                let resources = Resources::addresses(value)?;
                once(&mut self.addresses, Box::new(resources))?;
            }
            SYSTEM_NUMBERS => once(&mut self.systems, Box::new(Resources::systems(value)?))?,
            // Of a responder's certificate, which no list need be asked about (RFC 6960, 4.2.2.2.1).
            OCSP_NO_CHECK => {}
            PROXY_INFO => self.fault = Some(reason::PROXY),
            _ => return Some(false),
        }
        Some(true)
    }

    /// Whether issuer and subject are the same name (RFC 5280, 3.2).
    pub(crate) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether it says that its own key signed it: what OpenSSL takes for self-signed, without a look at the signature.
    pub(crate) fn claims_own_signature(&self) -> bool {
        self.is_self_issued() && self.authority.as_ref().is_none_or(|key| key.fits(self))
    }

    /// Whether by names and key identifiers `issuer` may have issued it.
    pub(crate) fn may_be_of(&self, issuer: &PathCertificate<'_>) -> bool {
        self.issuer == issuer.subject && self.authority.as_ref().is_none_or(|key| key.fits(issuer))
    }

    /// Whether KeyUsage allows one of `bits`; what is not said is allowed.
    pub(crate) fn allows(&self, bits: u16) -> bool {
        self.key_usage.is_none_or(|usage| usage & bits != 0)
    }

    /// Whether ExtendedKeyUsage has one of `wanted`; what is not said is allowed.
    pub(crate) fn is_meant_for(&self, wanted: &[&[u8]]) -> bool {
        self.purposes
            .is_none_or(|list| uses::has_purpose(list, wanted))
    }

    /// Why it is not valid at `now`, in seconds since 1970 (RFC 5280, 4.1.2.5, and OpenSSL's order).
    pub(crate) fn outside(&self, now: i64) -> Option<&'static str> {
        match (
            seconds(&self.outline.not_before),
            seconds(&self.outline.not_after),
        ) {
            (None, _) => Some(reason::BEFORE_FIELD),
            (Some(begin), _) if now < begin => Some(reason::NOT_YET_VALID),
            (_, None) => Some(reason::AFTER_FIELD),
            (_, Some(end)) if now > end => Some(reason::EXPIRED),
            _ => None,
        }
    }

    /// Last second of its validity, since 1970; 0 where it cannot be read.
    pub(crate) fn end(&self) -> i64 {
        seconds(&self.outline.not_after).unwrap_or(0)
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.is_none().then(|| *place = Some(value))
}

/// Seconds since 1970 of a time in one of the two forms of RFC 5280, 4.1.2.5; others are no times for OpenSSL's checks.
pub(super) fn seconds(time: &Element<'_>) -> Option<i64> {
    let length = match time.tag {
        UTC_TIME => 13,
        GENERALIZED_TIME => 15,
        _ => return None,
    };
    let (last, digits) = time.value.split_last()?;
    if time.value.len() != length || *last != b'Z' || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Time::new(time.tag, time.value).seconds()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_of_an_authority_key_stands_once_and_in_its_place() {
        let parse = |fields: &[u8]| {
            let length = u8::try_from(fields.len()).unwrap();
            AuthorityKey::parse(&[&[SEQUENCE, length][..], fields].concat())
        };
        let found = parse(&[0x80, 1, 7, 0x82, 1, 9]).unwrap();
        assert_eq!((found.id, found.serial), (Some(vec![7]), Some(vec![9])));
        assert_eq!(parse(&[0x80, 1, 7, 0x80, 1, 8]), None);
        assert_eq!(parse(&[0x82, 1, 9, 0x80, 1, 7]), None);
    }
}
