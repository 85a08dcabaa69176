// SPDX-License-Identifier: Apache-2.0
//! Brotli (RFC 7932), as much of it as certificates need: one meta-block, one prefix code for each kind of symbol.
//!
//! The encoder of the `brotli` crate would be a fifth of the module, most of it tables for texts of the web.

use super::huffman::{Bits, Code};
use super::matches::{Step, steps};

/// What a meta-block of four nibbles may hold. Certificate messages are far below.
const LONGEST: usize = 1 << 16;

const LITERALS: usize = 256;
const COMMANDS: usize = 704;
const DISTANCES: usize = 64;
/// Longest code of a symbol.
const DEEPEST: u32 = 15;

/// RFC 7932 5: first value and extra bits of each insert length code.
const INSERTS: [(usize, u32); 24] = [
    (0, 0),
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 1),
    (8, 1),
    (10, 2),
    (14, 2),
    (18, 3),
    (26, 3),
    (34, 4),
    (50, 4),
    (66, 5),
    (98, 5),
    (130, 6),
    (194, 7),
    (322, 8),
    (578, 9),
    (1090, 10),
    (2114, 12),
    (6210, 14),
    (22594, 24),
];
/// The same of each copy length code.
const COPIES: [(usize, u32); 24] = [
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 1),
    (12, 1),
    (14, 2),
    (18, 2),
    (22, 3),
    (30, 3),
    (38, 4),
    (54, 4),
    (70, 5),
    (102, 5),
    (134, 6),
    (198, 7),
    (326, 8),
    (582, 9),
    (1094, 10),
    (2118, 24),
];
/// RFC 7932 5: where the symbols of a pair of codes begin, by the high parts of insert code and copy code.
const CELLS: [[usize; 3]; 3] = [[128, 192, 384], [256, 320, 512], [448, 576, 640]];

/// RFC 7932 3.5: the order in which lengths of code length codes are sent, and how each is.
const LENGTH_ORDER: [usize; 18] = [1, 2, 3, 4, 0, 5, 17, 6, 16, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const LENGTH_CODES: [(u32, u32); 6] = [(2, 0), (4, 7), (3, 3), (2, 2), (2, 1), (4, 15)];
const REPEAT: usize = 16;
const REPEAT_ZERO: usize = 17;

/// A symbol with the bits that follow it.
#[derive(Clone, Copy, Debug, Default)]
struct Symbol {
    symbol: usize,
    extra_bits: u32,
    extra: u32,
}

/// One command: its symbol, the bits of both lengths, its literals, its distance.
struct Command<'a> {
    symbol: usize,
    insert: Symbol,
    copy: Symbol,
    literals: &'a [u8],
    distance: Option<Symbol>,
}

/// Compresses; `None` for a text that is empty or longer than fits here.
pub fn compress(text: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(text.len().checked_sub(1)?).ok()?;
    if text.len() > LONGEST {
        return None;
    }
    let commands = commands(text);
    let mut out = Bits::default();
    out.put(1, 0); // a window of 2^16
    out.put(2, 0b01); // the last meta-block, and not an empty one
    out.put(2, 0); // four nibbles of length
    out.put(16, length);
    out.put(3, 0); // one block type of each kind
    out.put(6, 0); // no postfix bits, no direct distances
    out.put(2, 0); // the context of literals: any, for there is one code
    out.put(2, 0); // one code of literals, one of distances
    let mut counts = (vec![0; LITERALS], vec![0; COMMANDS], vec![0; DISTANCES]);
    for command in &commands {
        command
            .literals
            .iter()
            .for_each(|byte| count(&mut counts.0, usize::from(*byte)));
        count(&mut counts.1, command.symbol);
        command
            .distance
            .iter()
            .for_each(|distance| count(&mut counts.2, distance.symbol));
    }
    let literals = put_code(&mut out, &counts.0, 8);
    let lengths = put_code(&mut out, &counts.1, 10);
    let distances = put_code(&mut out, &counts.2, 6);
    for command in &commands {
        lengths.put(&mut out, command.symbol);
        out.put(command.insert.extra_bits, command.insert.extra);
        out.put(command.copy.extra_bits, command.copy.extra);
        command
            .literals
            .iter()
            .for_each(|byte| literals.put(&mut out, usize::from(*byte)));
        if let Some(distance) = &command.distance {
            distances.put(&mut out, distance.symbol);
            out.put(distance.extra_bits, distance.extra);
        }
    }
    Some(out.finish())
}

