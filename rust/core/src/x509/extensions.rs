// SPDX-License-Identifier: Apache-2.0
//! Values of extensions as text, for `PeerExtList`: the common types as OpenSSL's `X509V3_EXT_print` shows them, strings as
//! they are, everything else in hexadecimal.

use super::certificate::Extension;
use super::der::{
    BIT_STRING, BOOLEAN, IA5_STRING, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, UTF8_STRING,
    context,
};
use super::name::Name;
use super::objects;
use crate::hex;

const VISIBLE_STRING: u8 = 0x1a;
const BMP_STRING: u8 = 0x1e;

type Printer = fn(&[u8]) -> Option<Vec<u8>>;

/// Extensions with a form of their own.
const PRINTERS: [(&str, Printer); 10] = [
    ("2.5.29.14", key_identifier),
    ("2.5.29.15", |value| bits(value, &KEY_USAGE)),
    ("2.5.29.17", general_names),
    ("2.5.29.18", general_names),
    ("2.5.29.19", basic_constraints),
    ("2.5.29.35", authority_key),
    ("2.5.29.37", purposes),
    ("1.3.6.1.5.5.7.1.1", access_descriptions),
    ("2.16.840.1.113730.1.1", |value| bits(value, &NETSCAPE_TYPE)),
    ("2.16.840.1.113730.1.13", ia5),
];

const KEY_USAGE: [&str; 9] = [
    "Digital Signature",
    "Non Repudiation",
    "Key Encipherment",
    "Data Encipherment",
    "Key Agreement",
    "Certificate Sign",
    "CRL Sign",
    "Encipher Only",
    "Decipher Only",
];

const NETSCAPE_TYPE: [&str; 8] = [
    "SSL Client",
    "SSL Server",
    "S/MIME",
    "Object Signing",
    "Unused",
    "SSL CA",
    "S/MIME CA",
    "Object Signing CA",
];

/// The value of one extension as text; `None` for one of a known type that is not as it should be.
pub(super) fn print(extension: &Extension<'_>) -> Option<Vec<u8>> {
    let known = PRINTERS
        .iter()
        .find(|(dotted, _)| *dotted == extension.dotted);
    match known {
        Some((_, printer)) => printer(extension.value),
        None => {
            display_text(extension.value).or_else(|| Some(hex::upper(extension.value).into_bytes()))
        }
    }
}

/// A lone string is shown as it is, with `.` for what cannot be printed (`ASN1_STRING_print`).
fn display_text(value: &[u8]) -> Option<Vec<u8>> {
    let string = Reader::new(value).any()?;
    if !matches!(
        string.tag,
        UTF8_STRING | IA5_STRING | VISIBLE_STRING | BMP_STRING
    ) {
        return None;
    }
    let printable = |&octet: &u8| match octet {
        b'\n' | b'\r' | b' '..=b'~' => octet,
        _ => b'.',
    };
    Some(string.value.iter().map(printable).collect())
}

fn colons(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (place, &octet) in value.iter().enumerate() {
        if place != 0 {
            out.push(b':');
        }
        hex::push_upper(octet, &mut out);
    }
    out
}

fn key_identifier(value: &[u8]) -> Option<Vec<u8>> {
    Some(colons(Reader::new(value).require(OCTET_STRING)?.value))
}

fn authority_key(value: &[u8]) -> Option<Vec<u8>> {
    let mut fields = Reader::new(value).enter(SEQUENCE)?;
    let key = colons(fields.require(0x80)?.value);
    if fields.at_end() { Some(key) } else { None }
}

fn basic_constraints(value: &[u8]) -> Option<Vec<u8>> {
    let mut fields = Reader::new(value).enter(SEQUENCE)?;
    let is_ca = fields
        .require(BOOLEAN)
        .is_some_and(|flag| flag.value.first().is_some_and(|octet| *octet != 0));
    let mut out = if is_ca {
        b"CA:TRUE".to_vec()
    } else {
        b"CA:FALSE".to_vec()
    };
    if let Some(length) = fields.require(INTEGER) {
        let length = length.value.iter().try_fold(0_u64, |sum, &o| {
            sum.checked_mul(256)?.checked_add(u64::from(o))
        })?;
        out.extend_from_slice(format!(", pathlen:{length}").as_bytes());
    }
    Some(out)
}

