// SPDX-License-Identifier: Apache-2.0
//! The form of a name in which equal names are equal octets (RFC 5280, 7.1).
//!
//! Like OpenSSL: strings of every type become UTF-8, letters of ASCII lower case, spaces at the ends vanish and runs of them
//! become one; attributes of one relative name are sorted. Values of other types are compared as they stand. Each part
//! carries its length, so that a name whose canonical form begins with another's lies beneath it.

use super::der::{BIT_STRING, Element, OID, Reader, SEQUENCE, SET, is_bit_string, is_oid};

const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;
const TELETEX: u8 = 0x14;
const IA5: u8 = 0x16;
const UNIVERSAL: u8 = 0x1c;
const BMP: u8 = 0x1e;

/// The canonical form of a name, of which `content` is the content of the SEQUENCE. `None` for what is no name.
/// At most a small multiple of the input; linear in it, but for sorting attributes of one relative name.
pub(crate) fn canonical(content: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(content.len().saturating_add(16));
    let mut names = Reader::new(content);
    while !names.at_end() {
        let mut set = names.enter(SET)?;
        let mut attributes = Vec::new();
        while !set.at_end() {
            attributes.push(attribute(set.enter(SEQUENCE)?)?);
        }
        attributes.sort();
        part(&attributes.concat(), &mut out)?;
    }
    Some(out)
}

/// Whether two names (DER) are one, as certificates are chained (RFC 5280, 7.1).
pub(crate) fn is_one_name(a: &[u8], b: &[u8]) -> bool {
    let canonical = |name| canonical(Reader::new(name).take(SEQUENCE)?);
    a == b || canonical(a).is_some_and(|a| Some(a) == canonical(b))
}

/// Whether `name` lies in the subtree of `base`, or is `base`; both canonical (RFC 5280, 4.2.1.10).
pub(crate) fn is_beneath(name: &[u8], base: &[u8]) -> bool {
    name.starts_with(base)
}

fn part(octets: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.extend(u32::try_from(octets.len()).ok()?.to_be_bytes());
    out.extend_from_slice(octets);
    Some(())
}

fn attribute(mut fields: Reader<'_>) -> Option<Vec<u8>> {
    let oid = fields.take(OID).filter(|oid| is_oid(oid))?;
    let value = fields.any().filter(|_| fields.at_end())?;
    is_value(&value).then_some(())?;
    let mut out = Vec::with_capacity(
        oid.len()
            .saturating_add(value.value.len())
            .saturating_add(12),
    );
    part(oid, &mut out)?;
    if let Some(text) = string(value.tag, value.value) {
        out.push(UTF8);
        part(fold(&text?).as_bytes(), &mut out)?;
    } else {
        out.push(value.tag);
        part(value.value, &mut out)?;
    }
    Some(out)
}

/// Whether an attribute may have this value: as OpenSSL, which knows strings, sequences and what nobody uses.
fn is_value(value: &Element<'_>) -> bool {
    match value.tag {
        0x01 | 0x02 | 0x04..=0x06 | 0x15 | 0x17..=0x1b => false,
        SEQUENCE => true,
        BIT_STRING => is_bit_string(value.value),
        tag => tag & 0xe0 == 0,
    }
}

/// A string type as text: `None` for other types, `Some(None)` for text that is no such string.
pub(crate) fn string(tag: u8, content: &[u8]) -> Option<Option<String>> {
    Some(match tag {
        UTF8 => std::str::from_utf8(content).ok().map(str::to_owned),
        // OpenSSL takes T61 for ISO 8859-1, as everybody who wrote such names did.
        PRINTABLE | TELETEX | IA5 => Some(content.iter().copied().map(char::from).collect()),
        BMP => wide::<2>(content),
        UNIVERSAL => wide::<4>(content),
        _ => return None,
    })
}

fn wide<const N: usize>(content: &[u8]) -> Option<String> {
    let units = content.chunks(N).map(|unit| {
        let number = unit
            .iter()
            .fold(0_u32, |sum, &octet| sum << 8 | u32::from(octet));
        (unit.len() == N).then(|| char::from_u32(number)).flatten()
    });
    units.collect()
}

fn fold(text: &str) -> String {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r');
    let mut out = String::with_capacity(text.len());
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().map(|c| c.to_ascii_lowercase()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn rdn(attributes: &[(u8, u8, &[u8])]) -> Vec<u8> {
        let each = attributes.iter().map(|(kind, tag, value)| {
            tlv(
                SEQUENCE,
                &[tlv(OID, &[0x55, 4, *kind]), tlv(*tag, value)].concat(),
            )
        });
        tlv(SET, &each.collect::<Vec<_>>().concat())
    }

    fn of(tag: u8, value: &[u8]) -> Option<Vec<u8>> {
        canonical(&rdn(&[(3, tag, value)]))
    }

    #[test]
    fn equal_names_are_equal_octets() {
        let plain = of(UTF8, b"root ca");
        assert!(plain.is_some());
        for (tag, value) in [
            (PRINTABLE, &b"Root CA"[..]),
            (UTF8, b"  ROOT \t CA "),
            (IA5, b"root ca"),
            (TELETEX, b"Root CA"),
            (BMP, b"\0R\0o\0o\0t\0 \0C\0A"),
            (
                UNIVERSAL,
                b"\0\0\0r\0\0\0o\0\0\0o\0\0\0t\0\0\0 \0\0\0c\0\0\0a",
            ),
        ] {
            assert_eq!(of(tag, value), plain, "{tag:x} {value:x?}");
        }
        assert_eq!(of(TELETEX, b"\xfc"), of(UTF8, "ü".as_bytes()));
        for (tag, value) in [
            (UTF8, &b"rootca"[..]),
            (UTF8, b"root cb"),
            (0x12, b"root ca"),
        ] {
            assert_ne!(of(tag, value), plain);
        }
    }

    #[test]
    fn attributes_of_one_relative_name_have_no_order() {
        let a = rdn(&[(3, UTF8, b"x"), (10, UTF8, b"y")]);
        let b = rdn(&[(10, UTF8, b"Y"), (3, PRINTABLE, b"X")]);
        assert_eq!(canonical(&a), canonical(&b));
        let apart = [rdn(&[(3, UTF8, b"x")]), rdn(&[(10, UTF8, b"y")])].concat();
        assert_ne!(canonical(&a), canonical(&apart));
    }

    #[test]
    fn a_subtree_ends_where_a_relative_name_does() {
        let base = of(UTF8, b"Org").unwrap();
        let name =
            canonical(&[rdn(&[(3, PRINTABLE, b"ORG")]), rdn(&[(3, UTF8, b"x")])].concat()).unwrap();
        assert!(is_beneath(&name, &base) && !is_beneath(&base, &name));
        assert!(!is_beneath(&of(UTF8, b"Organic").unwrap(), &base));
        assert!(is_beneath(&name, &[]));
    }

    #[test]
    fn what_is_no_name_has_no_form() {
        for (tag, value) in [
            (UTF8, &b"\xff"[..]),
            (BMP, b"\0"),
            (BMP, b"\xd8\0"),
            (UNIVERSAL, b"\0\x11\0\0"),
        ] {
            assert_eq!(of(tag, value), None);
        }
        assert_eq!(canonical(b"\x31\x02\x30\x01"), None);
        assert_eq!(canonical(b""), Some(Vec::new()));
    }
}
