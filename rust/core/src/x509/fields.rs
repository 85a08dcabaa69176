// SPDX-License-Identifier: Apache-2.0
//! The variables of one certificate: `SSL_CLIENT_` and `SSL_SERVER_` are stripped, the rest is looked up here.

use super::certificate::{AltName, Certificate};
use super::der::{IA5_STRING, UTF8_STRING};
use super::name::Name;
use super::objects;
use super::text::{self, Style};
use crate::hex;

/// Attributes of distinguished names that have variables of their own: suffix, type, and whether `StdEnvVars`
/// exports it (`SP` is an old name of `ST`).
const ATTRIBUTES: [(&str, &str, bool); 15] = [
    ("C", "2.5.4.6", true),
    ("ST", "2.5.4.8", true),
    ("SP", "2.5.4.8", false),
    ("L", "2.5.4.7", true),
    ("O", "2.5.4.10", true),
    ("OU", "2.5.4.11", true),
    ("CN", "2.5.4.3", true),
    ("T", "2.5.4.12", true),
    ("I", "2.5.4.43", true),
    ("G", "2.5.4.42", true),
    ("S", "2.5.4.4", true),
    ("D", "2.5.4.13", true),
    ("SerialNumber", "2.5.4.5", true),
    ("UID", "0.9.2342.19200300.100.1.1", true),
    ("Email", "1.2.840.113549.1.9.1", true),
];

/// The longest serial number, in octets, that is converted to decimal.
const LONGEST_SERIAL: usize = 256;

const MS_UPN: &str = "1.3.6.1.4.1.311.20.2.3";
const DNS_SRV: &str = "1.3.6.1.5.5.7.8.7";

/// Kinds of alternative names that have variables: suffix, and what of a name fits it.
type AltKind = (
    &'static str,
    for<'n, 'a> fn(&'n AltName<'a>) -> Option<(u8, &'a [u8])>,
);
const ALT_NAMES: [AltKind; 4] = [
    ("Email_", |name| match name {
        AltName::Email(value) => Some((IA5_STRING, value)),
        _ => None,
    }),
    ("DNS_", |name| match name {
        AltName::Dns(value) => Some((IA5_STRING, value)),
        _ => None,
    }),
    ("OTHER_msUPN_", |name| other(name, MS_UPN)),
    ("OTHER_dnsSRV_", |name| other(name, DNS_SRV)),
];

fn other<'a>(name: &AltName<'a>, wanted: &str) -> Option<(u8, &'a [u8])> {
    match name {
        AltName::Other(dotted, tag, value) if dotted == wanted => Some((*tag, value)),
        _ => None,
    }
}

/// How distinguished names are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnStyle {
    /// `CN=name,C=DE`
    Rfc2253,
    /// `/C=DE/CN=name`, of `SSLOptions +LegacyDNStringFormat`
    Legacy,
}

/// The field `name` (as in `S_DN_CN_1`, without `SSL_CLIENT_`) of a certificate; `None` where it has none.
/// `now` is in seconds since 1970.
pub fn field(
    certificate: &Certificate<'_>,
    name: &str,
    style: DnStyle,
    now: i64,
) -> Option<Vec<u8>> {
    if let Some(value) = plain_field(certificate, &name.to_ascii_uppercase(), now) {
        return Some(value);
    }
    if let Some(rest) = strip_prefix(name, "SAN_") {
        return alt_name(certificate, rest);
    }
    let dn = match name.as_bytes().first()? {
        b'S' | b's' => certificate.subject(),
        b'I' | b'i' => certificate.issuer(),
        _ => return None,
    };
    let rest = strip_prefix(name.get(1..)?, "_DN")?;
    match rest.strip_prefix('_') {
        Some(attribute) => dn_attribute(&dn, attribute),
        None if rest.is_empty() => Some(distinguished_name(&dn, style)),
        None => None,
    }
}

fn plain_field(certificate: &Certificate<'_>, name: &str, now: i64) -> Option<Vec<u8>> {
    Some(match name {
        "M_VERSION" => certificate.version.to_string().into_bytes(),
        "M_SERIAL" => serial(certificate.serial),
        "V_START" => certificate.not_before().text().as_bytes().to_vec(),
        "V_END" => certificate.not_after().text().as_bytes().to_vec(),
        "V_REMAIN" => certificate
            .not_after()
            .days_after(now)
            .to_string()
            .into_bytes(),
        "A_SIG" => long_name(&certificate.signature_algorithm()),
        "A_KEY" => long_name(&certificate.key_algorithm()),
        "CERT" => super::pem(certificate.der()).into_bytes(),
        "CERT_RFC4523_CEA" => return exact_assertion(certificate),
        _ => return None,
    })
}

