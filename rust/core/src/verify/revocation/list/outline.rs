// SPDX-License-Identifier: Apache-2.0
//! Where in the DER of a revocation list its parts are (RFC 5280, 5.1).

use crate::x509::der::{
    BIT_STRING, Element, INTEGER, Reader, SEQUENCE, context, count, is_bit_string, is_integer, only,
};
use crate::x509::outline::{is_algorithm, time};

/// Where the parts of a list are.
pub(super) struct Outline<'a> {
    pub(super) issuer: Element<'a>,
    pub(super) this_update: Element<'a>,
    pub(super) next_update: Option<Element<'a>>,
    pub(super) entries: Option<Element<'a>>,
    /// Where in the DER the first entry begins.
    pub(super) entries_at: usize,
    pub(super) extensions: &'a [u8],
}

impl<'a> Outline<'a> {
    /// Finds them; `None` where it is no list, as where something is cut, doubled or too much.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let list = only(der, SEQUENCE)?;
        let mut parts = Reader::new(list.value);
        let body = parts.require(SEQUENCE)?;
        let mut fields = Reader::new(body.value);
        // The version; the first one is not written.
        if let Some(version) = fields.take(INTEGER) {
            is_integer(version).then_some(())?;
        }
        is_algorithm(fields.take(SEQUENCE)?).then_some(())?;
        let issuer = fields.require(SEQUENCE)?;
        let this_update = time(&mut fields)?;
        let next_update = time(&mut fields);
        let entries = fields.require(SEQUENCE);
        let behind = parts.left().saturating_add(fields.left());
        let length = entries.as_ref().map_or(0, |entries| entries.value.len());
        let entries_at = der.len().checked_sub(behind)?.checked_sub(length)?;
        let extensions = match fields.enter(context(0)) {
            Some(mut list) => list.take(SEQUENCE).filter(|_| list.at_end())?,
            None => &[],
        };
        is_algorithm(parts.take(SEQUENCE)?).then_some(())?;
        is_bit_string(parts.take(BIT_STRING)?).then_some(())?;
        (fields.at_end() && parts.at_end()).then_some(())?;
        Some(Self {
            issuer,
            this_update,
            next_update,
            entries,
            entries_at,
            extensions,
        })
    }
}

/// A number that is not negative, without leading zeros, so that longer ones are greater.
pub(super) fn number(value: &[u8]) -> Option<Vec<u8>> {
    let content = only(value, INTEGER)?.value;
    count(content)?;
    let zeros = content.iter().take_while(|octet| **octet == 0).count();
    content.get(zeros..).map(<[u8]>::to_vec)
}

/// A serial number without octets that say nothing.
pub(super) fn digits(serial: &[u8]) -> &[u8] {
    let mut rest = serial;
    while let [first, second, ..] = rest {
        let idle = (*first == 0 && second & 0x80 == 0) || (*first == 0xff && second & 0x80 != 0);
        if !idle {
            break;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    rest
}
