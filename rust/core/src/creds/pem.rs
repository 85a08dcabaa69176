// SPDX-License-Identifier: Apache-2.0
//! PEM (RFC 7468, and the older form of RFC 1421 with headers) for files that may hold private keys: the one reader of
//! every file of certificates, keys and lists.
//!
//! What begins a block and what ends it is judged as OpenSSL 3.0 does (`PEM_read_bio`), since files are made with it: a
//! line is what `fgets` gives to a buffer of 255 characters, cut at a NUL; white space and octets beyond ASCII at its end
//! do not count; a byte order mark is passed over at the start and right behind a block. So much for authorities, of
//! which nobody may be trusted whom OpenSSL does not see. In files of our own certificates and keys, and of lists, a mark
//! or white space before any line does not count either, and NUL ends nothing. What looks like a block and is none is
//! reported, never passed over in silence.
//!
//! The decoder (`base64`) is our own because pki-types' reader leaves the lines and the base64 text it gathers in freed memory.
//! Here the text stays in the caller's buffer and the result goes into one [`Zeroizing`] buffer that never grows.
//! Base64 digits are mapped by arithmetic, not by a table, so that no cache line tells about a key.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use zeroize::Zeroizing;

use crate::base64::Decoder;

/// One block, `-----BEGIN label-----` to `-----END label-----`, as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// What is between `BEGIN ` and the dashes.
    pub label: &'a str,
    /// Header lines (`Proc-Type: 4,ENCRYPTED`) as written; empty in most files.
    pub headers: &'a [u8],
    /// Line of the BEGIN, counted from 1.
    pub line: usize,
    body: &'a [u8],
}

/// Why a block cannot be used; the number is the line of its BEGIN unless something else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PemError {
    /// There is no END line that fits.
    NoEnd(usize),
    /// Its END and the BEGIN of the next block stand in one line, which is this one.
    Joined(usize),
    /// The text between the lines is not base64.
    NotBase64(usize),
}

impl PemError {
    /// Line of what is wrong, mostly of the block's BEGIN.
    pub fn line(self) -> usize {
        match self {
            Self::NoEnd(line) | Self::Joined(line) | Self::NotBase64(line) => line,
        }
    }
}

impl std::error::Error for PemError {}

impl std::fmt::Display for PemError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let line = self.line();
        match self {
            Self::NoEnd(_) => write!(
                f,
                "the block that begins in line {line} has no END line that fits; the file is cut short or \
                 damaged, copy it again"
            ),
            Self::Joined(_) => write!(
                f,
                "line {line} has the end of a block and the beginning of the next; put a line break between them"
            ),
            Self::NotBase64(_) => write!(
                f,
                "the block that begins in line {line} is not base64; the file is damaged, copy it again"
            ),
        }
    }
}

/// The blocks of a file, in order. Text before, between and behind them is passed over.
pub fn blocks(file: &[u8]) -> Blocks<'_> {
    Blocks {
        is_strict: false,
        ..strict_blocks(file)
    }
}

/// The same, of a file of authorities.
pub fn strict_blocks(file: &[u8]) -> Blocks<'_> {
    Blocks {
        is_strict: true,
        rest: file,
        newlines: 0,
        is_inside: false,
        is_fresh: true,
        lost: Vec::new(),
    }
}

/// Iterator of [`blocks`].
pub struct Blocks<'a> {
    is_strict: bool,
    rest: &'a [u8],
    /// Line ends that were read.
    newlines: usize,
    /// `rest` begins within a line.
    is_inside: bool,
    /// No line was read since the start or the last block.
    is_fresh: bool,
    lost: Vec<usize>,
}

/// What OpenSSL's buffer for lines holds.
const PIECE: usize = 254;
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const TAIL: &[u8] = b"-----";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl<'a> Blocks<'a> {
    /// Lines in which something looks like the beginning of a block and is none: complete once the iterator has ended.
    pub fn lost(&self) -> &[usize] {
        &self.lost
    }

    /// The next line, or as much of it as OpenSSL reads at once, without its end. Empty where it begins with NUL, which
    /// OpenSSL takes for the end of the file (then `None` is not far).
    fn next_piece(&mut self) -> Option<Piece<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let most = self.rest.get(..PIECE).unwrap_or(self.rest);
        let length = most
            .iter()
            .position(|b| *b == b'\n')
            .map_or(most.len(), |p| p.saturating_add(1));
        let (raw, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        let number = self.newlines.saturating_add(1);
        self.is_inside = raw.last() != Some(&b'\n');
        self.newlines = self.newlines.saturating_add(usize::from(!self.is_inside));
        let text = cut(raw);
        let is_marked = !self.is_strict || std::mem::take(&mut self.is_fresh);
        let text = match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(behind) if is_marked => behind,
            _ => text,
        };
        Some(Piece {
            number,
            ends_all: self.is_strict && raw.first() == Some(&0),
            text: if self.is_strict {
                text
            } else {
                text.trim_ascii_start()
            },
        })
    }

    /// Notes the line that begins here where it looks like a block.
    fn suspect(&mut self, line: &'a [u8], number: usize) {
        if looks_like_block(line) && self.lost.last() != Some(&number) {
            self.lost.push(number);
        }
    }

    /// The whole of the line that begins here.
    fn line_here(&self) -> &'a [u8] {
        self.rest.split(|b| *b == b'\n').next().unwrap_or_default()
    }

    /// Goes to the next BEGIN and gives its label.
    fn begin(&mut self) -> Option<(&'a str, usize)> {
        loop {
            let whole = (!self.is_inside).then(|| self.line_here());
            let piece = self.next_piece()?;
            if let Some(label) = marker(piece.text, BEGIN) {
                return Some((label, piece.number));
            }
            if let Some(whole) = whole {
                self.suspect(whole, piece.number);
            }
            if piece.ends_all {
                self.give_up();
            }
        }
    }

    /// Passes over the rest of the file, as OpenSSL does behind a line that begins with NUL.
    fn give_up(&mut self) {
        while !self.rest.is_empty() {
            let line = self.line_here();
            self.newlines = self.newlines.saturating_add(1);
            self.suspect(line, self.newlines);
            self.rest = self
                .rest
                .get(line.len().saturating_add(1)..)
                .unwrap_or_default();
        }
    }
}

