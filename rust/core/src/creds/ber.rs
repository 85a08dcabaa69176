// SPDX-License-Identifier: Apache-2.0
//! BER (X.690, 8) into DER, as far as files of keys need it: Windows and older tools write PKCS#12 with lengths that are
//! not told beforehand, and long strings in pieces. OpenSSL reads them so.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use zeroize::Zeroizing;

use crate::x509::der::{OCTET_STRING, SEQUENCE};

/// Elements within each other; PKCS#12 has about ten.
const DEEPEST: usize = 24;
/// Most octets of buffers: each element that holds others has one of its own, of the length of all, which is wiped.
const MOST_WIPED: usize = 1 << 28;
const CONSTRUCTED: u8 = 0x20;
/// An OCTET STRING that consists of others (X.690, 8.7.3).
const IN_PIECES: u8 = OCTET_STRING | CONSTRUCTED;
/// A length that is told by two zeros at the end (X.690, 8.1.3.6).
const INDEFINITE: u8 = 0x80;

/// An element whose end was not met yet.
struct Open {
    tag: u8,
    content: Zeroizing<Vec<u8>>,
    /// Where it ends; `None`: at two zeros.
    end: Option<usize>,
}

impl Open {
    /// Takes in an element: of the pieces of a string their contents alone.
    fn add(&mut self, tag: u8, content: &[u8]) -> Option<()> {
        if self.tag == IN_PIECES {
            (tag == OCTET_STRING).then(|| self.content.extend_from_slice(content))
        } else {
            write(tag, content, &mut self.content)
        }
    }
}

/// The element that `input` begins with, in DER, where its length is indefinite; `None` for others, which are left as they
/// are, and where it is damaged. The result may hold keys: it is wiped, and never moved while it grows.
pub(super) fn in_der(input: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if !input.starts_with(&[SEQUENCE, INDEFINITE]) {
        return None;
    }
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0_usize;
    let mut wiped = 0_usize;
    loop {
        let (tag, length, begin) = header(input, at)?;
        let end = match length {
            Some(length) => Some(
                begin
                    .checked_add(length)
                    .filter(|end| *end <= input.len())?,
            ),
            None => None,
        };
        if tag & CONSTRUCTED == 0 {
            let content = input.get(begin..end?)?;
            at = end?;
            open.last_mut()?.add(tag, content)?;
        } else if open.len() < DEEPEST && wiped < MOST_WIPED {
            wiped = wiped.saturating_add(input.len());
            at = begin;
            open.push(Open {
                tag,
                content: buffer(input),
                end,
            });
        } else {
            return None;
        }
        while let Some(innermost) = open.last() {
            match innermost.end {
                Some(end) if at < end => break,
                Some(end) if at > end => return None,
                Some(_) => {}
                None if input.get(at..)?.starts_with(&[0, 0]) => at = at.checked_add(2)?,
                None => break,
            }
            let Open { tag, content, .. } = open.pop()?;
            let tag = if tag == IN_PIECES { OCTET_STRING } else { tag };
            let Some(around) = open.last_mut() else {
                let mut whole = buffer(input);
                write(tag, &content, &mut whole)?;
                return Some(whole);
            };
            around.add(tag, &content)?;
        }
    }
}

/// Room for all that may come of `input`: a header grows by an octet where its element is longer than 64 KiB.
fn buffer(input: &[u8]) -> Zeroizing<Vec<u8>> {
    let grown = (input.len() >> 16)
        .saturating_add(1)
        .saturating_mul(DEEPEST);
    Zeroizing::new(Vec::with_capacity(input.len().saturating_add(grown)))
}

/// Tag, length (`None`: indefinite, for constructed elements alone) and where the content begins.
fn header(input: &[u8], at: usize) -> Option<(u8, Option<usize>, usize)> {
    let [tag, first, rest @ ..] = input.get(at..)? else {
        return None;
    };
    let begin = at.checked_add(2)?;
    if tag & 0x1f == 0x1f {
        return None;
    }
    match *first {
        INDEFINITE => (tag & CONSTRUCTED != 0).then_some((*tag, None, begin)),
        short @ ..0x80 => Some((*tag, Some(usize::from(short)), begin)),
        long => {
            let digits = rest.get(..usize::from(long & 0x7f))?;
            let length = (digits.len() <= 4).then(|| {
                let digits = digits.iter();
                digits.fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit))
            })?;
            Some((*tag, Some(length), begin.checked_add(digits.len())?))
        }
    }
}

fn write(tag: u8, content: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.push(tag);
    let digits = u32::try_from(content.len()).ok()?.to_be_bytes();
    if content.len() < 0x80 {
        out.extend(digits.last());
    } else {
        let significant = digits.iter().skip_while(|digit| **digit == 0);
        out.push(0x80 | u8::try_from(significant.clone().count()).ok()?);
        out.extend(significant);
    }
    out.extend_from_slice(content);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_and_pieces_put_together() {
        for (ber, der) in [
            (&[0x30, 0x80, 0, 0][..], Some(&[0x30, 0][..])),
            (&[0x30, 0x80, 2, 1, 5, 0, 0, 9], Some(&[0x30, 3, 2, 1, 5])),
            (
                &[0x30, 0x80, 0x24, 0x80, 4, 1, 7, 4, 1, 8, 0, 0, 0, 0],
                Some(&[0x30, 4, 4, 2, 7, 8]),
            ),
            (
                &[0x30, 0x80, 0x24, 7, 0x24, 3, 4, 1, 7, 4, 0, 0, 0],
                Some(&[0x30, 3, 4, 1, 7]),
            ),
            (
                &[0x30, 0x80, 0x30, 3, 2, 1, 5, 0xa0, 0x80, 0, 0, 0, 0],
                Some(&[0x30, 7, 0x30, 3, 2, 1, 5, 0xa0, 0]),
            ),
            // What is DER already, cut, of another kind than its string, beyond its end, or primitive without a length.
            (&[0x30, 0], None),
            (&[0x30, 0x80, 2, 1, 5], None),
            (&[0x30, 0x80, 0x24, 0x80, 2, 1, 7, 0, 0, 0, 0], None),
            (&[0x30, 0x80, 0x30, 2, 2, 1, 5, 0, 0], None),
            (&[0x30, 0x80, 4, 0x80, 0, 0, 0, 0], None),
            (&[0x30, 0x80, 4, 0x85, 0, 0, 0, 0, 1, 9, 0, 0], None),
        ] {
            assert_eq!(in_der(ber).as_ref().map(|out| &out[..]), der, "{ber:x?}");
        }
    }

    #[test]
    fn depth_is_bounded_and_nothing_is_moved() {
        let nested = |depth| [[0x30, 0x80].repeat(depth), [0, 0].repeat(depth)].concat();
        assert!(in_der(&nested(DEEPEST)).is_some());
        assert!(in_der(&nested(DEEPEST + 1)).is_none());
        let piece = [&[4, 0x82, 0xff, 0xff][..], &[7; 0xffff]].concat();
        let long = [&[0x30, 0x80, 0x24, 0x80][..], &piece.repeat(20), &[0; 4]].concat();
        let out = in_der(&long).unwrap();
        assert!(out.capacity() == buffer(&long).capacity() && out.len() > 20 * 0xffff);
    }
}
