// SPDX-License-Identifier: Apache-2.0
//! Addresses and numbers of autonomous systems that a CA may vouch for (RFC 3779): what a certificate has of them, the one
//! above it has too. Extensions that are not in canonical form (2.2.3, 3.2.3) are damaged ones, as in OpenSSL.

use crate::x509::der::{
    BIT_STRING, INTEGER, NULL, OCTET_STRING, Reader, SEQUENCE, context, count, whole,
};

/// The most octets of an address.
const LONGEST: usize = 16;

/// A number, big-endian, with zeros behind it where those of its kind are shorter.
type Number = [u8; LONGEST];

/// The least and the greatest of a range, of one kind.
pub(super) type Range = (Number, Number);

/// What a certificate has of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Family {
    /// An address family, or one of the two kinds of numbers.
    pub(super) kind: Vec<u8>,
    /// In order and apart from each other; `None`: what the certificate above has.
    pub(super) ranges: Option<Vec<Range>>,
}

/// What one extension says, in order of the kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resources(pub(super) Vec<Family>);

impl Resources {
    /// Reads the value of id-pe-ipAddrBlocks (2.2.3).
    pub(crate) fn addresses(value: &[u8]) -> Option<Self> {
        let mut list = whole(value, SEQUENCE)?;
        let mut families: Vec<Family> = Vec::new();
        while !list.at_end() {
            let mut family = list.enter(SEQUENCE)?;
            let kind = family.take(OCTET_STRING)?.to_vec();
            let length = match kind[..] {
                [0, 1] | [0, 1, _] => 4,
                [0, 2] | [0, 2, _] => 16,
                _ => return None,
            };
            let ranges = choice(&mut family, length, |list| block(list, length))?;
            let in_order = families.last().is_none_or(|before| before.kind < kind);
            (in_order && family.at_end()).then_some(())?;
            families.push(Family { kind, ranges });
        }
        Some(Self(families))
    }

    /// Reads the value of id-pe-autonomousSysIds (3.2.3).
    pub(crate) fn systems(value: &[u8]) -> Option<Self> {
        let mut fields = whole(value, SEQUENCE)?;
        let mut families = Vec::new();
        for number in [0, 1] {
            let Some(mut family) = fields.enter(context(number)) else {
                continue;
            };
            let ranges = choice(&mut family, size_of::<u32>(), numbers)?;
            family.at_end().then_some(())?;
            let kind = vec![number];
            families.push(Family { kind, ranges });
        }
        fields.at_end().then_some(Self(families))
    }

    /// How many comparisons it is good for, at most.
    pub(crate) fn size(&self) -> usize {
        let ranges = self.0.iter().flat_map(|family| &family.ranges);
        ranges
            .map(Vec::len)
            .sum::<usize>()
            .saturating_add(self.0.len())
    }

    pub(super) fn inherits(&self) -> bool {
        self.0.iter().any(|family| family.ranges.is_none())
    }
}

