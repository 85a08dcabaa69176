// SPDX-License-Identifier: Apache-2.0
//! Distinguished names and their attributes.

use super::der::{BIT_STRING, Element, OID, Reader, SEQUENCE, SET};
use super::objects;
use super::text::{self, Style};
use crate::hex;

/// The longest dotted identifier that OpenSSL writes in front of `=`.
const LONGEST_OBJECT: usize = 79;

/// One attribute of a name, where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    oid: &'a [u8],
    tag: u8,
    value: &'a [u8],
    raw: &'a [u8],
    /// Number of the relative distinguished name that it belongs to.
    set: usize,
}

impl Attribute<'_> {
    /// The dotted identifier of its type.
    pub fn dotted(&self) -> String {
        objects::dotted(self.oid).unwrap_or_default()
    }

    /// The value alone. Empty where the content does not fit its string type.
    pub fn value(&self, style: Style) -> Vec<u8> {
        let mut out = Vec::new();
        text::print(self.tag, self.value, self.raw, style, &mut out);
        out
    }

    /// What stands before `=`, and whether OpenSSL has a name for the type.
    fn label(&self) -> (String, bool) {
        let mut dotted = self.dotted();
        match objects::names(&dotted) {
            Some(names) => (names.short.to_owned(), true),
            None => {
                dotted.truncate(LONGEST_OBJECT);
                (dotted, false)
            }
        }
    }
}

/// A distinguished name: attributes in the order of the certificate. Nothing is copied of it, for a peer's may have
/// thousands.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    content: &'a [u8],
}

/// The attributes of a name, one by one.
#[derive(Clone, Copy, Debug)]
struct Attributes<'a> {
    sets: Reader<'a>,
    set: Reader<'a>,
    /// How many sets have begun.
    number: usize,
}

impl<'a> Attributes<'a> {
    fn new(content: &'a [u8]) -> Self {
        Self {
            sets: Reader::new(content),
            set: Reader::new(&[]),
            number: 0,
        }
    }
}

impl<'a> Iterator for Attributes<'a> {
    /// `None` for one that cannot be read, after which nothing follows.
    type Item = Option<Attribute<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.set.at_end() {
            if self.sets.at_end() {
                return None;
            }
            self.number = self.number.saturating_add(1);
            match self.sets.enter(SET) {
                Some(set) => self.set = set,
                None => {
                    *self = Self::new(&[]);
                    return Some(None);
                }
            }
        }
        let number = self.number;
        let read = self
            .set
            .enter(SEQUENCE)
            .and_then(|fields| attribute(fields, number));
        if read.is_none() {
            *self = Self::new(&[]);
        }
        Some(read)
    }
}

impl<'a> Name<'a> {
    /// Takes the content of a `Name`; `None` where it is none.
    pub fn parse(content: &'a [u8]) -> Option<Self> {
        Attributes::new(content)
            .all(|read| read.is_some_and(|attribute| objects::is_identifier(attribute.oid)))
            .then_some(Self { content })
    }

    /// One of which it is known that it can be read.
    pub(super) fn known(content: &'a [u8]) -> Self {
        Self { content }
    }

    /// All attributes, in the order of the certificate.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        Attributes::new(self.content).flatten()
    }

    fn matching(&self, dotted: &str) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let oid = objects::encoded(dotted);
        self.attributes()
            .filter(move |attribute| oid.as_deref() == Some(attribute.oid))
    }

    /// The attribute number `index` (from 0) among those with the type `dotted`.
    pub fn attribute(&self, dotted: &str, index: usize) -> Option<Attribute<'a>> {
        self.matching(dotted).nth(index)
    }

    /// The values of all attributes with the type `dotted`, in order, in UTF-8; those that cannot be written so are
    /// left out.
    pub fn all(&self, dotted: &str) -> impl Iterator<Item = Box<str>> + use<'a> {
        self.matching(dotted).filter_map(|attribute| {
            let text = String::from_utf8(attribute.value(Style::ATTRIBUTE)).ok()?;
            Some(text.into())
        })
    }

    /// RFC 2253 with OpenSSL's short names: last attribute first, `,` between and `+` within relative names.
    pub fn rfc2253(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut previous = None;
        let all: Vec<Attribute<'_>> = self.attributes().collect();
        for attribute in all.iter().rev() {
            match previous {
                Some(set) if set == attribute.set => out.push(b'+'),
                Some(_) => out.push(b','),
                None => {}
            }
            previous = Some(attribute.set);
            let (label, known) = attribute.label();
            out.extend_from_slice(label.as_bytes());
            out.push(b'=');
            if !known {
                text::print_der(attribute.raw, &mut out);
            } else if !text::print(
                attribute.tag,
                attribute.value,
                attribute.raw,
                Style::NAME,
                &mut out,
            ) {
                // OpenSSL stops at the value it cannot convert.
                break;
            }
        }
        out
    }

    /// The old form `/C=DE/CN=name`: bytes as stored, `+` within relative names, `\` before `/` and `+` in values and
    /// `\xHH` for everything outside printable ASCII.
    pub fn oneline(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut previous = None;
        for attribute in self.attributes() {
            let joined = previous == Some(attribute.set);
            previous = Some(attribute.set);
            out.push(if joined { b'+' } else { b'/' });
            out.extend_from_slice(attribute.label().0.as_bytes());
            out.push(b'=');
            for &octet in attribute.value {
                match octet {
                    b'/' | b'+' => out.extend_from_slice(&[b'\\', octet]),
                    b' '..=b'~' => out.push(octet),
                    _ => {
                        out.extend_from_slice(b"\\x");
                        hex::push_upper(octet, &mut out);
                    }
                }
            }
        }
        out
    }
}

