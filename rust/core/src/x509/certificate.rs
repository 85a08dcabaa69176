//! One certificate, taken apart once: what the variables and the access rules ask of it.

use super::der::{Element, OID, Reader, SEQUENCE, context};
use super::name::Name;
use super::objects;
use super::outline::{Outline, RawExtension, RawExtensions};
use super::time::Time;

const SUBJECT_ALT_NAME: &str = "2.5.29.17";

/// One extension; `value` is the content of its OCTET STRING.
#[derive(Clone, Debug)]
pub struct Extension {
    /// Dotted identifier.
    pub dotted: String,
    /// DER of the extension's value.
    pub value: Vec<u8>,
}

/// A subject alternative name of a kind that a variable shows.
#[derive(Clone, Debug)]
pub enum AltName {
    /// rfc822Name
    Email(Vec<u8>),
    /// dNSName
    Dns(Vec<u8>),
    /// otherName: dotted identifier, tag and content of the value
    Other(String, u8, Vec<u8>),
}

/// A parsed certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    /// 1, 2 or 3
    pub version: u64,
    /// Content octets of the serial number.
    pub serial: Vec<u8>,
    /// Dotted identifier of the signature's algorithm.
    pub signature_algorithm: String,
    /// Dotted identifier of the public key's algorithm.
    pub key_algorithm: String,
    /// Who signed it.
    pub issuer: Name,
    /// Whose key it names.
    pub subject: Name,
    /// First moment of validity.
    pub not_before: Time,
    /// Last moment of validity.
    pub not_after: Time,
    /// All extensions in order.
    pub extensions: Vec<Extension>,
    /// Subject alternative names; empty where the extension is missing, repeated or not readable.
    pub alt_names: Vec<AltName>,
    issuer_der: Vec<u8>,
    issuer_header: usize,
    subject_der: Vec<u8>,
    spki: Vec<u8>,
}

impl Certificate {
    /// Reads DER. `None` where OpenSSL would read no certificate; contents are taken as they are.
    pub fn parse(input: &[u8]) -> Option<Self> {
        let outline = Outline::parse(input)?;
        let (issuer, subject) = (outline.issuer, outline.subject);
        let extensions = extensions(&outline)?;
        let alt_names = alt_names(&extensions).unwrap_or_default();
        Some(Self {
            der: input.to_vec(),
            version: outline.version,
            serial: outline.serial.to_vec(),
            signature_algorithm: algorithm(Reader::new(outline.algorithm.value))?,
            key_algorithm: algorithm(Reader::new(outline.spki.value).enter(SEQUENCE)?)?,
            issuer: Name::parse(issuer.value)?,
            subject: Name::parse(subject.value)?,
            not_before: time(outline.not_before),
            not_after: time(outline.not_after),
            extensions,
            alt_names,
            issuer_header: issuer.raw.len().checked_sub(issuer.value.len())?,
            issuer_der: issuer.raw.to_vec(),
            subject_der: subject.raw.to_vec(),
            spki: outline.spki.raw.to_vec(),
        })
    }

    /// The certificate as received.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// DER of the subject.
    pub fn subject_der(&self) -> &[u8] {
        &self.subject_der
    }

    /// DER of the issuer.
    pub fn issuer_der(&self) -> &[u8] {
        &self.issuer_der
    }

    /// DER of the issuer without the header of its SEQUENCE.
    pub fn issuer_content(&self) -> &[u8] {
        self.issuer_der
            .get(self.issuer_header..)
            .unwrap_or_default()
    }

    /// DER of the SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }
}

fn time(element: Element<'_>) -> Time {
    Time::new(element.tag, element.value)
}

fn algorithm(mut fields: Reader<'_>) -> Option<String> {
    objects::dotted(fields.expect(OID)?.value)
}

fn extensions(outline: &Outline<'_>) -> Option<Vec<Extension>> {
    let owned = |extension: Option<RawExtension<'_>>| {
        let extension = extension?;
        Some(Extension {
            dotted: objects::dotted(extension.oid)?,
            value: extension.value.to_vec(),
        })
    };
    RawExtensions::new(outline.extensions).map(owned).collect()
}

/// `None` for an extension that occurs twice, as OpenSSL's `X509_get_ext_d2i` has it.
fn alt_names(extensions: &[Extension]) -> Option<Vec<AltName>> {
    let mut matching = extensions
        .iter()
        .filter(|extension| extension.dotted == SUBJECT_ALT_NAME);
    let extension = matching.next()?;
    if matching.next().is_some() {
        return None;
    }
    let mut names = Reader::new(&extension.value).enter(SEQUENCE)?;
    let mut found = Vec::new();
    while !names.at_end() {
        let name = names.any()?;
        match name.tag {
            0xa0 => found.push(other_name(name.value)?),
            0x81 => found.push(AltName::Email(name.value.to_vec())),
            0x82 => found.push(AltName::Dns(name.value.to_vec())),
            _ => {}
        }
    }
    Some(found)
}

fn other_name(content: &[u8]) -> Option<AltName> {
    let mut fields = Reader::new(content);
    let dotted = objects::dotted(fields.expect(OID)?.value)?;
    let value = fields.enter(context(0))?.any()?;
    Some(AltName::Other(dotted, value.tag, value.value.to_vec()))
}