/// Names of the bits that are set, most significant bit of the first octet first.
fn bits(value: &[u8], names: &[&str]) -> Option<Vec<u8>> {
    let (_unused, octets) = Reader::new(value)
        .require(BIT_STRING)?
        .value
        .split_first()?;
    let is_set = |place: usize| {
        octets
            .get(place / 8)
            .is_some_and(|octet| octet & (0x80 >> (place % 8)) != 0)
    };
    let set: Vec<&str> = names
        .iter()
        .enumerate()
        .filter(|(place, _)| is_set(*place))
        .map(|(_, name)| *name)
        .collect();
    Some(set.join(", ").into_bytes())
}

fn purposes(value: &[u8]) -> Option<Vec<u8>> {
    let mut list = Reader::new(value).enter(SEQUENCE)?;
    let mut names = Vec::new();
    while !list.at_end() {
        let dotted = objects::dotted(list.require(OID)?.value)?;
        names.push(objects::names(&dotted).map_or(dotted.clone(), |names| names.long.to_owned()));
    }
    Some(names.join(", ").into_bytes())
}

fn ia5(value: &[u8]) -> Option<Vec<u8>> {
    Some(Reader::new(value).require(IA5_STRING)?.value.to_vec())
}

fn general_names(value: &[u8]) -> Option<Vec<u8>> {
    let mut names = Reader::new(value).enter(SEQUENCE)?;
    let mut out = Vec::new();
    while !names.at_end() {
        if !out.is_empty() {
            out.extend_from_slice(b", ");
        }
        let name = names.any()?;
        general_name(name.tag, name.value, &mut out)?;
    }
    if out.is_empty() {
        out.extend_from_slice(b"<EMPTY>\n");
    }
    Some(out)
}

fn access_descriptions(value: &[u8]) -> Option<Vec<u8>> {
    let mut list = Reader::new(value).enter(SEQUENCE)?;
    let mut out = Vec::new();
    while !list.at_end() {
        let mut description = list.enter(SEQUENCE)?;
        let method = objects::dotted(description.require(OID)?.value)?;
        let location = description.any()?;
        if !out.is_empty() {
            out.push(b'\n');
        }
        out.extend_from_slice(
            objects::names(&method)
                .map_or(method.as_str(), |names| names.long)
                .as_bytes(),
        );
        out.extend_from_slice(b" - ");
        general_name(location.tag, location.value, &mut out)?;
    }
    Some(out)
}

fn general_name(tag: u8, value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    const OTHER: u8 = context(0);
    const X400: u8 = context(3);
    const DIRECTORY: u8 = context(4);
    const EDI_PARTY: u8 = context(5);
    let (label, shown) = match tag {
        OTHER => return other_name(value, out),
        X400 => ("X400Name:", UNSUPPORTED.to_vec()),
        EDI_PARTY => ("EdiPartyName:", UNSUPPORTED.to_vec()),
        0x81 => ("email:", text_of(value)?.to_vec()),
        0x82 => ("DNS:", text_of(value)?.to_vec()),
        0x86 => ("URI:", text_of(value)?.to_vec()),
        0x87 => ("IP Address:", address(value)?.into_bytes()),
        0x88 => ("Registered ID:", registered(value)?.into_bytes()),
        DIRECTORY => (
            "DirName:",
            Name::parse(Reader::new(value).require(SEQUENCE)?.value)?.oneline(),
        ),
        _ => return None,
    };
    out.extend_from_slice(label.as_bytes());
    out.extend_from_slice(&shown);
    Some(())
}