/// NULL, or a list of which `read` takes one, of numbers of so many octets; the ranges must be in canonical form.
fn choice(
    reader: &mut Reader<'_>,
    length: usize,
    read: impl Fn(&mut Reader<'_>) -> Option<Range>,
) -> Option<Option<Vec<Range>>> {
    if let Some(content) = reader.take(NULL) {
        return content.is_empty().then_some(None);
    }
    let mut list = reader.enter(SEQUENCE)?;
    let mut ranges: Vec<Range> = Vec::new();
    while !list.at_end() {
        let (least, greatest) = read(&mut list)?;
        let apart = ranges
            .last()
            .is_none_or(|(_, before)| successor(*before, length).is_some_and(|next| next < least));
        (least <= greatest && apart).then_some(())?;
        ranges.push((least, greatest));
    }
    (!ranges.is_empty()).then_some(Some(ranges))
}

/// An address prefix, or a range that is none.
fn block(list: &mut Reader<'_>, length: usize) -> Option<Range> {
    if let Some(prefix) = list.take(BIT_STRING) {
        return Some((filled(prefix, length, 0)?, filled(prefix, length, 0xff)?));
    }
    let mut range = list.enter(SEQUENCE)?;
    let least = filled(range.take(BIT_STRING)?, length, 0)?;
    let greatest = filled(range.take(BIT_STRING)?, length, 0xff)?;
    let is_prefix = is_prefix(least.get(..length)?, greatest.get(..length)?);
    (range.at_end() && !is_prefix).then_some((least, greatest))
}

/// A BIT STRING to which the missing bits are added.
fn filled(content: &[u8], length: usize, with: u8) -> Option<Number> {
    let (&unused, octets) = content.split_first()?;
    if octets.len() > length || unused > 7 || (octets.is_empty() && unused != 0) {
        return None;
    }
    let mut out = [0; LONGEST];
    out.get_mut(..length)?.fill(with);
    let said = out.get_mut(..octets.len())?;
    said.copy_from_slice(octets);
    if let Some(last) = said.last_mut() {
        let kept = 0xff_u8 << unused;
        *last = (*last & kept) | (with & !kept);
    }
    Some(out)
}

/// Whether a range could have been said as a prefix: equal bits, then zeros in one and ones in the other.
fn is_prefix(least: &[u8], greatest: &[u8]) -> bool {
    let mut pairs = least.iter().zip(greatest).skip_while(|(a, b)| a == b);
    let Some((a, b)) = pairs.next() else {
        return true;
    };
    let differing = a ^ b;
    let is_run = differing & differing.wrapping_add(1) == 0;
    is_run && a & differing == 0 && pairs.all(|(a, b)| (*a, *b) == (0, 0xff))
}

/// A number of an autonomous system, or a range of them.
fn numbers(list: &mut Reader<'_>) -> Option<Range> {
    let number = |content: &[u8]| {
        let number = u32::try_from(count(content)?).ok()?;
        let mut out = [0; LONGEST];
        out.first_chunk_mut::<4>()
            .map(|first| *first = number.to_be_bytes())?;
        Some(out)
    };
    if let Some(one) = list.take(INTEGER) {
        let one = number(one)?;
        return Some((one, one));
    }
    let mut range = list.enter(SEQUENCE)?;
    let (least, greatest) = (number(range.take(INTEGER)?)?, number(range.take(INTEGER)?)?);
    (range.at_end() && least < greatest).then_some((least, greatest))
}

/// The next number of so many octets; `None` behind the last.
fn successor(number: Number, length: usize) -> Option<Number> {
    let mut next = number;
    for octet in next.get_mut(..length)?.iter_mut().rev() {
        *octet = octet.wrapping_add(1);
        if *octet != 0 {
            return Some(next);
        }
    }
    None
}

/// Whether each of `inner` lies within one of `outer`, which are in order both.
pub(super) fn covers(outer: &[Range], inner: &[Range]) -> bool {
    let mut outer = outer.iter().peekable();
    inner.iter().all(|(least, greatest)| {
        while outer.next_if(|(_, end)| end < least).is_some() {}
        outer
            .peek()
            .is_some_and(|(begin, end)| begin <= least && greatest <= end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        [&[tag, u8::try_from(content.len()).unwrap()][..], &content].concat()
    }

    /// IPv4 blocks.
    fn addresses(blocks: &[&[u8]]) -> Option<Resources> {
        let family = element(OCTET_STRING, &[&[0, 1]]);
        let list = element(SEQUENCE, blocks);
        Resources::addresses(&element(SEQUENCE, &[&element(SEQUENCE, &[&family, &list])]))
    }

    fn prefix(unused: u8, octets: &[u8]) -> Vec<u8> {
        element(BIT_STRING, &[&[unused], octets])
    }

    #[test]
    fn blocks_are_read_in_canonical_form_alone() {
        let range = |from: &[u8], to: &[u8]| element(SEQUENCE, &[&prefix(0, from), &prefix(0, to)]);
        let ten = prefix(0, &[10]);
        assert!(addresses(&[&ten]).is_some());
        assert!(addresses(&[&ten, &prefix(0, &[12])]).is_some());
        for bad in [
            vec![],
            vec![ten.clone(), ten.clone()],
            vec![ten.clone(), prefix(0, &[10, 1])],
            // Adjacent, in the wrong order, turned round, a range that is a prefix, too long.
            vec![ten.clone(), prefix(0, &[11])],
            vec![prefix(0, &[12]), ten.clone()],
            vec![range(&[10, 0, 0, 9], &[10, 0, 0, 8])],
            vec![range(&[10, 0, 0, 8], &[10, 0, 0, 15])],
            vec![prefix(0, &[10, 0, 0, 0, 0])],
            vec![prefix(8, &[10])],
        ] {
            let blocks: Vec<&[u8]> = bad.iter().map(Vec::as_slice).collect();
            assert_eq!(addresses(&blocks), None, "{bad:x?}");
        }
        assert!(addresses(&[&range(&[10, 0, 0, 9], &[10, 0, 0, 12])]).is_some());
        let unknown = element(SEQUENCE, &[&element(OCTET_STRING, &[&[0, 9]]), &[NULL, 0]]);
        assert_eq!(Resources::addresses(&element(SEQUENCE, &[&unknown])), None);
    }

    #[test]
    fn what_lies_within() {
        let ranges = |blocks: &[&[u8]]| addresses(blocks).unwrap().0[0].ranges.clone().unwrap();
        let outer = ranges(&[&prefix(0, &[10]), &prefix(4, &[0xc0, 0x10])]);
        for (inner, expected) in [
            (prefix(0, &[10, 7]), true),
            (prefix(0, &[0xc0, 0x1f, 3]), true),
            (prefix(0, &[0xc0, 0x20]), false),
            (prefix(1, &[10]), false),
            (prefix(0, &[9]), false),
        ] {
            assert_eq!(covers(&outer, &ranges(&[&inner])), expected, "{inner:x?}");
        }
        assert!(covers(&outer, &outer));
        let number = |octets: &[u8]| filled(&[&[0], octets].concat(), 2, 0).unwrap();
        assert_eq!(successor(number(&[1, 0xff]), 2), Some(number(&[2, 0])));
        assert_eq!(successor(number(&[0xff, 0xff]), 2), None);
    }

    #[test]
    fn numbers_of_systems() {
        let systems = |list: &[&[u8]]| {
            let list = element(SEQUENCE, list);
            Resources::systems(&element(SEQUENCE, &[&element(context(0), &[&list])]))
        };
        assert!(systems(&[&[2, 1, 5], &[2, 1, 7]]).is_some());
        assert!(systems(&[&[2, 1, 5], &[2, 1, 6]]).is_none());
        assert!(systems(&[&[2, 1, 0xff]]).is_none());
        assert!(systems(&[&[0x30, 6, 2, 1, 5, 2, 1, 5]]).is_none());
        let inherited = Resources::systems(&[0x30, 4, 0xa0, 2, NULL, 0]).unwrap();
        assert!(inherited.inherits());
    }
}
