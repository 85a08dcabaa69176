// SPDX-License-Identifier: Apache-2.0
//! What a certificate says that it may be used for (RFC 5280, 4.2.1.3, 4.2.1.9 and 4.2.1.12). Whoever reads an extension
//! that is not as it should be gets nothing, and decides what comes of that.

use super::der::{BIT_STRING, INTEGER, OID, Reader, SEQUENCE, count, is_oid, only, whole};

/// Identifiers of the three extensions: id-ce-keyUsage, id-ce-basicConstraints, id-ce-extKeyUsage.
pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
pub(crate) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
pub(crate) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];

/// Bits of KeyUsage in the order of RFC 5280, 4.2.1.3, the first one lowest.
pub(crate) const DIGITAL_SIGNATURE: u16 = 1;
pub(crate) const KEY_ENCIPHERMENT: u16 = 1 << 2;
pub(crate) const KEY_AGREEMENT: u16 = 1 << 4;
pub(crate) const KEY_CERT_SIGN: u16 = 1 << 5;
pub(crate) const CRL_SIGN: u16 = 1 << 6;

/// Purposes of ExtendedKeyUsage: id-kp-clientAuth, id-kp-serverAuth, id-kp-OCSPSigning, anyExtendedKeyUsage, and the two
/// "server gated cryptography" that OpenSSL counts as a server's.
pub(crate) const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
pub(crate) const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
pub(crate) const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];
pub(crate) const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 0x25, 0];
pub(crate) const MS_SGC: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 10, 3, 3];
pub(crate) const NETSCAPE_SGC: &[u8] = &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 4, 1];

/// The bits of a KeyUsage.
pub(crate) fn key_usage(value: &[u8]) -> Option<u16> {
    let (&unused, octets) = only(value, BIT_STRING)?.value.split_first()?;
    bits(unused, octets)
}

/// Whether BasicConstraints are an authority's, and how many more there may be below it.
pub(crate) fn basic_constraints(value: &[u8]) -> Option<(bool, Option<u64>)> {
    let mut fields = whole(value, SEQUENCE)?;
    let authority = fields.flag()?;
    let length = match fields.require(INTEGER) {
        Some(length) => Some(count(length.value)?),
        None => None,
    };
    fields.at_end().then_some((authority, length))
}

/// Content of the list of an ExtendedKeyUsage.
pub(crate) fn purposes(value: &[u8]) -> Option<&[u8]> {
    let list = only(value, SEQUENCE)?.value;
    let mut purposes = Reader::new(list);
    while !purposes.at_end() {
        purposes.take(OID).filter(|oid| is_oid(oid))?;
    }
    Some(list)
}

/// Whether such a list has one of `wanted`.
pub(crate) fn has_purpose(list: &[u8], wanted: &[&[u8]]) -> bool {
    let mut list = Reader::new(list);
    std::iter::from_fn(|| list.take(OID)).any(|purpose| wanted.contains(&purpose))
}

/// The first sixteen bits or so of a BIT STRING, the first one lowest; bits beyond its end are none.
pub(crate) fn bits(unused: u8, octets: &[u8]) -> Option<u16> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_key_usage_are_read_from_the_first_one_on() {
        for (value, expected) in [
            (&[3, 2, 7, 0x80][..], Some(DIGITAL_SIGNATURE)),
            (&[3, 2, 1, 0x06], Some(KEY_CERT_SIGN | CRL_SIGN)),
            (
                &[3, 2, 0, 0x28],
                Some(KEY_ENCIPHERMENT << 2 | KEY_AGREEMENT >> 2),
            ),
            (&[3, 3, 7, 0, 0x80], Some(1 << 8)),
            (&[3, 2, 5, 0x9f], Some(DIGITAL_SIGNATURE)),
            (&[3, 1, 0], Some(0)),
            (&[3, 2, 8, 0x80], None),
            (&[3, 1, 1], None),
            (&[3, 0], None),
            (&[3, 2, 7, 0x80, 0], None),
        ] {
            assert_eq!(key_usage(value), expected, "{value:x?}");
        }
    }

    #[test]
    fn basic_constraints_are_whole_or_nothing() {
        for (value, expected) in [
            (&[0x30, 0][..], Some((false, None))),
            (&[0x30, 3, 1, 1, 0xff], Some((true, None))),
            (&[0x30, 6, 1, 1, 0xff, 2, 1, 3], Some((true, Some(3)))),
            (&[0x30, 3, 2, 1, 3], Some((false, Some(3)))),
            (&[0x30, 6, 1, 1, 0xff, 2, 1, 0x80], None),
            (&[0x30, 5, 1, 1, 0xff, 5, 0], None),
            (&[0x30, 3, 1, 1, 0xff, 0], None),
            (&[0x30, 2, 1, 0], None),
        ] {
            assert_eq!(basic_constraints(value), expected, "{value:x?}");
        }
    }

    #[test]
    fn purposes_are_found_in_whole_lists() {
        let both = [0x30, 12, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1, 6, 0];
        assert_eq!(purposes(&both), None, "an empty identifier");
        let one = [0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
        let list = purposes(&one).unwrap();
        assert!(has_purpose(list, &[CLIENT_AUTH, SERVER_AUTH]));
        assert!(!has_purpose(list, &[CLIENT_AUTH, ANY_PURPOSE]));
        assert_eq!(purposes(&[0x30, 0]), Some(&[][..]));
    }
}
