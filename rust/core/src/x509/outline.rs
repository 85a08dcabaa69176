// SPDX-License-Identifier: Apache-2.0
//! The outline of a certificate (RFC 5280, 4.1): where its parts are, without a copy and without a judgement.
//!
//! As strict as OpenSSL where something is cut, missing, doubled or too much; as lenient where it is: of names, serial numbers
//! and times only the kinds are looked at here.

use super::der::{
    BIT_STRING, BOOLEAN, ENUMERATED, Element, INTEGER, NULL, OCTET_STRING, OID, Reader, SEQUENCE,
    context, is_bit_string, is_integer, is_oid, number, only,
};
use super::time::{GENERALIZED_TIME, UTC_TIME};

/// The parts of a certificate, as they stand in its DER.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outline<'a> {
    /// The whole of it.
    pub der: &'a [u8],
    /// What is signed.
    pub body: &'a [u8],
    /// 1, 2 or 3; whatever was written there.
    pub version: u64,
    /// Content of the serial number.
    pub serial: &'a [u8],
    /// The AlgorithmIdentifier that is signed.
    pub inner_algorithm: Element<'a>,
    /// Who signed it.
    pub issuer: Element<'a>,
    /// First moment of validity.
    pub not_before: Element<'a>,
    /// Last moment of validity.
    pub not_after: Element<'a>,
    /// Whose key it names.
    pub subject: Element<'a>,
    /// The SubjectPublicKeyInfo.
    pub spki: Element<'a>,
    /// Content of the list of extensions; empty where there is none.
    pub extensions: &'a [u8],
    /// The AlgorithmIdentifier beside the signature.
    pub algorithm: Element<'a>,
    /// The signature.
    pub signature: &'a [u8],
}

impl<'a> Outline<'a> {
    /// Reads DER. `None` where the outline of RFC 5280, 4.1 is not found, or something lies behind it: a peer's
    /// certificate is shown to others as it came.
    pub(crate) fn parse(input: &'a [u8]) -> Option<Self> {
        let mut outer = Reader::new(input);
        let whole = outer.require(SEQUENCE)?;
        let mut certificate = Reader::new(whole.value);
        let body = certificate.require(SEQUENCE)?;
        let algorithm = certificate.require(SEQUENCE)?;
        let signature = bits(certificate.require(BIT_STRING)?.value)?;
        (outer.at_end() && certificate.at_end()).then_some(())?;
        let mut fields = Reader::new(body.value);
        let version = match fields.enter(context(0)) {
            Some(mut version) => {
                let version = version.take(INTEGER).filter(|_| version.at_end())?;
                is_integer(version).then_some(())?;
                number(version)?.checked_add(1)?
            }
            None => 1,
        };
        let serial = fields.require(INTEGER)?.value;
        let inner_algorithm = fields.require(SEQUENCE)?;
        let issuer = fields.require(SEQUENCE)?;
        let mut validity = fields.enter(SEQUENCE)?;
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
        let subject = fields.require(SEQUENCE)?;
        let spki = fields.require(SEQUENCE)?;
        is_algorithm(inner_algorithm.value).then_some(())?;
        is_algorithm(algorithm.value).then_some(())?;
        is_public_key(spki.value).then_some(())?;
        // Two unique identifiers that nobody reads.
        for number in [1, 2] {
            if let Some(bits) = fields.take(0x80 | number) {
                is_bit_string(bits).then_some(())?;
            }
        }
        let extensions = match fields.take(context(3)) {
            Some(listed) => only(listed, SEQUENCE)?.value,
            None => &[],
        };
        (validity.at_end() && fields.at_end()).then_some(())?;
        Some(Self {
            der: whole.raw,
            body: body.raw,
            version,
            serial,
            inner_algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            spki,
            extensions,
            algorithm,
            signature,
        })
    }
}