fn strip_prefix<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let head = name.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| name.get(prefix.len()..))?
}

fn long_name(dotted: &str) -> Vec<u8> {
    objects::names(dotted)
        .map_or("UNKNOWN", |names| names.long)
        .as_bytes()
        .to_vec()
}

fn distinguished_name(dn: &Name<'_>, style: DnStyle) -> Vec<u8> {
    match style {
        DnStyle::Rfc2253 => dn.rfc2253(),
        DnStyle::Legacy => dn.oneline(),
    }
}

/// `CN`, `CN_1`, `CN_RAW` or `CN_1_RAW`.
fn dn_attribute(dn: &Name<'_>, name: &str) -> Option<Vec<u8>> {
    let (name, style) = match name.strip_suffix("_RAW") {
        Some(name) => (name, Style::RAW),
        None => (name, Style::ATTRIBUTE),
    };
    let (name, index) = match name.split_once('_') {
        Some((name, digits)) => (name, parse_index(digits)?),
        None => (name, 0),
    };
    let (_, dotted, _) = ATTRIBUTES.iter().find(|(suffix, ..)| *suffix == name)?;
    dn.attribute(dotted, index)
        .map(|attribute| attribute.value(style))
}

fn parse_index(digits: &str) -> Option<usize> {
    if !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

fn alt_name(certificate: &Certificate<'_>, name: &str) -> Option<Vec<u8>> {
    ALT_NAMES.iter().find_map(|(prefix, pick)| {
        let digits = strip_prefix(name, prefix)?;
        if digits.len() > 4 {
            return None;
        }
        let (tag, value) = certificate
            .alt_names()
            .filter_map(|name| pick(&name))
            .nth(parse_index(digits)?)?;
        alt_value(prefix, tag, value)
    })
}

/// The text of an alternative name; other names only in the string type that their definition asks for.
fn alt_value(prefix: &str, tag: u8, value: &[u8]) -> Option<Vec<u8>> {
    let wanted = if prefix == "OTHER_msUPN_" {
        UTF8_STRING
    } else {
        IA5_STRING
    };
    let mut out = Vec::new();
    (tag == wanted && text::print(tag, value, &[], Style::ATTRIBUTE, &mut out)).then_some(out)
}

/// `i2a_ASN1_INTEGER`: two digits an octet, `\` and a line break after every 35 octets.
fn serial(content: &[u8]) -> Vec<u8> {
    let (negative, magnitude) = magnitude(content);
    let mut out = Vec::new();
    if negative {
        out.push(b'-');
    }
    for (place, &octet) in magnitude.iter().enumerate() {
        if place != 0 && place % 35 == 0 {
            out.extend_from_slice(b"\\\n");
        }
        hex::push_upper(octet, &mut out);
    }
    if magnitude.is_empty() {
        out.extend_from_slice(b"00");
    }
    out
}

/// Sign and absolute value of an INTEGER, leading zeros removed.
fn magnitude(content: &[u8]) -> (bool, Vec<u8>) {
    let negative = content.first().is_some_and(|octet| octet & 0x80 != 0);
    let mut octets = content.to_vec();
    if negative {
        let mut carry = true;
        for octet in octets.iter_mut().rev() {
            (*octet, carry) = (!*octet).overflowing_add(u8::from(carry));
        }
    }
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    (negative, octets.split_off(zeros))
}

/// The certificate exact assertion of RFC 4523, section 2.1: serial number in decimal and issuer.
/// None for absurd serial numbers: conversion to decimal is quadratic, and RFC 5280 allows 20 octets.
fn exact_assertion(certificate: &Certificate<'_>) -> Option<Vec<u8>> {
    if certificate.serial.len() > LONGEST_SERIAL {
        return None;
    }
    let (negative, magnitude) = magnitude(certificate.serial);
    let sign = if negative { "-" } else { "" };
    let mut out = format!(
        "{{ serialNumber {sign}{}, issuer rdnSequence:\"",
        decimal(&magnitude)
    )
    .into_bytes();
    out.extend_from_slice(&certificate.issuer().rfc2253());
    out.extend_from_slice(b"\" }");
    Some(out)
}

/// Decimal digits of a big-endian number.
fn decimal(magnitude: &[u8]) -> String {
    let mut digits = vec![0_u8];
    for &octet in magnitude {
        let mut carry = u32::from(octet);
        for digit in &mut digits {
            let sum = u32::from(*digit).wrapping_mul(256).wrapping_add(carry);
            (*digit, carry) = ((sum % 10) as u8, sum / 10);
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    digits
        .iter()
        .rev()
        .map(|digit| char::from(b'0' | digit))
        .collect()
}

/// Attributes of one name, and alternative names of one kind, that are exported.
pub(super) const MAX_EXPORTED: usize = 128;

/// The longest value that is exported. A longer one is left out, since what is cut could be taken for another name.
pub(super) const MAX_VALUE: usize = 8192;

/// Octets of all values that are exported of one certificate.
pub(super) const MAX_OCTETS: usize = 65_536;

/// Variables of a certificate: names come without `SSL_CLIENT_`.
#[derive(Debug, Default)]
pub(super) struct Exported {
    /// Names and values.
    pub fields: Vec<(String, Vec<u8>)>,
    octets: usize,
    /// Something was left out.
    pub cut: bool,
}

impl Exported {
    /// Adds a variable, unless there is too much.
    pub(super) fn add(&mut self, name: &str, value: Vec<u8>) {
        if value.len() > MAX_VALUE || self.octets.saturating_add(value.len()) > MAX_OCTETS {
            self.cut = true;
        } else {
            self.octets = self.octets.saturating_add(value.len());
            self.fields.push((name.to_owned(), value));
        }
    }

    /// The first [`MAX_EXPORTED`] of `all`.
    fn some<T>(&mut self, all: impl Iterator<Item = T>) -> Vec<T> {
        let mut all = all.peekable();
        let some: Vec<T> = all.by_ref().take(MAX_EXPORTED).collect();
        self.cut |= all.peek().is_some();
        some
    }
}

/// Adds what `StdEnvVars` exports besides its fixed list: attributes of both names, and alternative names. Repeated
/// attributes get `_1`, `_2`, ...
pub(super) fn export(certificate: &Certificate<'_>, alt_kinds: &[&str], found: &mut Exported) {
    for (prefix, dn) in [
        ("S_DN_", certificate.subject()),
        ("I_DN_", certificate.issuer()),
    ] {
        let mut seen = [0_usize; ATTRIBUTES.len()];
        for attribute in found.some(dn.attributes()) {
            let kind = attribute.dotted();
            let known = |(_, dotted, export): &(&str, &str, bool)| *export && *dotted == kind;
            let row = ATTRIBUTES.iter().zip(&mut seen).find(|(row, _)| known(row));
            let Some(((suffix, ..), count)) = row else {
                continue;
            };
            let name = if *count == 0 {
                format!("{prefix}{suffix}")
            } else {
                format!("{prefix}{suffix}_{count}")
            };
            *count = count.saturating_add(1);
            found.add(&name, attribute.value(Style::ATTRIBUTE));
        }
    }
    for (prefix, pick) in ALT_NAMES
        .iter()
        .filter(|(prefix, _)| alt_kinds.contains(prefix))
    {
        let matching = certificate.alt_names().filter_map(|name| pick(&name));
        let values = matching.filter_map(|(tag, value)| alt_value(prefix, tag, value));
        // Empty names are counted but not exported, as with every empty variable.
        let numbered = values.enumerate().filter(|(_, value)| !value.is_empty());
        for (index, value) in found.some(numbered) {
            found.add(&format!("SAN_{prefix}{index}"), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_serials() {
        for (content, hexadecimal, number) in [
            (&[0x01, 0x02][..], "0102", "258"),
            (&[0x00, 0xff], "FF", "255"),
            (&[0x00], "00", "0"),
            (&[], "00", "0"),
            (&[0xff], "-01", "1"),
            (&[0x80], "-80", "128"),
        ] {
            assert_eq!(serial(content), hexadecimal.as_bytes());
            assert_eq!(decimal(&magnitude(content).1), number);
        }
        let long = serial(&[0x11; 36]);
        assert!(
            long.ends_with(b"11\\\n11"),
            "{}",
            String::from_utf8_lossy(&long)
        );
    }
}
