// SPDX-License-Identifier: Apache-2.0
//! Octets in hexadecimal.

/// In lower-case digits.
pub(crate) fn lower(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The same behind `0x`.
pub(crate) fn prefixed(octets: &[u8]) -> String {
    "0x".to_owned() + &lower(octets)
}

/// In upper-case digits, as OpenSSL prints serial numbers.
pub(crate) fn upper(octets: &[u8]) -> String {
    let mut out = Vec::with_capacity(octets.len().saturating_mul(2));
    octets.iter().for_each(|&octet| push_upper(octet, &mut out));
    String::from_utf8(out).unwrap_or_default()
}

/// Two upper-case digits.
pub(crate) fn push_upper(octet: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for nibble in [octet >> 4, octet & 15] {
        out.extend(DIGITS.get(usize::from(nibble)));
    }
}
