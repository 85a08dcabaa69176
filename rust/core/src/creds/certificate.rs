// SPDX-License-Identifier: Apache-2.0
//! The few fields of a certificate that loading and checking need.
//!
//! Whatever OpenSSL reads is taken (X.509 v1, no subjectAltName, SHA-1): nobody here verifies the server's own certificate,
//! and clients judge it for themselves.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::contents;
use super::fault::Fault;
use super::fitness::Uses;
use super::key::damage_fault;
use super::public_key::PublicKey;
use crate::x509::Name;
use crate::x509::der::{self, Element, Reader};
use crate::x509::oid::{OCSP_ACCESS, SUBJECT_ALT_NAME};
use crate::x509::outline::{Outline, RawExtensions};
use crate::x509::time::Time;

/// What is needed of a certificate. There may be 10,000 of them, so that nothing here has room to grow.
#[derive(Clone, Debug)]
pub struct CertificateFields {
    /// Subject, DER.
    pub subject: Box<[u8]>,
    /// Issuer, DER.
    pub issuer: Box<[u8]>,
    /// To compare with a private key.
    pub public: PublicKey,
    /// Seconds since 1970 from which it is valid; `i64::MAX` where that cannot be read.
    pub not_before: i64,
    /// Seconds since 1970 up to which it is valid; 0 where that cannot be read.
    pub not_after: i64,
    /// DNS names of subjectAltName, in ASCII lower case; the common names where there is no subjectAltName.
    pub dns_names: Box<[Box<str>]>,
    /// IP addresses of subjectAltName.
    pub addresses: Box<[IpAddr]>,
    /// Whether `dns_names` had to be taken from the common names.
    pub only_common_name: bool,
    /// It demands that the server staples an OCSP response (RFC 7633).
    pub must_staple: bool,
    /// It names a responder.
    pub has_responder: bool,
    /// It says where its issuer's certificate is to be had, as those of public authorities do.
    pub names_issuer: bool,
    /// What it is for.
    pub uses: Uses,
    /// All common names of the subject, in order, in UTF-8 whatever they were written in.
    pub common_names: Box<[Box<str>]>,
    /// Subject for people: the last common name, or else the whole of it.
    pub display: Box<str>,
}

impl CertificateFields {
    /// Reads one certificate. What cannot be read of an extension is not there.
    ///
    /// # Errors
    /// What it is not.
    pub fn parse(der: &[u8]) -> Result<Self, &'static str> {
        Self::of(&Outline::parse(der).ok_or(NO_CERTIFICATE)?)
    }

    fn of(outline: &Outline<'_>) -> Result<Self, &'static str> {
        let (mut must_staple, mut has_responder, mut names_issuer) = (false, false, false);
        let mut uses = Uses::signed_with(outline.algorithm.value);
        let mut alternatives = None;
        for extension in RawExtensions::new(outline.extensions) {
            let extension = extension.ok_or(BAD_EXTENSION)?;
            uses.note(&extension);
            match extension.oid {
                TLS_FEATURE => must_staple |= wants_status(extension.value),
                ACCESS => {
                    has_responder |= gives_access(extension.value, OCSP_ACCESS);
                    names_issuer |= gives_access(extension.value, ISSUER_ACCESS);
                }
                SUBJECT_ALT_NAME => alternatives = Some(Alternatives::read(extension.value)),
                _ => {}
            }
        }
        let subject = Name::parse(outline.subject.value).ok_or(BAD_SUBJECT)?;
        let common_names: Box<[Box<str>]> = subject.all(COMMON_NAME).collect();
        let only_common_name = alternatives.is_none();
        let names = alternatives.unwrap_or_else(|| Alternatives {
            dns_names: common_names.iter().map(|name| lower(name)).collect(),
            addresses: Vec::new(),
        });
        let whole = || String::from_utf8_lossy(&subject.rfc2253()).into();
        Ok(Self {
            subject: outline.subject.raw.into(),
            issuer: outline.issuer.raw.into(),
            public: PublicKey::of(outline.spki.raw).ok_or(NO_KEY)?,
            not_before: seconds(outline.not_before).unwrap_or(i64::MAX),
            not_after: seconds(outline.not_after).unwrap_or(0),
            dns_names: names.dns_names.into(),
            addresses: names.addresses.into(),
            only_common_name,
            must_staple,
            has_responder,
            names_issuer,
            uses,
            display: for_people(&common_names.last().cloned().unwrap_or_else(whole)).into(),
            common_names,
        })
    }

    /// Whether both of its dates could be read.
    pub fn has_dates(&self) -> bool {
        self.not_before != i64::MAX && self.not_after != 0
    }

    /// Whether its issuer is itself, as far as names tell.
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether it covers a host name or address.
    pub fn covers(&self, host: &str) -> bool {
        match super::names::address(host) {
            Some(address) => self.addresses.contains(&address),
            None => self
                .dns_names
                .iter()
                .any(|pattern| super::names::covers(pattern, host)),
        }
    }

    /// The names it covers, for people; at most four are spelled out.
    pub fn names_for_people(&self) -> String {
        let all: Vec<String> = self
            .dns_names
            .iter()
            .map(|name| for_people(name))
            .chain(self.addresses.iter().map(ToString::to_string))
            .collect();
        list_for_people(&all)
    }
}

