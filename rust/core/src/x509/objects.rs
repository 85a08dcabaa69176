// SPDX-License-Identifier: Apache-2.0
//! Object identifiers and the names OpenSSL gives them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::OnceLock;

/// The names of OpenSSL 3.0, and of ML-DSA as 3.5 has them: identifier, short name, long name, one object a line, separated by tabs.
/// `tests/build/test_objects.py` compares them with libcrypto.
const TABLE: &str = include_str!("objects.txt");

/// Names of one object.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// As in `CN=`.
    pub short: &'static str,
    /// As in `commonName`.
    pub long: &'static str,
}

/// The names of the object with this dotted identifier.
pub fn names(dotted: &str) -> Option<Names> {
    static INDEX: OnceLock<HashMap<&'static str, Names>> = OnceLock::new();
    INDEX
        .get_or_init(|| TABLE.lines().filter_map(row).collect())
        .get(dotted)
        .copied()
}

/// The identifier of the object with this short or long name, or `name` itself where it is dotted decimal already.
pub(crate) fn identifier(name: &str) -> Option<&str> {
    if !name.is_empty() && name.bytes().all(|c| c.is_ascii_digit() || c == b'.') {
        return Some(name);
    }
    TABLE.lines().find_map(|line| {
        let mut columns = line.split('\t');
        let dotted = columns.next()?;
        columns.any(|column| column == name).then_some(dotted)
    })
}

fn row(line: &'static str) -> Option<(&'static str, Names)> {
    let mut columns = line.split('\t');
    Some((
        columns.next()?,
        Names {
            short: columns.next()?,
            long: columns.next()?,
        },
    ))
}

/// Whether [`dotted`] has a text for them.
pub(crate) fn is_identifier(content: &[u8]) -> bool {
    arcs(content, |_| {}).is_some()
}

/// The dotted form of an identifier's content octets; `None` where they are no identifier or an arc exceeds 128 bits.
pub(crate) fn dotted(content: &[u8]) -> Option<String> {
    let mut text = String::new();
    arcs(content, |arc| {
        let dot = if text.is_empty() { "" } else { "." };
        let _ = write!(text, "{dot}{arc}");
    })?;
    Some(text)
}

/// The content octets of an identifier in dotted form; `None` where it is none.
pub(crate) fn encoded(dotted: &str) -> Option<Vec<u8>> {
    let mut numbers = dotted.split('.').map(|number| number.parse::<u128>().ok());
    let (root, second) = (numbers.next()??, numbers.next()??);
    let first = root.checked_mul(40)?.checked_add(second)?;
    let mut out = Vec::new();
    for number in std::iter::once(Some(first)).chain(numbers) {
        let number = number?;
        let groups = (1..19_u32).find(|groups| number >> 7_u32.saturating_mul(*groups) == 0)?;
        for group in (0..groups).rev() {
            let more = if group > 0 { 0x80 } else { 0 };
            out.push((number >> 7_u32.saturating_mul(group) & 0x7f) as u8 | more);
        }
    }
    Some(out)
}

/// Tells the arcs one by one. As with OpenSSL no arc begins with zeros, so that there is one encoding of each.
fn arcs(content: &[u8], mut tell: impl FnMut(u128)) -> Option<()> {
    let mut arc: u128 = 0;
    let (mut first, mut begins) = (true, true);
    for &octet in content {
        if begins && octet == 0x80 {
            return None;
        }
        begins = octet & 0x80 == 0;
        arc = arc
            .checked_mul(128)?
            .checked_add(u128::from(octet & 0x7f))?;
        if octet & 0x80 != 0 {
            continue;
        }
        if first {
            let root = (arc / 40).min(2);
            let second = arc.checked_sub(root.checked_mul(40)?)?;
            tell(root);
            tell(second);
            first = false;
        } else {
            tell(arc);
        }
        arc = 0;
    }
    let complete = content.last().is_some_and(|octet| octet & 0x80 == 0);
    complete.then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_objects() {
        assert_eq!(dotted(&[0x55, 0x04, 0x03]).as_deref(), Some("2.5.4.3"));
        assert_eq!(
            dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1]).as_deref(),
            Some("1.2.840.113549.1.9.1")
        );
        assert_eq!(dotted(&[0x88, 0x37, 0x03]).as_deref(), Some("2.999.3"));
        assert_eq!(dotted(&[0x55, 0x84]), None);
        assert_eq!(dotted(&[]), None);
        assert_eq!(dotted(&[0x55, 0x80, 0x04]), None, "a zero before an arc");
        for content in [
            &[0x55, 4, 3][..],
            &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1],
            &[0x88, 0x37, 3],
            &[0, 0],
        ] {
            assert_eq!(encoded(&dotted(content).unwrap()).as_deref(), Some(content));
        }
        assert_eq!(
            names("2.5.4.4").map(|n| (n.short, n.long)),
            Some(("SN", "surname"))
        );
        assert_eq!(identifier("commonName"), Some("2.5.4.3"));
        assert_eq!(identifier("CN"), Some("2.5.4.3"));
        assert_eq!(identifier("1.2.3"), Some("1.2.3"));
        assert_eq!(identifier("no such name"), None);
    }
}