fn attribute(mut fields: Reader<'_>, set: usize) -> Option<Attribute<'_>> {
    let oid = fields.require(OID)?.value;
    let Element { tag, value, raw } = fields.any()?;
    let value = match tag {
        // It begins with the number of unused bits, which is no part of its value.
        BIT_STRING => value.get(1..)?,
        // OpenSSL keeps it whole.
        SEQUENCE => raw,
        _ => value,
    };
    Some(Attribute {
        oid,
        tag,
        value,
        raw,
        set,
    })
}

/// The longest name that a log line has room for.
const LONGEST_SHOWN: usize = 160;

/// The content of a name, which whoever made the certificate chose, for a log line: in quotes, printable, cut where it is
/// long.
pub(crate) fn shown(name: &[u8]) -> String {
    let text = Name::parse(name).map(|name| name.rfc2253());
    let text = String::from_utf8_lossy(text.as_deref().unwrap_or_default()).into_owned();
    let mut shown: String = text
        .chars()
        .take(LONGEST_SHOWN)
        .map(|letter| match letter {
            '"' | '\\' => '\'',
            letter if letter.is_control() => '.',
            letter => letter,
        })
        .collect();
    if shown.chars().count() < text.chars().count() {
        shown.push_str("...");
    }
    format!("\"{shown}\"")
}

/// The same of a whole element.
pub(crate) fn shown_element(element: &[u8]) -> String {
    shown(Reader::new(element).take(SEQUENCE).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SET { SEQUENCE { OID, string } ... } for short contents.
    fn rdn(attributes: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
        let wrap = |tag: u8, content: Vec<u8>| [vec![tag, content.len() as u8], content].concat();
        let each = attributes.iter().flat_map(|(oid, tag, value)| {
            wrap(
                SEQUENCE,
                [wrap(OID, oid.to_vec()), wrap(*tag, value.to_vec())].concat(),
            )
        });
        wrap(SET, each.collect())
    }

    const C: &[u8] = &[0x55, 4, 6];
    const CN: &[u8] = &[0x55, 4, 3];
    const OU: &[u8] = &[0x55, 4, 11];
    const UNKNOWN: &[u8] = &[0x2a, 3];

    #[test]
    fn prints_names() {
        let content = [
            rdn(&[(C, 0x13, b"DE")]),
            rdn(&[(OU, 0x0c, b"a, b"), (CN, 0x0c, "ü/x".as_bytes())]),
            rdn(&[(UNKNOWN, 0x0c, b"?")]),
        ]
        .concat();
        let name = Name::parse(&content).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&name.rfc2253()),
            "1.2.3=#0C013F,CN=ü/x+OU=a\\, b,C=DE"
        );
        assert_eq!(
            String::from_utf8_lossy(&name.oneline()),
            "/C=DE/OU=a, b+CN=\\xC3\\xBC\\/x/1.2.3=?"
        );
        assert_eq!(
            name.attribute("2.5.4.11", 0)
                .unwrap()
                .value(Style::ATTRIBUTE),
            b"a, b"
        );
        assert!(name.attribute("2.5.4.11", 1).is_none());
    }

    #[test]
    fn stops_at_what_does_not_convert() {
        let content = [rdn(&[(C, 0x13, b"DE")]), rdn(&[(CN, 0x1e, b"odd")])].concat();
        assert_eq!(Name::parse(&content).unwrap().rfc2253(), b"CN=");
        assert!(Name::parse(&[0x31, 0x02, 0x30, 0x01]).is_none());
        assert!(Name::parse(b"").unwrap().rfc2253().is_empty());
    }
}
