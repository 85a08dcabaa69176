// SPDX-License-Identifier: Apache-2.0
//! Finds what was there before (Ziv and Lempel): a text as literals and copies.

/// Shorter copies cost more than their literals.
const LEAST: usize = 4;
/// How many earlier places are tried for each position.
const TRIES: usize = 64;
/// Of a window of 2^16 bytes brotli keeps 16 to itself (RFC 7932 9.1).
pub(super) const WINDOW: usize = (1 << 16) - 16;

const HASH_BITS: u32 = 12;

/// Literals up to `start`, then a copy of `length` bytes from `distance` before; the last one of a text may have no copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Where the copy goes.
    pub start: usize,
    /// 0 for none.
    pub length: usize,
    /// How far before `start` it comes from.
    pub distance: usize,
}

/// The steps that make `text`.
pub(super) fn steps(text: &[u8]) -> Vec<Step> {
    let mut finder = Finder::new(text);
    let mut steps = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let here = finder.best(at);
        finder.remember(at);
        let Some(found) = here else {
            at += 1;
            continue;
        };
        // One that begins a byte later may be longer.
        if finder
            .best(at + 1)
            .is_some_and(|next| next.length > found.length + 1)
        {
            at += 1;
            continue;
        }
        (at + 1..found.start + found.length).for_each(|passed| finder.remember(passed));
        at = found.start + found.length;
        steps.push(found);
    }
    if steps.last().map_or(0, |last| last.start + last.length) < text.len() {
        steps.push(Step {
            start: text.len(),
            length: 0,
            distance: 0,
        });
    }
    steps
}

struct Finder<'a> {
    text: &'a [u8],
    /// For each hash the last place with it, plus one.
    heads: Vec<usize>,
    /// For each place the one before it with the same hash, plus one.
    before: Vec<usize>,
}

impl<'a> Finder<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            heads: vec![0; 1 << HASH_BITS],
            before: vec![0; text.len()],
        }
    }

    fn hash(&self, at: usize) -> Option<usize> {
        let four = self.text.get(at..)?.first_chunk::<LEAST>()?;
        let mixed = u32::from_le_bytes(*four).wrapping_mul(0x9e37_79b1);
        usize::try_from(mixed >> (32 - HASH_BITS)).ok()
    }

    fn remember(&mut self, at: usize) {
        let Some(hash) = self.hash(at) else { return };
        if let (Some(head), Some(before)) = (self.heads.get_mut(hash), self.before.get_mut(at)) {
            *before = *head;
            *head = at + 1;
        }
    }

    /// The longest copy for `at`, the nearest of equals.
    fn best(&self, at: usize) -> Option<Step> {
        let here = self.text.get(at..)?;
        let mut best: Option<Step> = None;
        let mut next = *self.heads.get(self.hash(at)?)?;
        for _ in 0..TRIES {
            let Some(place) = next.checked_sub(1) else {
                break;
            };
            let distance = at - place;
            if distance > WINDOW {
                break;
            }
            let there = self.text.get(place..)?;
            let length = here.iter().zip(there).take_while(|(a, b)| a == b).count();
            if length >= LEAST && best.is_none_or(|known| length > known.length) {
                best = Some(Step {
                    start: at,
                    length,
                    distance,
                });
            }
            next = *self.before.get(place)?;
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rebuild(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for step in steps(text) {
            out.extend_from_slice(&text[out.len()..step.start]);
            for _ in 0..step.length {
                out.push(out[out.len() - step.distance]);
            }
        }
        out
    }

    #[test]
    fn steps_make_the_text_again() {
        for text in [
            &b""[..],
            b"a",
            b"aaaaaaaaaaaaaaaaaaaaa",
            b"abcdabcdabcdXabcdabcd",
            b"no repetition",
        ] {
            assert_eq!(rebuild(text), text);
        }
        assert_eq!(
            steps(b"abcdefabcdef"),
            [Step {
                start: 6,
                length: 6,
                distance: 6
            }]
        );
    }
}