/// A line, or a part of one.
struct Piece<'a> {
    number: usize,
    text: &'a [u8],
    ends_all: bool,
}

/// A line as OpenSSL sees it: up to a NUL, and without what is white space, control or beyond ASCII at its end.
fn cut(raw: &[u8]) -> &[u8] {
    let text = raw.split(|b| *b == 0).next().unwrap_or_default();
    let end = text.iter().rposition(|b| *b > b' ' && *b < 0x80);
    end.and_then(|end| text.get(..=end)).unwrap_or_default()
}

/// Whether a person would take the line for the beginning of a block: the words between dashes of any kind, or the
/// words in an encoding of two octets.
fn looks_like_block(line: &[u8]) -> bool {
    const WIDE: &[u8] = b"B\0E\0G\0I\0N\0";
    if !line.iter().any(|b| *b | 0x20 == b'b') {
        return false;
    }
    if find(line, WIDE).is_some() {
        return true;
    }
    let lower = line.to_ascii_lowercase();
    let dashes = |text: &[u8]| {
        let plain = text.iter().filter(|b| **b == b'-').count();
        plain.saturating_add(text.windows(2).filter(|w| *w == b"\xe2\x80").count()) >= 2
    };
    find(&lower, b"begin ").is_some_and(|at| {
        let (before, after) = lower.split_at(at);
        let names = [&b"certificate"[..], b"crl", b"key", b"pkcs", b"parameters"];
        dashes(before) && names.iter().any(|name| find(after, name).is_some())
    })
}

/// Where `needle` first stands in `text`.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len())
        .position(|window| window == needle)
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<Block<'a>, PemError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (label, begin) = self.begin()?;
        let start = self.rest;
        loop {
            let (before, newlines) = (self.rest, self.newlines);
            let Some(piece) = self.next_piece().filter(|piece| !piece.ends_all) else {
                return Some(Err(PemError::NoEnd(begin)));
            };
            if marker(piece.text, END) == Some(label) {
                self.is_fresh = true;
                let text = start
                    .get(..start.len().saturating_sub(before.len()))
                    .unwrap_or_default();
                let (headers, body) = split_headers(text);
                return Some(Ok(Block {
                    label,
                    headers,
                    line: begin,
                    body,
                }));
            }
            let line = before.split(|b| *b == b'\n').next().unwrap_or_default();
            let next = piece.text.contains(&b'-').then(|| find(line, BEGIN));
            let next = next.flatten();
            if let Some(next) = next {
                // The one that begins within this one, or behind its END in the same line, is looked at for itself.
                self.rest = before.get(next..).unwrap_or_default();
                self.newlines = newlines;
                self.is_inside = next > 0;
                let seam = self.newlines.saturating_add(1);
                return Some(Err(match piece.text.starts_with(END) {
                    true => PemError::Joined(seam),
                    false => PemError::NoEnd(begin),
                }));
            }
            if piece.text.starts_with(TAIL) {
                return Some(Err(PemError::NoEnd(begin)));
            }
        }
    }
}

/// The label of a BEGIN or END line.
fn marker<'a>(line: &'a [u8], prefix: &[u8]) -> Option<&'a str> {
    let label = line.strip_prefix(prefix)?.strip_suffix(TAIL)?;
    std::str::from_utf8(label).ok()
}

/// RFC 1421 4.4: headers, then an empty line, then the text. Without a colon in the first line there are none.
fn split_headers(text: &[u8]) -> (&[u8], &[u8]) {
    let first = text.split(|b| *b == b'\n').next().unwrap_or_default();
    if !first.contains(&b':') {
        return (&[], text);
    }
    let mut at = 0_usize;
    for line in text.split_inclusive(|b| *b == b'\n') {
        at = at.saturating_add(line.len());
        if line.trim_ascii().is_empty() {
            return (
                text.get(..at).unwrap_or_default(),
                text.get(at..).unwrap_or_default(),
            );
        }
    }
    (text, &[])
}

impl<'a> Block<'a> {
    /// The value of a header line, white space around it removed.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.split(|b| *b == b'\n').find_map(|line| {
            let (key, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The bytes that the block encodes.
    ///
    /// # Errors
    /// It is no base64, or is encrypted.
    pub fn decode(&self) -> Result<Zeroizing<Vec<u8>>, PemError> {
        let decoded = || {
            let mut decoder = Decoder::with_room_for(self.body.len());
            for line in self.body.split_inclusive(|b| *b == b'\n') {
                line.chunks(PIECE)
                    .try_for_each(|piece| decoder.feed(cut(piece)))?;
            }
            decoder.finish()
        };
        decoded().ok_or(PemError::NotBase64(self.line))
    }
}
