// SPDX-License-Identifier: Apache-2.0
//! Base64 (RFC 4648 4) and blocks of PEM (RFC 7468), as they are written.

/// Six bits to the character that says them.
pub(crate) type Digit = fn(u32) -> u8;

/// By a table: for what everybody may know.
pub(crate) fn public(bits: u32) -> u8 {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let place = usize::try_from(bits & 63).unwrap_or(0);
    ALPHABET.get(place).copied().unwrap_or(b'=')
}

/// Without a table that a key would choose from.
pub(crate) fn secret(bits: u32) -> u8 {
    let bits = i32::try_from(bits & 63).unwrap_or(0);
    // All ones where bits >= bound.
    let beyond = |bound: i32| !((bits - bound) >> 8);
    let character = bits
        + 65
        + (beyond(26) & (97 - 26 - 65))
        + (beyond(52) & (48 - 52 - (97 - 26)))
        + (beyond(62) & (43 - 62 - (48 - 52)))
        + (beyond(63) & (47 - 63 - (43 - 62)));
    u8::try_from(character).unwrap_or(b'=')
}

/// Appends the text of `bytes`, padded.
pub(crate) fn append(out: &mut Vec<u8>, bytes: &[u8], digit: Digit) {
    for group in bytes.chunks(3) {
        let at = |number: usize| u32::from(group.get(number).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        out.extend((0..4).map(|number| match number <= group.len() {
            true => digit(word >> (18 - 6 * number) & 63),
            false => b'=',
        }));
    }
}

/// Appends a block of 64 characters a line, with a line break at the end.
pub(crate) fn append_block(out: &mut Vec<u8>, label: &str, bytes: &[u8], digit: Digit) {
    out.extend_from_slice(b"-----BEGIN ");
    out.extend_from_slice(label.as_bytes());
    out.extend_from_slice(b"-----\n");
    for line in bytes.chunks(48) {
        append(out, line, digit);
        out.push(b'\n');
    }
    out.extend_from_slice(b"-----END ");
    out.extend_from_slice(label.as_bytes());
    out.extend_from_slice(b"-----\n");
}

#[cfg(test)]
mod tests {
    use super::{public, secret};

    #[test]
    fn both_alphabets_are_one() {
        assert!((0..64).all(|bits| public(bits) == secret(bits)));
    }
}
