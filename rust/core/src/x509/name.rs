//! Distinguished names and their attributes.

use super::der::{BIT_STRING, Element, OID, Reader, SEQUENCE, SET};
use super::objects;
use super::text::{self, Style};

/// The longest dotted identifier that OpenSSL writes in front of `=`.
const LONGEST_OBJECT: usize = 79;

/// One attribute of a name.
#[derive(Clone, Debug)]
pub struct Attribute {
    dotted: String,
    names: Option<objects::Names>,
    tag: u8,
    value: Vec<u8>,
    raw: Vec<u8>,
    /// Number of the relative distinguished name that it belongs to.
    set: usize,
}

impl Attribute {
    /// The dotted identifier of its type.
    pub fn dotted(&self) -> &str {
        &self.dotted
    }

    /// The value alone. Empty where the content does not fit its string type.
    pub fn value(&self, style: Style) -> Vec<u8> {
        let mut out = Vec::new();
        text::print(self.tag, &self.value, &self.raw, style, &mut out);
        out
    }

    fn label(&self) -> &str {
        match self.names {
            Some(names) => names.short,
            None => self.dotted.get(..LONGEST_OBJECT).unwrap_or(&self.dotted),
        }
    }
}

/// A distinguished name: attributes in the order of the certificate.
#[derive(Clone, Debug, Default)]
pub struct Name {
    attributes: Vec<Attribute>,
}

impl Name {
    /// Reads the content of a `Name`; `None` where it is none.
    pub fn parse(content: &[u8]) -> Option<Self> {
        let mut attributes = Vec::new();
        let mut sets = Reader::new(content);
        for number in 0.. {
            if sets.at_end() {
                break;
            }
            let mut set = sets.enter(SET)?;
            while !set.at_end() {
                attributes.push(attribute(set.enter(SEQUENCE)?, number)?);
            }
        }
        Some(Self { attributes })
    }

    /// All attributes, in the order of the certificate.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The attribute number `index` (from 0) among those with the type `dotted`.
    pub fn attribute(&self, dotted: &str, index: usize) -> Option<&Attribute> {
        self.attributes
            .iter()
            .filter(|attribute| attribute.dotted == dotted)
            .nth(index)
    }

    /// The values of all attributes with the type `dotted`, in order, in UTF-8; those that cannot be written so are
    /// left out.
    pub fn all(&self, dotted: &str) -> impl Iterator<Item = Box<str>> {
        let matching = move |attribute: &&Attribute| attribute.dotted == dotted;
        let values = self.attributes.iter().filter(matching);
        values.filter_map(|attribute| {
            let text = String::from_utf8(attribute.value(Style::ATTRIBUTE)).ok()?;
            Some(text.into())
        })
    }

    /// RFC 2253 with OpenSSL's short names: last attribute first, `,` between and `+` within relative names.
    pub fn rfc2253(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut previous = None;
        for attribute in self.attributes.iter().rev() {
            match previous {
                Some(set) if set == attribute.set => out.push(b'+'),
                Some(_) => out.push(b','),
                None => {}
            }
            previous = Some(attribute.set);
            out.extend_from_slice(attribute.label().as_bytes());
            out.push(b'=');
            if attribute.names.is_none() {
                text::print_der(&attribute.raw, &mut out);
            } else if !text::print(
                attribute.tag,
                &attribute.value,
                &attribute.raw,
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
        for attribute in &self.attributes {
            let joined = previous == Some(attribute.set);
            previous = Some(attribute.set);
            out.push(if joined { b'+' } else { b'/' });
            out.extend_from_slice(attribute.label().as_bytes());
            out.push(b'=');
            for &octet in &attribute.value {
                match octet {
                    b'/' | b'+' => out.extend_from_slice(&[b'\\', octet]),
                    b' '..=b'~' => out.push(octet),
                    _ => {
                        out.extend_from_slice(b"\\x");
                        text::push_hex(octet, &mut out);
                    }
                }
            }
        }
        out
    }
}

fn attribute(mut fields: Reader<'_>, set: usize) -> Option<Attribute> {
    let dotted = objects::dotted(fields.expect(OID)?.value)?;
    let Element { tag, value, raw } = fields.any()?;
    let names = objects::names(&dotted);
    let value = match tag {
        // It begins with the number of unused bits, which is no part of its value.
        BIT_STRING => value.get(1..)?,
        // OpenSSL keeps it whole.
        SEQUENCE => raw,
        _ => value,
    };
    Some(Attribute {
        dotted,
        names,
        tag,
        value: value.to_vec(),
        raw: raw.to_vec(),
        set,
    })
}

/// The longest name that a log line has room for.
const LONGEST_SHOWN: usize = 160;

/// The content of a name, which whoever made the certificate chose, for a log line: in quotes, printable, cut where it is
/// long.
pub fn shown(name: &[u8]) -> String {
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
pub fn shown_element(element: &[u8]) -> String {
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
