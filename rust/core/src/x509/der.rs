// SPDX-License-Identifier: Apache-2.0
//! A reader of DER elements that never fails on more than the element at hand.
//!
//! Certificates reach this module after the handshake proved possession of their key, but a client may have
//! made its certificate itself, so every byte is foreign. OpenSSL, whose output the fields imitate, accepts
//! times, serials and names that stricter parsers refuse; hence elements are split here and judged later.

/// One element: identifier octet, content, and the bytes it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Identifier octet with class and constructed bits.
    pub tag: u8,
    /// Content octets.
    pub value: &'a [u8],
    /// The whole element, header included.
    pub raw: &'a [u8],
}

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// Identifier octet of the context-specific tag `n`, constructed.
pub(crate) const fn context(n: u8) -> u8 {
    0xa0 | n
}

/// Splits a run of elements off `rest`, one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads the elements that `input` consists of.
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// Whether every element was read.
    pub(crate) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many octets are not read yet.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next element of any type; `None` at the end and where the bytes are no element.
    pub(crate) fn any(&mut self) -> Option<Element<'a>> {
        let input = self.rest;
        let (&tag, after_tag) = input.split_first()?;
        // Identifiers of more than one octet occur in no certificate field.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, content) = read_length(after_tag)?;
        let value = content.get(..length)?;
        self.rest = content.get(length..)?;
        let header = input.len().checked_sub(content.len())?;
        let raw = input.get(..header.checked_add(length)?)?;
        Some(Element { tag, value, raw })
    }

    /// The next element if its identifier is `tag`; nothing is consumed otherwise.
    pub(crate) fn require(&mut self, tag: u8) -> Option<Element<'a>> {
        let before = *self;
        match self.any() {
            Some(element) if element.tag == tag => Some(element),
            _ => {
                *self = before;
                None
            }
        }
    }

    /// Content of the next element if its identifier is `tag`; nothing is consumed otherwise.
    pub(crate) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.require(tag).map(|element| element.value)
    }

    /// The next element if its identifier is `tag`, header included; nothing is consumed in any case.
    pub(crate) fn peek(self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = self;
        ahead.require(tag).map(|element| element.raw)
    }

    /// A BOOLEAN DEFAULT FALSE (X.690, 8.2): absent is false. `None` where it is not of one octet. Any octet but zero is
    /// true, as in OpenSSL.
    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.require(BOOLEAN).map(|flag| flag.value) {
            None => Some(false),
            Some([octet]) => Some(*octet != 0),
            Some(_) => None,
        }
    }

    /// A reader of the content of the next element, which must be a `tag`.
    pub(crate) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.require(tag).map(|element| Reader::new(element.value))
    }
}

/// The one element of type `tag` that `input` must be.
pub(crate) fn only(input: &[u8], tag: u8) -> Option<Element<'_>> {
    let mut reader = Reader::new(input);
    let element = reader.require(tag)?;
    reader.at_end().then_some(element)
}

/// A reader of the content of the one element of type `tag` that `input` must be.
pub(crate) fn whole(input: &[u8], tag: u8) -> Option<Reader<'_>> {
    only(input, tag).map(|element| Reader::new(element.value))
}

/// Whether content octets are those of an INTEGER, without octets that say nothing (X.690, 8.3.2).
pub(crate) fn is_integer(content: &[u8]) -> bool {
    match content {
        [] => false,
        [_] => true,
        [0, second, ..] => second & 0x80 != 0,
        [0xff, second, ..] => second & 0x80 == 0,
        _ => true,
    }
}

/// Whether content octets are those of an OBJECT IDENTIFIER: at least one number, none of which is cut or begins with octets
/// that say nothing (X.690, 8.19.2).
pub(crate) fn is_oid(content: &[u8]) -> bool {
    let ended = content.last().is_some_and(|octet| octet & 0x80 == 0);
    let starts = content.iter().scan(true, |start, octet| {
        Some((std::mem::replace(start, octet & 0x80 == 0), octet))
    });
    ended
        && !starts
            .into_iter()
            .any(|(start, octet)| start && *octet == 0x80)
}

/// Whether content octets are those of a BIT STRING (X.690, 8.6.2).
pub(crate) fn is_bit_string(content: &[u8]) -> bool {
    content
        .first()
        .is_some_and(|unused| *unused < 8 && (*unused == 0 || content.len() > 1))
}