fn count(counts: &mut [u32], symbol: usize) {
    if let Some(count) = counts.get_mut(symbol) {
        *count += 1;
    }
}

fn commands(text: &[u8]) -> Vec<Command<'_>> {
    let mut done = 0;
    let mut last_distance = 4; // RFC 7932 4: what the ring begins with
    let command = |step: Step| {
        let literals = text.get(done..step.start).unwrap_or_default();
        done = step.start + step.length;
        let insert = coded(&INSERTS, literals.len());
        // A text that ends with literals ends before the copy of its last command.
        let copy = coded(&COPIES, step.length.max(2));
        let cell = CELLS
            .get(insert.symbol >> 3)
            .and_then(|row| row.get(copy.symbol >> 3));
        let distance = (step.length > 0).then(|| {
            let same = step.distance == last_distance;
            last_distance = step.distance;
            if same {
                Symbol::default()
            } else {
                distance_code(step.distance)
            }
        });
        Command {
            symbol: cell.copied().unwrap_or_default()
                | (insert.symbol & 7) << 3
                | (copy.symbol & 7),
            insert,
            copy,
            literals,
            distance,
        }
    };
    steps(text).into_iter().map(command).collect()
}

/// The last row of a table that begins at or below `value`.
fn coded(table: &[(usize, u32)], value: usize) -> Symbol {
    let rows = table.iter().enumerate().rev();
    let mut fitting = rows.filter(|(_, (first, _))| *first <= value);
    let (symbol, (first, extra_bits)) = fitting.next().unwrap_or((0, &(0, 0)));
    Symbol {
        symbol,
        extra_bits: *extra_bits,
        extra: u32::try_from(value.saturating_sub(*first)).unwrap_or_default(),
    }
}

/// RFC 7932 4, without postfix bits and direct distances.
fn distance_code(distance: usize) -> Symbol {
    let shifted = distance + 3;
    let bits = shifted.ilog2() - 1;
    let high = shifted >> bits;
    Symbol {
        symbol: 16 + 2 * (bits as usize - 1) + (high & 1),
        extra_bits: bits,
        extra: u32::try_from(shifted - (high << bits)).unwrap_or_default(),
    }
}

/// Appends the code for symbols with these frequencies, and returns it. A symbol of the alphabet has `width` bits.
fn put_code(out: &mut Bits, counts: &[u32], width: u32) -> Code {
    let code = Code::new(counts, DEEPEST);
    let mut used: Vec<usize> = code.symbols().take(5).collect();
    if used.is_empty() {
        used.push(0); // a code that is never asked
    }
    match used.len() {
        1..=4 => put_simple_code(out, &code, used, width),
        _ => put_lengths(out, code.lengths()),
    }
    code
}

/// RFC 7932 3.4: up to four symbols by name, the shorter codes first.
fn put_simple_code(out: &mut Bits, code: &Code, mut used: Vec<usize>, width: u32) {
    used.sort_by_key(|symbol| (code.length(*symbol), *symbol));
    out.put(2, 1);
    out.put(2, used.len() as u32 - 1);
    for symbol in &used {
        out.put(width, *symbol as u32);
    }
    if let [first, _, _, _] = used[..] {
        out.put(1, u32::from(code.length(first) == 1));
    }
}

