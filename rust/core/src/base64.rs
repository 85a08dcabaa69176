// SPDX-License-Identifier: Apache-2.0
//! Base64 (RFC 4648 4), written and read, and blocks of PEM (RFC 7468), as they are written.
//!
//! What is a key's is mapped by arithmetic, not by a table, so that no cache line tells about it.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use zeroize::Zeroizing;

/// Six bits to the character that says them.
pub(crate) type Digit = fn(u32) -> u8;

/// By a table: for what everybody may know.
pub(crate) fn public(bits: u32) -> u8 {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let place = usize::try_from(bits & 63).unwrap_or(0);
    ALPHABET.get(place).copied().unwrap_or(b'=')
}

/// Without a table that a key would choose from.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "six bits and constants of one octet: no operation leaves 32 bits, and none may branch"
)]
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
            true => digit(word >> 18_usize.saturating_sub(number.saturating_mul(6)) & 63),
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

/// Base64 (RFC 4648 4) with white space anywhere. `None` for other characters, wrong padding and a wrong length.
pub(crate) fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoder = Decoder::with_room_for(text.len());
    decoder.feed(text)?;
    decoder.finish()
}

/// What base64 text gives, piece by piece.
pub(crate) struct Decoder {
    /// Its capacity is never exceeded, so the buffer is never moved and leaves no copy behind.
    out: Zeroizing<Vec<u8>>,
    word: u32,
    digits: u8,
    padding: u8,
}

impl Decoder {
    /// For at most so many characters.
    pub(crate) fn with_room_for(characters: usize) -> Self {
        Self {
            out: Zeroizing::new(Vec::with_capacity(
                (characters / 4).saturating_mul(3).saturating_add(3),
            )),
            word: 0,
            digits: 0,
            padding: 0,
        }
    }

    /// Takes more text; `None` where it is none.
    pub(crate) fn feed(&mut self, text: &[u8]) -> Option<()> {
        for byte in text {
            if byte.is_ascii_whitespace() {
                continue;
            }
            if *byte == b'=' {
                self.padding = self.padding.saturating_add(1);
                if self.padding > 2 {
                    return None;
                }
                continue;
            }
            if self.padding > 0 {
                return None;
            }
            self.word = self.word << 6 | u32::from(value(*byte)?);
            self.digits = self.digits.saturating_add(1);
            if self.digits == 4 {
                let [_, a, b, c] = self.word.to_be_bytes();
                self.out.extend_from_slice(&[a, b, c]);
                (self.word, self.digits) = (0, 0);
            }
        }
        Some(())
    }

    /// All of it; `None` where it ends too early.
    pub(crate) fn finish(mut self) -> Option<Zeroizing<Vec<u8>>> {
        match (self.digits, self.padding) {
            (0, 0) => {}
            (3, 1) => {
                let [_, a, b, _] = (self.word << 6).to_be_bytes();
                self.out.extend_from_slice(&[a, b]);
            }
            (2, 2) => {
                let [_, a, _, _] = (self.word << 12).to_be_bytes();
                self.out.push(a);
            }
            _ => return None,
        }
        Some(self.out)
    }
}

/// The value of one base64 digit, without a branch on the ranges and without a table.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "octets in sixteen bits: no operation leaves them, and none may branch"
)]
fn value(byte: u8) -> Option<u8> {
    let b = i16::from(byte);
    // All ones where low <= b <= high.
    let within = |low: u8, high: u8| (i16::from(low) - 1 - b) >> 8 & (b - i16::from(high) - 1) >> 8;
    let value = (within(b'A', b'Z') & (b - 65 + 1))
        | (within(b'a', b'z') & (b - 97 + 26 + 1))
        | (within(b'0', b'9') & (b - 48 + 52 + 1))
        | (within(b'+', b'+') & (62 + 1))
        | (within(b'/', b'/') & (63 + 1));
    u8::try_from(value - 1).ok()
}

#[cfg(test)]
mod tests {
    use super::{public, secret};

    #[test]
    fn both_alphabets_are_one() {
        assert!((0..64).all(|bits| public(bits) == secret(bits)));
    }
}