/// Content of an INTEGER as an unsigned number; `None` beyond 64 bits.
pub(crate) fn number(content: &[u8]) -> Option<u64> {
    if content.len() > 8 {
        return None;
    }
    Some(
        content
            .iter()
            .fold(0, |sum, &octet| sum << 8 | u64::from(octet)),
    )
}

/// Content of an INTEGER as a count that is not negative; what is too large for 64 bits is as good as endless.
pub(crate) fn count(content: &[u8]) -> Option<u64> {
    if !is_integer(content) || content.first()? & 0x80 != 0 {
        return None;
    }
    let digits = content.iter().try_fold(0_u64, |sum, &octet| {
        sum.checked_mul(256)?.checked_add(octet.into())
    });
    Some(digits.unwrap_or(u64::MAX))
}

/// Bits of the modulus of an RSAPublicKey (RFC 8017, A.1.1), without leading zeros.
pub(crate) fn modulus_bits(key: &[u8]) -> Option<usize> {
    significant_bits(Reader::new(key).enter(SEQUENCE)?.take(INTEGER)?)
}

/// Bits of an unsigned INTEGER's content, without leading zeros; `None` for zero.
pub(crate) fn significant_bits(content: &[u8]) -> Option<usize> {
    let zeros = content.iter().take_while(|octet| **octet == 0).count();
    let first = content.get(zeros)?;
    let octets = content.len().checked_sub(zeros)?;
    octets
        .checked_mul(8)?
        .checked_sub(usize::try_from(first.leading_zeros()).ok()?)
}

/// Definite lengths of up to four octets; longer than needed forms pass, as they do in OpenSSL.
fn read_length(input: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = input.split_first()?;
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let octets = usize::from(first & 0x7f);
    if octets == 0 || octets > 4 {
        return None;
    }
    let (digits, rest) = rest.split_at_checked(octets)?;
    let length = digits
        .iter()
        .fold(0_u64, |sum, &digit| sum << 8 | u64::from(digit));
    usize::try_from(length).ok().map(|length| (length, rest))
}

/// One element made of parts.
pub(crate) fn written(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let digits = length.to_be_bytes();
    let mut out = vec![tag];
    if length < 0x80 {
        out.extend(digits.last());
    } else {
        let significant = digits.iter().skip_while(|digit| **digit == 0);
        out.extend(u8::try_from(significant.clone().count()).map(|count| 0x80 | count));
        out.extend(significant);
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_elements() {
        let mut reader = Reader::new(&[0x02, 0x01, 0x05, 0x0c, 0x81, 0x02, b'h', b'i']);
        let number = reader.require(INTEGER).unwrap();
        assert_eq!(number.raw, [0x02, 0x01, 0x05]);
        assert!(reader.require(INTEGER).is_none());
        assert_eq!(reader.require(UTF8_STRING).unwrap().value, b"hi");
        assert!(reader.at_end());
    }

    #[test]
    fn identifiers_are_made_of_whole_numbers() {
        for (content, expected) in [
            (&[0x55, 4, 3][..], true),
            (&[0x88, 0x37, 3], true),
            (&[], false),
            (&[0x55, 0x84], false),
            (&[0x55, 0x80, 3], false),
            (&[0x80, 0x37], false),
        ] {
            assert_eq!(is_oid(content), expected, "{content:x?}");
        }
    }

    #[test]
    fn a_flag_is_one_octet_or_absent() {
        for (input, expected) in [
            (&[][..], Some(false)),
            (&[0x02, 1, 1], Some(false)),
            (&[0x01, 1, 0], Some(false)),
            (&[0x01, 1, 1], Some(true)),
            (&[0x01, 0], None),
            (&[0x01, 2, 0, 0xff], None),
        ] {
            assert_eq!(Reader::new(input).flag(), expected, "{input:x?}");
        }
    }

    #[test]
    fn refuses_what_is_no_element() {
        for input in [
            &[0x02][..],
            &[0x02, 0x02, 0x01],
            &[0x30, 0x80],
            &[0x1f, 0x01, 0x00],
            &[0x04, 0x85, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(Reader::new(input).any(), None, "{input:x?}");
        }
    }
}
