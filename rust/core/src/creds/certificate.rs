//! The few fields of a certificate that loading and checking need.
//!
//! Read with x509-parser, which takes what webpki refuses (X.509 v1, no subjectAltName, SHA-1): nobody here verifies
//! the server's own certificate, and clients judge it for themselves.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};
use x509_parser::x509::X509Name;

use super::contents;
use super::key::damage_fault;
use super::problem::Fault;
use crate::x509::der::{self, Reader};

/// What is needed of a certificate. There may be 10,000 of them, so that nothing here has room to grow.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Subject, DER.
    pub subject: Box<[u8]>,
    /// Issuer, DER.
    pub issuer: Box<[u8]>,
    /// Bits of the public key, to compare with a private key.
    pub public: Box<[u8]>,
    /// Seconds since 1970 from which it is valid.
    pub not_before: i64,
    /// Seconds since 1970 up to which it is valid.
    pub not_after: i64,
    /// DNS names of subjectAltName, in ASCII lower case; the common name where there is no subjectAltName.
    pub dns_names: Box<[Box<str>]>,
    /// IP addresses of subjectAltName.
    pub addresses: Box<[IpAddr]>,
    /// Whether `dns_names` had to be taken from the common name.
    pub only_common_name: bool,
    /// It demands that the server staples an OCSP response (RFC 7633).
    pub must_staple: bool,
    /// It names a responder.
    pub has_responder: bool,
    /// The subject has a common name, and `display` is it.
    pub has_common_name: bool,
    /// Subject for people: common name, or else the whole of it.
    pub display: Box<str>,
}

impl Certificate {
    /// Reads one certificate.
    ///
    /// # Errors
    /// What the parser says of it.
    pub fn parse(der: &[u8]) -> Result<Certificate, String> {
        let (_, x509) = X509Certificate::from_der(der).map_err(|e| e.to_string())?;
        let mut dns_names: Vec<Box<str>> = Vec::new();
        let mut addresses = Vec::new();
        let mut has_names = false;
        let (mut must_staple, mut has_responder) = (false, false);
        for extension in x509.extensions() {
            must_staple |= extension.oid.as_bytes() == TLS_FEATURE && wants_status(extension.value);
            if let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() {
                let mut methods = access
                    .accessdescs
                    .iter()
                    .map(|d| d.access_method.as_bytes());
                has_responder |= methods.any(|method| method == OCSP_ACCESS);
            }
            if let ParsedExtension::SubjectAlternativeName(san) = extension.parsed_extension() {
                has_names = true;
                for name in &san.general_names {
                    match name {
                        GeneralName::DNSName(name) => {
                            dns_names.push(name.to_ascii_lowercase().into())
                        }
                        GeneralName::IPAddress(bytes) => addresses.extend(address(bytes)),
                        _ => {}
                    }
                }
            }
        }
        let common_name = common_name(x509.subject());
        if !has_names {
            dns_names.extend(common_name.iter().map(|n| n.to_ascii_lowercase().into()));
        }
        Ok(Certificate {
            subject: x509.subject().as_raw().into(),
            issuer: x509.issuer().as_raw().into(),
            public: x509.public_key().subject_public_key.data.as_ref().into(),
            not_before: x509.validity().not_before.timestamp(),
            not_after: x509.validity().not_after.timestamp(),
            dns_names: dns_names.into(),
            addresses: addresses.into(),
            only_common_name: !has_names,
            must_staple,
            has_responder,
            has_common_name: common_name.is_some(),
            display: common_name.map_or_else(|| x509.subject().to_string().into(), Box::from),
        })
    }

    /// First common name of the subject.
    pub fn common_name(&self) -> Option<&str> {
        self.has_common_name.then_some(&*self.display)
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
            .map(ToString::to_string)
            .chain(self.addresses.iter().map(ToString::to_string))
            .collect();
        list_for_people(&all)
    }
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

/// 1.3.6.1.5.5.7.1.24 and 1.3.6.1.5.5.7.48.1
const TLS_FEATURE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 24];
const OCSP_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1];

/// RFC 7633 4.1: a list of extension types; status_request is 5.
fn wants_status(value: &[u8]) -> bool {
    let Some(mut features) = Reader::new(value).enter(der::SEQUENCE) else {
        return false;
    };
    std::iter::from_fn(|| features.expect(der::INTEGER)).any(|feature| feature.value == [5])
}

fn common_name<'a>(name: &'a X509Name<'_>) -> Option<&'a str> {
    name.iter_common_name()
        .last()
        .and_then(|cn| cn.as_str().ok())
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
pub type KnownIssuers = HashMap<Der, Arc<Certificate>>;

/// The certificates of a file: as they are sent, and their fields, in the same order.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// DER of each.
    pub ders: Box<[Der]>,
    /// Fields of each.
    pub fields: Box<[Arc<Certificate>]>,
    /// Lines of the file that look like the beginning of a block and are none.
    pub lost: Box<[usize]>,
}

impl Certificates {
    /// The first of these, then all but the first `skip` of `further`.
    pub fn leaf_before(&self, further: &Certificates, skip: usize) -> Certificates {
        let (first, rest) = (self.each().take(1), further.each().skip(skip));
        first.chain(rest).collect()
    }

    /// These, then whoever among `authorities` issued the last, and so on up to one that issued itself.
    pub fn extended_from(&self, authorities: &Certificates) -> Certificates {
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

    fn each(&self) -> impl Iterator<Item = (Der, Arc<Certificate>)> {
        self.ders.iter().cloned().zip(self.fields.iter().cloned())
    }
}

impl FromIterator<(Der, Arc<Certificate>)> for Certificates {
    fn from_iter<I: IntoIterator<Item = (Der, Arc<Certificate>)>>(each: I) -> Self {
        let (ders, fields): (Vec<_>, Vec<_>) = each.into_iter().unzip();
        Certificates {
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
    let mut found: Vec<(Der, Arc<Certificate>)> = Vec::new();
    for taken in &contents.taken {
        let der = taken.element();
        if let Some((der, fields)) = issuers.get_key_value(der) {
            found.push((Arc::clone(der), Arc::clone(fields)));
            continue;
        }
        let fields = Certificate::parse(der).map_err(|cause| Fault::BadCertificate {
            file: name.to_owned(),
            line: taken.line,
            cause,
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
