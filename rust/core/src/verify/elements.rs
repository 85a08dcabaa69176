// SPDX-License-Identifier: Apache-2.0
//! Single elements of extensions.

use crate::x509::canonical::canonical;
pub(super) use crate::x509::der::is_integer;
use crate::x509::der::{Element, OID, Reader, SEQUENCE, is_oid};

/// The one element of type `tag` that `input` must be.
pub(super) fn only(input: &[u8], tag: u8) -> Option<Element<'_>> {
    let mut reader = Reader::new(input);
    let element = reader.expect(tag)?;
    reader.at_end().then_some(element)
}

/// The content of the one element of type `tag` that `input` must be.
pub(super) fn whole(input: &[u8], tag: u8) -> Option<Reader<'_>> {
    only(input, tag).map(|element| Reader::new(element.value))
}

/// A count that is not negative; what is too large for 64 bits is as good as endless.
pub(super) fn count(content: &[u8]) -> Option<u64> {
    if !is_integer(content) || content.first()? & 0x80 != 0 {
        return None;
    }
    let digits = content.iter().try_fold(0_u64, |sum, &octet| {
        sum.checked_mul(256)?.checked_add(octet.into())
    });
    Some(digits.unwrap_or(u64::MAX))
}

/// The canonical form of a directoryName, whose tag is explicit.
pub(super) fn directory_name(content: &[u8]) -> Option<Vec<u8>> {
    canonical(only(content, SEQUENCE)?.value)
}

/// Content of a list of purposes.
pub(super) fn purposes(value: &[u8]) -> Option<&[u8]> {
    let list = only(value, SEQUENCE)?.value;
    let mut purposes = Reader::new(list);
    while !purposes.at_end() {
        purposes.take(OID).filter(|oid| is_oid(oid))?;
    }
    Some(list)
}

/// Content of a list of GeneralName, each of which is of a known kind (RFC 5280, 4.2.1.6).
pub(super) fn general_names(value: &[u8]) -> Option<&[u8]> {
    let list = only(value, SEQUENCE)?.value;
    let mut names = Reader::new(list);
    while !names.at_end() {
        general_name(&names.any()?)?;
    }
    Some(list)
}

/// Whether it is a GeneralName of a known kind, which says no more than one.
pub(super) fn general_name(name: &Element<'_>) -> Option<()> {
    match name.tag {
        0xa0 => {
            let mut other = Reader::new(name.value);
            other.take(OID).filter(|oid| is_oid(oid))?;
            let mut value = other.enter(0xa0)?;
            value.any()?;
            (value.at_end() && other.at_end()).then_some(())
        }
        0xa3 | 0xa5 | 0x81 | 0x82 | 0x86 | 0x87 => Some(()),
        0xa4 => directory_name(name.value).map(drop),
        0x88 => is_oid(name.value).then_some(()),
        _ => None,
    }
}

/// The first nine bits or so of a BIT STRING, the first one lowest; bits beyond its end are none.
pub(super) fn bits(unused: u8, octets: &[u8]) -> Option<u16> {
    if unused > 7 || (octets.is_empty() && unused != 0) {
        return None;
    }
    let last = octets.len().saturating_sub(1);
    let reversed = |(place, octet): (usize, &u8)| {
        let kept = if place == last {
            0xff_u8 << unused
        } else {
            0xff
        };
        u16::from((octet & kept).reverse_bits()) << place.saturating_mul(8)
    };
    Some(octets.iter().enumerate().take(2).map(reversed).sum())
}
