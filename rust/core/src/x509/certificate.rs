// SPDX-License-Identifier: Apache-2.0
//! One certificate: what the variables and the access rules ask of it.

use super::der::{Element, OID, Reader, SEQUENCE, context};
use super::name::Name;
use super::objects;
use super::oid;
use super::outline::{Outline, RawExtension, RawExtensions};
use super::time::Time;

/// One extension.
#[derive(Clone, Debug)]
pub struct Extension<'a> {
    /// Dotted identifier.
    pub dotted: String,
    /// Content of the OCTET STRING.
    pub value: &'a [u8],
}

/// A subject alternative name of a kind that a variable shows.
#[derive(Clone, Debug)]
pub enum AltName<'a> {
    /// rfc822Name
    Email(&'a [u8]),
    /// dNSName
    Dns(&'a [u8]),
    /// otherName: dotted identifier, tag and content of the value
    Other(String, u8, &'a [u8]),
}

/// A certificate as it was received. Its parts are found where they stand and nothing is copied: a peer's may be of
/// thousands of parts, and what is asked of them is little.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    outline: Outline<'a>,
    /// 1, 2 or 3
    pub version: u64,
    /// Content octets of the serial number.
    pub serial: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads DER. `None` where OpenSSL would read no certificate; contents are taken as they are.
    pub fn parse(input: &'a [u8]) -> Option<Self> {
        let found = Self::known(input)?;
        let outline = &found.outline;
        Name::parse(outline.issuer.value)?;
        Name::parse(outline.subject.value)?;
        algorithm(Reader::new(outline.algorithm.value))?;
        algorithm(Reader::new(outline.spki.value).enter(SEQUENCE)?)?;
        let readable = |extension: Option<RawExtension<'_>>| {
            extension.is_some_and(|extension| objects::is_identifier(extension.oid))
        };
        RawExtensions::new(outline.extensions)
            .all(readable)
            .then_some(found)
    }

    /// One of which it is known that it can be read.
    pub(super) fn known(input: &'a [u8]) -> Option<Self> {
        let outline = Outline::parse(input)?;
        Some(Self {
            outline,
            version: outline.version,
            serial: outline.serial,
        })
    }

    /// The certificate as received.
    pub fn der(&self) -> &'a [u8] {
        self.outline.der
    }

    /// Dotted identifier of the signature's algorithm.
    pub fn signature_algorithm(&self) -> String {
        algorithm(Reader::new(self.outline.algorithm.value)).unwrap_or_default()
    }

    /// Dotted identifier of the public key's algorithm.
    pub fn key_algorithm(&self) -> String {
        Reader::new(self.outline.spki.value)
            .enter(SEQUENCE)
            .and_then(algorithm)
            .unwrap_or_default()
    }

    /// Who signed it.
    pub fn issuer(&self) -> Name<'a> {
        Name::known(self.outline.issuer.value)
    }

    /// Whose key it names.
    pub fn subject(&self) -> Name<'a> {
        Name::known(self.outline.subject.value)
    }

    /// First moment of validity.
    pub fn not_before(&self) -> Time {
        time(self.outline.not_before)
    }

    /// Last moment of validity.
    pub fn not_after(&self) -> Time {
        time(self.outline.not_after)
    }

    /// All extensions in order.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'a>> + use<'a> {
        RawExtensions::new(self.outline.extensions)
            .flatten()
            .filter_map(|extension| {
                Some(Extension {
                    dotted: objects::dotted(extension.oid)?,
                    value: extension.value,
                })
            })
    }

    /// Subject alternative names; none where the extension is missing, repeated or not readable.
    pub fn alt_names(&self) -> impl Iterator<Item = AltName<'a>> + use<'a> {
        AltNames(alt_names(self.outline.extensions).unwrap_or(Reader::new(&[])))
            .flatten()
            .flatten()
    }

    /// DER of the subject.
    pub fn subject_der(&self) -> &'a [u8] {
        self.outline.subject.raw
    }

    /// DER of the issuer.
    pub fn issuer_der(&self) -> &'a [u8] {
        self.outline.issuer.raw
    }

    /// DER of the SubjectPublicKeyInfo.
    pub fn spki(&self) -> &'a [u8] {
        self.outline.spki.raw
    }
}

fn time(element: Element<'_>) -> Time {
    Time::new(element.tag, element.value)
}

fn algorithm(mut fields: Reader<'_>) -> Option<String> {
    objects::dotted(fields.require(OID)?.value)
}

/// `None` for an extension that occurs twice, as OpenSSL's `X509_get_ext_d2i` has it.
fn alt_names(extensions: &[u8]) -> Option<Reader<'_>> {
    let mut matching = RawExtensions::new(extensions)
        .flatten()
        .filter(|extension| extension.oid == oid::SUBJECT_ALT_NAME);
    let extension = matching.next()?;
    if matching.next().is_some() {
        return None;
    }
    let names = Reader::new(extension.value).enter(SEQUENCE)?;
    AltNames(names).all(|name| name.is_some()).then_some(names)
}

/// The names of a list one by one; `None` for one that cannot be read, `Some(None)` for one of another kind.
struct AltNames<'a>(Reader<'a>);

impl<'a> Iterator for AltNames<'a> {
    type Item = Option<Option<AltName<'a>>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.at_end() {
            return None;
        }
        let read = self.0.any().and_then(|name| {
            Some(match name.tag {
                0xa0 => Some(other_name(name.value)?),
                0x81 => Some(AltName::Email(name.value)),
                0x82 => Some(AltName::Dns(name.value)),
                _ => None,
            })
        });
        if read.is_none() {
            self.0 = Reader::new(&[]);
        }
        Some(read)
    }
}

fn other_name(content: &[u8]) -> Option<AltName<'_>> {
    let mut fields = Reader::new(content);
    let dotted = objects::dotted(fields.require(OID)?.value)?;
    let value = fields.enter(context(0))?.any()?;
    Some(AltName::Other(dotted, value.tag, value.value))
}
