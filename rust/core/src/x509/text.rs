// SPDX-License-Identifier: Apache-2.0
//! String types of ASN.1 printed the way OpenSSL's `ASN1_STRING_print_ex` prints them.

use crate::hex;

/// Which characters are escaped, and whether the text is converted to UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// RFC 2253: specials anywhere, `#` and space in front, space behind, unknown types as `#` and hexadecimal DER.
    pub rfc2253: bool,
    /// Bytes as stored in the certificate instead of UTF-8.
    pub raw: bool,
}

impl Style {
    /// How a distinguished name is written.
    pub const NAME: Self = Self {
        rfc2253: true,
        raw: false,
    };
    /// How one attribute, or one alternative name, is written.
    pub const ATTRIBUTE: Self = Self {
        rfc2253: false,
        raw: false,
    };
    /// One attribute of a variable that ends in `_RAW`.
    pub const RAW: Self = Self {
        rfc2253: false,
        raw: true,
    };
}

/// Octets of one character in the string type with universal tag `tag`: 0 for UTF-8, `None` for what is no string.
fn width(tag: u8) -> Option<usize> {
    match tag {
        0x0c => Some(0),
        0x12..=0x14 | 0x16..=0x18 | 0x1a => Some(1),
        0x1c => Some(4),
        0x1e => Some(2),
        _ => None,
    }
}

/// Appends the value of tag `tag` to `out`. `raw` is the whole element, printed where the type is no string.
/// False, and nothing appended, where the content does not fit its type (an odd BMPString, say).
pub(super) fn print(tag: u8, value: &[u8], raw: &[u8], style: Style, out: &mut Vec<u8>) -> bool {
    let width = match width(tag) {
        Some(width) => width,
        None if style.rfc2253 => {
            print_der(raw, out);
            return true;
        }
        None => 1,
    };
    // UTF-8 that stays UTF-8 is taken byte by byte, so that even invalid sequences pass unchanged.
    let convert = !style.raw && width != 0;
    let width = if !style.raw && width == 0 { 1 } else { width };
    let start = out.len();
    if print_characters(value, width, convert, style.rfc2253, out).is_none() {
        out.truncate(start);
        return false;
    }
    true
}

/// `#` and the element in upper-case hexadecimal.
pub(super) fn print_der(raw: &[u8], out: &mut Vec<u8>) {
    out.push(b'#');
    raw.iter().for_each(|&octet| hex::push_upper(octet, out));
}

fn print_characters(
    value: &[u8],
    width: usize,
    convert: bool,
    rfc2253: bool,
    out: &mut Vec<u8>,
) -> Option<()> {
    let mut rest = value;
    let mut first = true;
    while !rest.is_empty() {
        let (character, after) = next_character(rest, width)?;
        rest = after;
        let place = Place {
            first: first && !rest.is_empty(),
            last: rest.is_empty(),
        };
        first = false;
        if convert {
            for octet in encode_utf8(character)? {
                push_escaped(u32::from(octet), place, rfc2253, out);
            }
        } else {
            push_escaped(character, place, rfc2253, out);
        }
    }
    Some(())
}

/// Whether a character opens or closes its string. A single one counts as last only, as in OpenSSL.
#[derive(Clone, Copy)]
struct Place {
    first: bool,
    last: bool,
}

fn next_character(input: &[u8], width: usize) -> Option<(u32, &[u8])> {
    if width == 0 {
        return decode_utf8(input);
    }
    let (octets, rest) = input.split_at_checked(width)?;
    let character = octets
        .iter()
        .fold(0_u32, |sum, &octet| sum << 8 | u32::from(octet));
    Some((character, rest))
}

/// One character of UTF-8; `None` for overlong, truncated and stray sequences.
fn decode_utf8(input: &[u8]) -> Option<(u32, &[u8])> {
    let length = match input.first()? {
        0..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    let (octets, rest) = input.split_at_checked(length)?;
    let text = std::str::from_utf8(octets).ok()?;
    text.chars().next().map(|c| (u32::from(c), rest))
}

/// UTF-8 of any code point below 2^21 outside the surrogates; `None` for the rest, as OpenSSL has it.
fn encode_utf8(character: u32) -> Option<Vec<u8>> {
    let character = char::from_u32(character)?;
    let mut buffer = [0_u8; 4];
    Some(character.encode_utf8(&mut buffer).as_bytes().to_vec())
}

fn push_escaped(character: u32, place: Place, rfc2253: bool, out: &mut Vec<u8>) {
    let Ok(octet) = u8::try_from(character) else {
        let text = if character > 0xffff {
            format!("\\W{character:08X}")
        } else {
            format!("\\U{character:04X}")
        };
        out.extend_from_slice(text.as_bytes());
        return;
    };
    let special = rfc2253
        && match octet {
            b'"' | b'+' | b',' | b';' | b'<' | b'>' => true,
            b'#' => place.first,
            b' ' => place.first || place.last,
            _ => false,
        };
    match octet {
        0..=0x1f | 0x7f => {
            out.push(b'\\');
            hex::push_upper(octet, out);
        }
        b'\\' => out.extend_from_slice(b"\\\\"),
        _ if special => out.extend_from_slice(&[b'\\', octet]),
        _ => out.push(octet),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(tag: u8, value: &[u8], style: Style) -> Option<String> {
        let mut out = Vec::new();
        print(tag, value, b"RAW", style, &mut out)
            .then(|| String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn escapes_as_rfc_2253() {
        for (value, expected) in [
            ("plain", "plain"),
            (" a ", "\\ a\\ "),
            ("#a#", "\\#a#"),
            ("#", "#"),
            (" ", "\\ "),
            ("a,b+c\"d\\e<f>g;h", "a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h"),
            ("a\nb\u{7f}", "a\\0Ab\\7F"),
            ("Käse", "Käse"),
            ("a=b", "a=b"),
        ] {
            assert_eq!(
                printed(0x0c, value.as_bytes(), Style::NAME).as_deref(),
                Some(expected)
            );
        }
    }

    #[test]
    fn converts_string_types() {
        assert_eq!(
            printed(0x1e, &[0x00, 0x41, 0x20, 0xac], Style::ATTRIBUTE).as_deref(),
            Some("A€")
        );
        assert_eq!(
            printed(0x1e, &[0x00, 0x41, 0x20, 0xac], Style::RAW).as_deref(),
            Some("A\\U20AC")
        );
        assert_eq!(
            printed(0x1c, &[0, 1, 0xf6, 0x00], Style::ATTRIBUTE).as_deref(),
            Some("😀")
        );
        assert_eq!(
            printed(0x14, &[0xe4], Style::ATTRIBUTE).as_deref(),
            Some("ä")
        );
        assert_eq!(printed(0x1e, &[0x00], Style::ATTRIBUTE), None);
        assert_eq!(
            printed(0x03, &[0x00, 0x80], Style::NAME).as_deref(),
            Some("#524157")
        );
    }
}
