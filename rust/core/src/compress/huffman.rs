// SPDX-License-Identifier: Apache-2.0
//! Prefix codes (RFC 7932 3): how many bits each symbol gets, and which.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Bits, least significant first, as brotli wants them.
#[derive(Debug, Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    pending: u64,
    count: u32,
}

impl Bits {
    /// Appends the `count` low bits of `value`; at most 32.
    pub(super) fn put(&mut self, count: u32, value: u32) {
        self.pending |= u64::from(value) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    /// All bytes, the last one filled up with zeros.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.put(7, 0);
        self.bytes
    }
}

/// A prefix code: for each symbol its length (0: it does not occur) and its bits in the order in which they are put.
#[derive(Debug)]
pub(super) struct Code {
    lengths: Vec<u32>,
    bits: Vec<u32>,
    /// Fewer than two symbols occur.
    trivial: bool,
}

impl Code {
    /// The best code for these frequencies in which no symbol takes more than `limit` bits. One symbol alone has
    /// length 1.
    pub(super) fn new(counts: &[u32], limit: u32) -> Self {
        let lengths = lengths(counts, limit);
        let bits = canonical(&lengths);
        let trivial = lengths
            .iter()
            .filter(|length| **length > 0)
            .nth(1)
            .is_none();
        Self {
            lengths,
            bits,
            trivial,
        }
    }

    /// Length of each symbol.
    pub(super) fn lengths(&self) -> &[u32] {
        &self.lengths
    }

    /// Length of the code of one symbol.
    pub(super) fn length(&self, symbol: usize) -> u32 {
        self.lengths.get(symbol).copied().unwrap_or_default()
    }

    /// Symbols that occur.
    pub(super) fn symbols(&self) -> impl Iterator<Item = usize> + '_ {
        let used = |(symbol, length): (usize, &u32)| (*length > 0).then_some(symbol);
        self.lengths.iter().enumerate().filter_map(used)
    }

    /// Whether one symbol at most occurs, which then takes no bits.
    pub(super) fn is_trivial(&self) -> bool {
        self.trivial
    }

    /// Appends a symbol.
    pub(super) fn put(&self, out: &mut Bits, symbol: usize) {
        if self.trivial {
            return;
        }
        if let (Some(length), Some(bits)) = (self.lengths.get(symbol), self.bits.get(symbol)) {
            out.put(*length, *bits);
        }
    }
}

/// Huffman's algorithm. Where it goes deeper than the limit, rare symbols are taken for more frequent ones, until it
/// does not.
fn lengths(counts: &[u32], limit: u32) -> Vec<u32> {
    let mut least = 1;
    loop {
        let found = depths(counts, least);
        if found.iter().all(|depth| *depth <= limit) {
            return found;
        }
        least *= 2;
    }
}

fn depths(counts: &[u32], least: u32) -> Vec<u32> {
    let mut depths = vec![0; counts.len()];
    // (weight, number): the number makes the order, and so the code, the same everywhere.
    let mut heap = BinaryHeap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (symbol, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        heap.push(Reverse((u64::from((*count).max(least)), groups.len())));
        groups.push(vec![symbol]);
    }
    if let [only] = &groups[..] {
        deepen(&mut depths, only);
    }
    while let (Some(Reverse((a, left))), Some(Reverse((b, right)))) = (heap.pop(), heap.pop()) {
        let take =
            |groups: &mut Vec<Vec<usize>>, place: usize| groups.get_mut(place).map(std::mem::take);
        let mut both = take(&mut groups, left).unwrap_or_default();
        both.extend(take(&mut groups, right).unwrap_or_default());
        deepen(&mut depths, &both);
        heap.push(Reverse((a + b, groups.len())));
        groups.push(both);
        if heap.len() == 1 {
            break;
        }
    }
    depths
}

fn deepen(depths: &mut [u32], symbols: &[usize]) {
    for symbol in symbols {
        if let Some(depth) = depths.get_mut(*symbol) {
            *depth += 1;
        }
    }
}

/// RFC 7932 3.2: codes of one length are consecutive, in the order of the symbols; the first bit is the highest.
fn canonical(lengths: &[u32]) -> Vec<u32> {
    let mut bits = vec![0; lengths.len()];
    let mut code = 0_u32;
    for length in 1..=lengths.iter().copied().max().unwrap_or_default() {
        code <<= 1;
        for (symbol, _) in lengths.iter().enumerate().filter(|(_, l)| **l == length) {
            if let Some(bits) = bits.get_mut(symbol) {
                *bits = code.reverse_bits() >> (32 - length);
            }
            code += 1;
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_symbols_are_short() {
        let code = Code::new(&[5, 0, 1, 1, 2], 15);
        assert_eq!(code.lengths(), [1, 0, 3, 3, 2]);
        // 0 -> 0, 4 -> 10, 2 -> 110, 3 -> 111, first bit lowest
        assert_eq!(
            [code.bits[0], code.bits[4], code.bits[2], code.bits[3]],
            [0, 1, 3, 7]
        );
    }

    #[test]
    fn no_code_is_longer_than_the_limit_and_all_are_complete() {
        let mut fibonacci = vec![1_u32, 1];
        while fibonacci.len() < 40 {
            fibonacci.push(fibonacci[fibonacci.len() - 1] + fibonacci[fibonacci.len() - 2]);
        }
        for limit in [6, 15] {
            let code = Code::new(&fibonacci, limit);
            assert!(
                code.lengths()
                    .iter()
                    .all(|length| (1..=limit).contains(length))
            );
            let kraft: u32 = code
                .lengths()
                .iter()
                .map(|length| 1 << (limit - length))
                .sum();
            assert_eq!(kraft, 1 << limit, "every sequence of bits means something");
        }
        assert_eq!(Code::new(&[0, 3], 15).lengths(), [0, 1]);
        assert!(Code::new(&[0, 3], 15).is_trivial() && Code::new(&[0, 0], 15).is_trivial());
    }
}
