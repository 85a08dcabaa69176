//! The few fields of a certificate that loading and checking need.
//!
//! Read with x509-parser, which takes what webpki refuses (X.509 v1, no subjectAltName, SHA-1): nobody here verifies
//! the server's own certificate, and clients judge it for themselves.

use std::net::IpAddr;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};
use x509_parser::x509::X509Name;

use super::der::{SEQUENCE, first_element};
use super::key::pem_fault;
use super::pem;
use super::problem::Fault;
use crate::x509::der::{self, Reader};

/// One certificate with what is needed of it.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Subject, DER.
    pub subject: Vec<u8>,
    /// Issuer, DER.
    pub issuer: Vec<u8>,
    /// Bits of the public key, to compare with a private key.
    pub public: Vec<u8>,
    /// Seconds since 1970 from which it is valid.
    pub not_before: i64,
    /// Seconds since 1970 up to which it is valid.
    pub not_after: i64,
    /// DNS names of subjectAltName, in ASCII lower case; the common name where there is no subjectAltName.
    pub dns_names: Vec<String>,
    /// IP addresses of subjectAltName.
    pub addresses: Vec<IpAddr>,
    /// Whether `dns_names` had to be taken from the common name.
    pub only_common_name: bool,
    /// It demands that the server staples an OCSP response (RFC 7633).
    pub must_staple: bool,
    /// It names a responder.
    pub has_responder: bool,
    /// First common name of the subject, in ASCII lower case.
    pub common_name: Option<String>,
    /// Subject for people: common name, or else the whole of it.
    pub display: String,
}

impl Certificate {
    /// Reads one certificate.
    ///
    /// # Errors
    /// What the parser says of it.
    pub fn parse(der: &[u8]) -> Result<Certificate, String> {
        let (_, x509) = X509Certificate::from_der(der).map_err(|e| e.to_string())?;
        let mut dns_names = Vec::new();
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
                        GeneralName::DNSName(name) => dns_names.push(name.to_ascii_lowercase()),
                        GeneralName::IPAddress(bytes) => addresses.extend(address(bytes)),
                        _ => {}
                    }
                }
            }
        }
        let common_name = common_name(x509.subject());
        if !has_names {
            dns_names.extend(common_name.iter().map(|n| n.to_ascii_lowercase()));
        }
        Ok(Certificate {
            subject: x509.subject().as_raw().to_vec(),
            issuer: x509.issuer().as_raw().to_vec(),
            public: x509.public_key().subject_public_key.data.to_vec(),
            not_before: x509.validity().not_before.timestamp(),
            not_after: x509.validity().not_after.timestamp(),
            dns_names,
            addresses,
            only_common_name: !has_names,
            must_staple,
            has_responder,
            common_name: common_name.as_ref().map(|n| n.to_ascii_lowercase()),
            display: common_name.unwrap_or_else(|| x509.subject().to_string()),
        })
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
            .cloned()
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

fn common_name(name: &X509Name<'_>) -> Option<String> {
    name.iter_common_name()
        .last()
        .and_then(|cn| cn.as_str().ok())
        .map(str::to_owned)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(v4));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

/// The certificates of a file: as they are sent, and their fields, in the same order.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// DER of each.
    pub ders: Vec<CertificateDer<'static>>,
    /// Fields of each.
    pub fields: Vec<Arc<Certificate>>,
}

impl Certificates {
    /// The first of these, then all but the first `skip` of `further`.
    pub fn leaf_before(&self, further: &Certificates, skip: usize) -> Certificates {
        Certificates {
            ders: self
                .ders
                .iter()
                .take(1)
                .chain(further.ders.iter().skip(skip))
                .cloned()
                .collect(),
            fields: self
                .fields
                .iter()
                .take(1)
                .chain(further.fields.iter().skip(skip))
                .cloned()
                .collect(),
        }
    }

    /// These, then whoever among `authorities` issued the last, and so on up to one that issued itself.
    pub fn extended_from(&self, authorities: &Certificates) -> Certificates {
        let mut chain = self.clone();
        while let Some(last) = chain.fields.last()
            && !last.is_self_issued()
            && chain.fields.len() < MAX_CHAIN
        {
            let Some(next) = authorities
                .fields
                .iter()
                .position(|c| c.subject == last.issuer)
            else {
                break;
            };
            chain.fields.extend(authorities.fields.get(next).cloned());
            chain.ders.extend(authorities.ders.get(next).cloned());
        }
        chain
    }
}

/// No path in use is longer; this ends circles of authorities that issued each other.
const MAX_CHAIN: usize = 10;

/// All certificates of a PEM file in order. Keys, parameters and text are passed over.
///
/// # Errors
/// A row of the fault table where a block is damaged or holds no certificate. A file without certificates gives an
/// empty list.
pub fn find_certificates(name: &str, file: &[u8]) -> Result<Certificates, Fault> {
    let mut found = Certificates::default();
    for block in pem::blocks(file) {
        let block = block.map_err(|e| pem_fault(name, e))?;
        if !matches!(
            block.label,
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE"
        ) {
            continue;
        }
        let decoded = block.decode().map_err(|e| pem_fault(name, e))?;
        let bad = |cause| Fault::BadCertificate {
            file: name.to_owned(),
            line: block.line,
            cause,
        };
        // OpenSSL puts its trust settings behind the certificate in a TRUSTED CERTIFICATE.
        let der =
            first_element(&decoded, SEQUENCE).ok_or_else(|| bad("it is damaged".to_owned()))?;
        found
            .fields
            .push(Arc::new(Certificate::parse(der).map_err(bad)?));
        found.ders.push(CertificateDer::from(der.to_vec()));
    }
    Ok(found)
}