/// Other names that OpenSSL has a label for: identifier, label, and the type that the value must have.
const OTHER_NAMES: [(&str, &str, u8); 5] = [
    ("1.3.6.1.4.1.311.20.2.3", "UPN", UTF8_STRING),
    ("1.3.6.1.5.5.7.8.5", "XmppAddr", UTF8_STRING),
    ("1.3.6.1.5.5.7.8.7", "SRVName", IA5_STRING),
    ("1.3.6.1.5.5.7.8.8", "NAIRealm", UTF8_STRING),
    ("1.3.6.1.5.5.7.8.9", "SmtpUTF8Mailbox", UTF8_STRING),
];
const UNSUPPORTED: &[u8] = b"<unsupported>";

fn other_name(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut fields = Reader::new(value);
    let dotted = objects::dotted(fields.require(OID)?.value)?;
    let name = fields.enter(context(0))?.any()?;
    let (label, shown) = match OTHER_NAMES.iter().find(|(known, ..)| *known == dotted) {
        Some((_, label, wanted)) if name.tag == *wanted => (*label, text_of(name.value)?),
        Some(_) => return None,
        None => {
            let is_text = name.tag == UTF8_STRING || name.tag == IA5_STRING;
            let text = text_of(name.value).filter(|_| is_text);
            let label = objects::names(&dotted).map_or(dotted.as_str(), |names| names.long);
            (label, text.unwrap_or(UNSUPPORTED))
        }
    };
    out.extend_from_slice(format!("othername: {label}::").as_bytes());
    out.extend_from_slice(shown);
    Some(())
}

/// What is no text for C is none here.
fn text_of(value: &[u8]) -> Option<&[u8]> {
    (!value.contains(&0)).then_some(value)
}

fn registered(value: &[u8]) -> Option<String> {
    let dotted = objects::dotted(value)?;
    Some(objects::names(&dotted).map_or(dotted.clone(), |names| names.long.to_owned()))
}

/// IPv6 in OpenSSL's form: eight groups without leading zeros, none left out.
fn address(value: &[u8]) -> Option<String> {
    match value.len() {
        4 => Some(
            value
                .iter()
                .map(u8::to_string)
                .collect::<Vec<_>>()
                .join("."),
        ),
        16 => {
            let group = |pair: &[u8]| {
                format!(
                    "{:X}",
                    pair.iter().fold(0_u16, |sum, &o| sum << 8 | u16::from(o))
                )
            };
            Some(value.chunks(2).map(group).collect::<Vec<_>>().join(":"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(dotted: &str, value: &[u8]) -> String {
        let extension = Extension {
            dotted: dotted.to_owned(),
            value,
        };
        print(&extension).map_or_else(String::new, |text| {
            String::from_utf8_lossy(&text).into_owned()
        })
    }

    #[test]
    fn prints_common_types() {
        assert_eq!(
            printed("2.5.29.19", &[0x30, 0x06, 1, 1, 0xff, 2, 1, 0]),
            "CA:TRUE, pathlen:0"
        );
        assert_eq!(printed("2.5.29.19", &[0x30, 0x00]), "CA:FALSE");
        assert_eq!(
            printed("2.5.29.15", &[0x03, 0x02, 0x05, 0xa0]),
            "Digital Signature, Key Encipherment"
        );
        assert_eq!(printed("2.5.29.14", &[0x04, 0x02, 0xab, 0x01]), "AB:01");
        assert_eq!(
            printed("2.5.29.37", &[0x30, 0x0a, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2]),
            "TLS Web Client Authentication"
        );
        assert_eq!(
            printed(
                "2.5.29.17",
                &[0x30, 0x09, 0x82, 1, b'a', 0x87, 4, 127, 0, 0, 1]
            ),
            "DNS:a, IP Address:127.0.0.1"
        );
    }

    #[test]
    fn prints_strings_and_the_rest() {
        assert_eq!(printed("1.2.3", &[0x0c, 0x03, b'a', 0x1b, b'b']), "a.b");
        assert_eq!(printed("1.2.3", &[0x02, 0x01, 0x05]), "020105");
        assert_eq!(printed("2.5.29.19", &[0x04]), "");
        assert_eq!(printed("2.5.29.17", &[0x30, 0x00]), "<EMPTY>\n");
    }
}
