//! PEM (RFC 7468, and the older form of RFC 1421 with headers) for files that may hold private keys.
//!
//! The decoder is our own because pki-types' reader leaves the lines and the base64 text it gathers in freed memory.
//! Here the text stays in the caller's buffer and the result goes into one [`Zeroizing`] buffer that never grows.
//! Base64 digits are mapped by arithmetic, not by a table, so that no cache line tells about a key.

use zeroize::Zeroizing;

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

/// Why a block cannot be used; the number is the line of its BEGIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PemError {
    /// There is no END line that fits.
    NoEnd(usize),
    /// The text between the lines is not base64.
    NotBase64(usize),
}

impl PemError {
    /// Line of the block's BEGIN.
    pub fn line(self) -> usize {
        match self {
            PemError::NoEnd(line) | PemError::NotBase64(line) => line,
        }
    }
}

/// The blocks of a file, in order. Text before, between and behind them is passed over, as are CRs, a byte order mark
/// and spaces at line ends.
pub fn blocks(file: &[u8]) -> Blocks<'_> {
    Blocks {
        rest: file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file),
        line: 0,
    }
}

/// Iterator of [`blocks`].
pub struct Blocks<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Blocks<'a> {
    fn next_line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|b| *b == b'\n');
        let (line, rest) = match end {
            Some(end) => (self.rest.get(..end)?, self.rest.get(end + 1..)?),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        self.line += 1;
        Some(line.trim_ascii_end())
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<Block<'a>, PemError>;

    fn next(&mut self) -> Option<Self::Item> {
        let label = loop {
            if let Some(label) = marker(self.next_line()?, b"-----BEGIN ") {
                break label;
            }
        };
        let begin = self.line;
        let start = self.rest;
        loop {
            let before = self.rest.len();
            let Some(line) = self.next_line() else {
                return Some(Err(PemError::NoEnd(begin)));
            };
            if marker(line, b"-----END ") == Some(label) {
                let text = start.get(..start.len() - before).unwrap_or_default();
                let (headers, body) = split_headers(text);
                return Some(Ok(Block {
                    label,
                    headers,
                    line: begin,
                    body,
                }));
            }
            if line.starts_with(b"-----") {
                return Some(Err(PemError::NoEnd(begin)));
            }
        }
    }
}

/// The label of a BEGIN or END line.
fn marker<'a>(line: &'a [u8], prefix: &[u8]) -> Option<&'a str> {
    let label = line.strip_prefix(prefix)?.strip_suffix(b"-----")?;
    std::str::from_utf8(label).ok()
}

/// RFC 1421 4.4: headers, then an empty line, then the text. Without a colon in the first line there are none.
fn split_headers(text: &[u8]) -> (&[u8], &[u8]) {
    let first = text.split(|b| *b == b'\n').next().unwrap_or_default();
    if !first.contains(&b':') {
        return (&[], text);
    }
    let mut at = 0;
    for line in text.split_inclusive(|b| *b == b'\n') {
        at += line.len();
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
    pub fn decode(&self) -> Result<Zeroizing<Vec<u8>>, PemError> {
        decode_base64(self.body).ok_or(PemError::NotBase64(self.line))
    }
}

/// Base64 (RFC 4648 4) with white space anywhere. `None` for other characters, wrong padding and a wrong length.
pub fn decode_base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // The capacity is never exceeded, so the buffer is never moved and leaves no copy behind.
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
    let (mut word, mut digits, mut padding) = (0u32, 0u8, 0u8);
    for byte in text {
        if byte.is_ascii_whitespace() {
            continue;
        }
        if *byte == b'=' {
            padding += 1;
            if padding > 2 {
                return None;
            }
            continue;
        }
        if padding > 0 {
            return None;
        }
        word = word << 6 | u32::from(digit(*byte)?);
        digits += 1;
        if digits == 4 {
            let [_, a, b, c] = word.to_be_bytes();
            out.extend_from_slice(&[a, b, c]);
            (word, digits) = (0, 0);
        }
    }
    match (digits, padding) {
        (0, 0) => {}
        (3, 1) => {
            let [_, a, b, _] = (word << 6).to_be_bytes();
            out.extend_from_slice(&[a, b]);
        }
        (2, 2) => {
            let [_, a, _, _] = (word << 12).to_be_bytes();
            out.push(a);
        }
        _ => return None,
    }
    Some(out)
}

/// The value of one base64 digit, without a branch on the ranges and without a table.
fn digit(byte: u8) -> Option<u8> {
    let b = i16::from(byte);
    // All ones where low <= b <= high.
    let within = |low: u8, high: u8| (i16::from(low) - 1 - b) >> 8 & (b - i16::from(high) - 1) >> 8;
    let value = (within(b'A', b'Z') & (b - 65 + 1))
        | (within(b'a', b'z') & (b - 97 + 26 + 1))
        | (within(b'0', b'9') & (b - 48 + 52 + 1))
        | (within(b'+', b'+') & (62 + 1))
        | (within(b'/', b'/') & (63 + 1));
    u8::try_from(value - 1).ok()
}