/// One extension, of a certificate, a revocation list or an entry of one (RFC 5280, 4.1.2.9).
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawExtension<'a> {
    /// Content of the identifier.
    pub oid: &'a [u8],
    /// Whether who does not know it must refuse.
    pub critical: bool,
    /// Content of its OCTET STRING.
    pub value: &'a [u8],
}

/// The extensions of a list of them, one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawExtensions<'a>(Reader<'a>);

impl<'a> RawExtensions<'a> {
    /// `content` is what the SEQUENCE OF consists of.
    pub(crate) fn new(content: &'a [u8]) -> Self {
        Self(Reader::new(content))
    }
}

impl<'a> Iterator for RawExtensions<'a> {
    /// `None` for one that cannot be read, after which nothing follows.
    type Item = Option<RawExtension<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.at_end() {
            return None;
        }
        let read = extension(&mut self.0);
        if read.is_none() {
            self.0 = Reader::new(&[]);
        }
        Some(read)
    }
}

fn extension<'a>(list: &mut Reader<'a>) -> Option<RawExtension<'a>> {
    let mut fields = list.enter(SEQUENCE)?;
    let oid = fields.take(OID).filter(|oid| is_oid(oid))?;
    let critical = fields.flag()?;
    let value = fields.require(OCTET_STRING)?.value;
    fields.at_end().then_some(RawExtension {
        oid,
        critical,
        value,
    })
}

/// The subjectPublicKey of a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), which is made of whole octets.
pub(crate) fn public_key_bits(spki: &[u8]) -> Option<&[u8]> {
    let mut info = Reader::new(spki).enter(SEQUENCE)?;
    info.take(SEQUENCE)?;
    match info.take(BIT_STRING)? {
        [0, bits @ ..] => Some(bits),
        _ => None,
    }
}

/// A time of either form, whatever it says.
pub(crate) fn time<'a>(fields: &mut Reader<'a>) -> Option<Element<'a>> {
    let time = fields.require(UTC_TIME);
    time.or_else(|| fields.require(GENERALIZED_TIME))
}

/// Whether these are the content octets of an AlgorithmIdentifier, whatever it is (RFC 5280, 4.1.1.2).
pub(crate) fn is_algorithm(content: &[u8]) -> bool {
    let mut fields = Reader::new(content);
    let known = fields.take(OID).is_some_and(is_oid);
    known && (fields.at_end() || (fields.any().is_some_and(is_sound) && fields.at_end()))
}

/// Whether the content is such as the type has, where parameters of algorithms are of it.
fn is_sound(element: Element<'_>) -> bool {
    match element.tag {
        BOOLEAN => element.value.len() == 1,
        NULL => element.value.is_empty(),
        OID => is_oid(element.value),
        INTEGER | ENUMERATED => is_integer(element.value),
        BIT_STRING => is_bit_string(element.value),
        _ => true,
    }
}

/// Whether these are the content octets of a SubjectPublicKeyInfo, whatever key it is.
fn is_public_key(content: &[u8]) -> bool {
    let mut fields = Reader::new(content);
    fields.take(SEQUENCE).is_some_and(is_algorithm)
        && fields.take(BIT_STRING).is_some_and(is_bit_string)
        && fields.at_end()
}

/// The octets of a BIT STRING that is made of whole ones.
fn bits(content: &[u8]) -> Option<&[u8]> {
    is_bit_string(content).then(|| content.get(1..))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_lies_behind_a_certificate_or_its_signature() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let content = Outline::parse(&der).map(|_| Reader::new(&der).require(SEQUENCE).unwrap());
        let content = content.unwrap().value;
        let wrapped = |behind: &[u8]| {
            let length = u16::try_from(content.len() + behind.len()).unwrap();
            [&[0x30, 0x82][..], &length.to_be_bytes(), content, behind].concat()
        };
        assert!(Outline::parse(&wrapped(&[])).is_some());
        assert!(Outline::parse(&wrapped(&[5, 0])).is_none());
        assert!(Outline::parse(&[&der[..], &[0]].concat()).is_none());
        assert!(Outline::parse(&[&der[..], &der[..]].concat()).is_none());
    }
}