/// A name as a terminal or a page may have it: whoever made the certificate chose its letters, and those that move the
/// cursor or turn the direction of writing are spelled.
fn for_people(name: &str) -> String {
    let odd = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut out = String::with_capacity(name.len());
    for letter in name.chars() {
        match odd(letter) {
            true => out.extend(letter.escape_unicode()),
            false => out.push(letter),
        }
    }
    out
}

/// `a, b, c, d and 3 more`; `no name` for an empty list.
pub fn list_for_people(names: &[String]) -> String {
    match names {
        [] => "no name".to_owned(),
        few if few.len() <= 4 => few.join(", "),
        [a, b, c, d, more @ ..] => format!("{a}, {b}, {c}, {d} and {} more", more.len()),
        _ => String::new(),
    }
}

const NO_CERTIFICATE: &str = "it is no X.509 certificate in DER (RFC 5280, 4.1)";
const BAD_EXTENSION: &str = "one of its extensions is damaged";
const BAD_SUBJECT: &str = "its subject is damaged";
const NO_KEY: &str = "its public key is damaged";

const COMMON_NAME: &str = "2.5.4.3";
/// id-pe-tlsfeature, id-pe-authorityInfoAccess and id-ad-caIssuers.
const TLS_FEATURE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 24];
const ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
const ISSUER_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 2];

/// dNSName and iPAddress of a GeneralName (RFC 5280, 4.2.1.6).
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// What subjectAltName has of hosts.
#[derive(Default)]
struct Alternatives {
    dns_names: Vec<Box<str>>,
    addresses: Vec<IpAddr>,
}

impl Alternatives {
    fn read(value: &[u8]) -> Self {
        let mut found = Self::default();
        let mut names = Reader::new(value).enter(der::SEQUENCE);
        while let Some(name) = names.as_mut().and_then(Reader::any) {
            match name.tag {
                DNS_NAME => found
                    .dns_names
                    .extend(std::str::from_utf8(name.value).map(lower)),
                IP_ADDRESS => found.addresses.extend(address(name.value)),
                _ => {}
            }
        }
        found
    }
}

fn lower(name: &str) -> Box<str> {
    name.to_ascii_lowercase().into()
}

fn seconds(time: Element<'_>) -> Option<i64> {
    Time::new(time.tag, time.value).seconds()
}

/// RFC 7633 4.1: a list of extension types; status_request is 5.
fn wants_status(value: &[u8]) -> bool {
    let Some(mut features) = Reader::new(value).enter(der::SEQUENCE) else {
        return false;
    };
    std::iter::from_fn(|| features.take(der::INTEGER)).any(|feature| feature == [5])
}

