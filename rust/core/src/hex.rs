// SPDX-License-Identifier: Apache-2.0
//! Octets in hexadecimal.

/// In lower-case digits.
pub(crate) fn lower(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// In upper-case digits, as OpenSSL prints serial numbers.
pub(crate) fn upper(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}
