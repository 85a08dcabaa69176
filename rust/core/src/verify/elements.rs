// SPDX-License-Identifier: Apache-2.0
//! Single elements of extensions.

use crate::x509::der::{Element, Reader};

/// The one element of type `tag` that `input` must be.
pub fn only(input: &[u8], tag: u8) -> Option<Element<'_>> {
    let mut reader = Reader::new(input);
    let element = reader.expect(tag)?;
    reader.at_end().then_some(element)
}

/// The content of the one element of type `tag` that `input` must be.
pub fn whole(input: &[u8], tag: u8) -> Option<Reader<'_>> {
    only(input, tag).map(|element| Reader::new(element.value))
}

/// Whether content octets are those of an INTEGER, without octets that say nothing (X.690, 8.3.2).
pub fn is_integer(content: &[u8]) -> bool {
    match content {
        [] => false,
        [_] => true,
        [0, second, ..] => second & 0x80 != 0,
        [0xff, second, ..] => second & 0x80 == 0,
        _ => true,
    }
}

/// A count that is not negative; what is too large for 64 bits is as good as endless.
pub fn count(content: &[u8]) -> Option<u64> {
    if !is_integer(content) || content.first()? & 0x80 != 0 {
        return None;
    }
    let digits = content.iter().try_fold(0_u64, |sum, &octet| {
        sum.checked_mul(256)?.checked_add(octet.into())
    });
    Some(digits.unwrap_or(u64::MAX))
}