/// RFC 5280, 4.2.2.1: a list of methods with a location each.
fn gives_access(value: &[u8], method: &[u8]) -> bool {
    let Some(mut descriptions) = Reader::new(value).enter(der::SEQUENCE) else {
        return false;
    };
    std::iter::from_fn(|| descriptions.enter(der::SEQUENCE))
        .any(|mut description| description.take(der::OID) == Some(method))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(v4));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

/// A certificate as it is sent, shared by all that hold it.
pub type Der = Arc<[u8]>;

/// Certificates that issued others: the same ones stand in the files of many virtual hosts.
pub type KnownIssuers = HashMap<Der, Arc<CertificateFields>>;

/// The certificates of a file: as they are sent, and their fields, in the same order.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// DER of each.
    pub ders: Box<[Der]>,
    /// Fields of each.
    pub fields: Box<[Arc<CertificateFields>]>,
    /// Lines of the file that look like the beginning of a block and are none.
    pub lost: Box<[usize]>,
}

impl Certificates {
    /// The first of these, then all but the first `skip` of `further`.
    pub fn leaf_before(&self, further: &Self, skip: usize) -> Self {
        let (first, rest) = (self.each().take(1), further.each().skip(skip));
        first.chain(rest).collect()
    }

    /// These, then whoever among `authorities` issued the last, and so on up to one that issued itself.
    pub fn extended_from(&self, authorities: &Self) -> Self {
        let mut chain: Vec<_> = self.each().collect();
        while let Some((_, last)) = chain.last()
            && !last.is_self_issued()
            && chain.len() < MAX_CHAIN
        {
            let Some(next) = authorities.each().find(|(_, c)| c.subject == last.issuer) else {
                break;
            };
            chain.push(next);
        }
        chain.into_iter().collect()
    }

    fn each(&self) -> impl Iterator<Item = (Der, Arc<CertificateFields>)> {
        self.ders.iter().cloned().zip(self.fields.iter().cloned())
    }
}

impl FromIterator<(Der, Arc<CertificateFields>)> for Certificates {
    fn from_iter<I: IntoIterator<Item = (Der, Arc<CertificateFields>)>>(each: I) -> Self {
        let (ders, fields): (Vec<_>, Vec<_>) = each.into_iter().unzip();
        Self {
            ders: ders.into(),
            fields: fields.into(),
            lost: Box::default(),
        }
    }
}

/// No path in use is longer; this ends circles of authorities that issued each other.
const MAX_CHAIN: usize = 10;

/// All certificates of a file in order, in PEM, or one in DER. Keys, parameters and text are passed over. Those behind the first are
/// taken from `issuers` where they are known, and else added to them.
///
/// # Errors
/// A row of the fault table where a block is damaged or holds no certificate. A file without certificates gives an
/// empty list.
pub fn find_certificates(
    name: &str,
    file: &[u8],
    issuers: &mut KnownIssuers,
) -> Result<Certificates, Fault> {
    let contents = contents::certificates(file);
    if let Some(damage) = contents.damaged.first() {
        return Err(damage_fault(name, *damage));
    }
    let mut found: Vec<(Der, Arc<CertificateFields>)> = Vec::new();
    for taken in &contents.taken {
        let der = taken.element();
        if let Some((der, fields)) = issuers.get_key_value(der) {
            found.push((Arc::clone(der), Arc::clone(fields)));
            continue;
        }
        let fields = CertificateFields::parse(der).map_err(|cause| Fault::BadCertificate {
            file: name.to_owned(),
            line: taken.line,
            cause: cause.to_owned(),
        })?;
        let (fields, der) = (Arc::new(fields), Der::from(der));
        if !found.is_empty() {
            issuers.insert(Arc::clone(&der), Arc::clone(&fields));
        }
        found.push((der, fields));
    }
    let mut found: Certificates = found.into_iter().collect();
    found.lost = contents.lost.into();
    Ok(found)
}