/// RFC 7932 3.5: the lengths of all symbols, themselves with a code.
fn put_lengths(out: &mut Bits, lengths: &[u32]) {
    let symbols = length_symbols(lengths);
    let mut counts = [0; 18];
    symbols
        .iter()
        .for_each(|symbol| count(&mut counts, symbol.symbol));
    let code = Code::new(&counts, 5);
    let sent = LENGTH_ORDER.map(|symbol| code.length(symbol));
    let skipped = match sent {
        [0, 0, 0, ..] => 3,
        [0, 0, ..] => 2,
        _ => 0,
    };
    // A reader stops where the code is complete, which one of a single symbol never is.
    let end = match sent.iter().rposition(|length| *length > 0) {
        Some(last) if !code.is_trivial() => last + 1,
        _ => sent.len(),
    };
    out.put(2, skipped as u32);
    for length in sent.iter().take(end).skip(skipped) {
        let (bits, value) = LENGTH_CODES
            .get(*length as usize)
            .copied()
            .unwrap_or_default();
        out.put(bits, value);
    }
    for symbol in symbols {
        code.put(out, symbol.symbol);
        out.put(symbol.extra_bits, symbol.extra);
    }
}

/// Lengths with repetitions drawn together; zeros at the end are left out.
fn length_symbols(lengths: &[u32]) -> Vec<Symbol> {
    let end = lengths
        .iter()
        .rposition(|length| *length > 0)
        .map_or(0, |last| last + 1);
    let mut symbols = Vec::new();
    let mut previous = 8; // RFC 7932 3.5: what a repetition at the beginning repeats
    for run in lengths
        .get(..end)
        .unwrap_or_default()
        .chunk_by(|a, b| a == b)
    {
        let value = run.first().copied().unwrap_or_default();
        let plain = Symbol {
            symbol: value as usize,
            ..Symbol::default()
        };
        let mut left = run.len();
        let (symbol, extra_bits) = if value == 0 {
            (REPEAT_ZERO, 3)
        } else {
            (REPEAT, 2)
        };
        if value != 0 && value != previous {
            symbols.push(plain);
            previous = value;
            left -= 1;
        }
        // Repetitions of repetitions count in digits, the highest first; each digit but the last is one too many.
        let mut digits = Vec::new();
        if left >= 3 {
            let mut rest = left as u32 - 3;
            loop {
                digits.push(rest & ((1 << extra_bits) - 1));
                rest >>= extra_bits;
                if rest == 0 {
                    break;
                }
                rest -= 1;
            }
            left = 0;
        }
        symbols.extend(digits.into_iter().rev().map(|extra| Symbol {
            symbol,
            extra_bits,
            extra,
        }));
        symbols.extend(std::iter::repeat_n(plain, left));
    }
    symbols
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::creds::tests::data;

    fn again(text: &[u8]) -> usize {
        let packed = compress(text).unwrap();
        let mut back = vec![0; text.len()];
        let decompressor = rustls::compress::default_cert_decompressors();
        let brotli = decompressor
            .iter()
            .find(|d| d.algorithm() == rustls::CertificateCompressionAlgorithm::Brotli)
            .unwrap();
        brotli.decompress(&packed, &mut back).unwrap();
        assert_eq!(back, text);
        packed.len()
    }

    #[test]
    fn others_read_it() {
        assert_eq!(compress(b""), None);
        assert_eq!(compress(&[0; LONGEST + 1]), None);
        for text in [
            &b"a"[..],
            b"ab",
            b"abc",
            b"abcd",
            b"abcde",
            b"aaaaaaaa",
            b"abababab",
        ] {
            again(text);
        }
        let every: Vec<u8> = (0..=255).collect();
        again(&every);
        assert!(again(&[0; LONGEST]) < 40);
        for name in ["rsa.crt.pem", "p256.text.crt.pem", "p256.crt.der"] {
            again(&data(name));
        }
    }

    /// Texts of all sizes, alphabets and lengths of repetition.
    #[test]
    fn others_read_whatever_there_is() {
        let mut random = crate::creds::tests::Random(7);
        for _ in 0..3000 {
            let letters = 1 + random.below(256);
            let longest = if random.below(20) == 0 { LONGEST } else { 3000 };
            let size = 1 + random.below(longest);
            let mut text = Vec::with_capacity(size);
            while text.len() < size {
                if !text.is_empty() && random.below(3) == 0 {
                    let from = random.below(text.len());
                    let length = random.below(400).min(text.len() - from);
                    text.extend_from_within(from..from + length);
                } else {
                    let length = random.below(60);
                    text.extend((0..length).map(|_| random.below(letters) as u8));
                }
            }
            text.truncate(size);
            again(&text);
        }
    }
}
