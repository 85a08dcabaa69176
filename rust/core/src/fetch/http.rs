// SPDX-License-Identifier: Apache-2.0
//! HTTP/1.1 as a client that fetches (RFC 9112): requests, and answers read piece by piece as they come.
//!
//! An answer is one status, a few fields of its head, and its content, all bounded. What is read is never read again: the
//! work grows with the octets, whatever pieces they come in.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::fmt;
use std::mem;

use super::url::Url;

/// Longest head of an answer, interim ones (1xx) and trailers included.
pub const LONGEST_HEAD: usize = 16 * 1024;
/// Longest line of a chunk's size, with what an extension may add.
const LONGEST_SIZE_LINE: usize = 256;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask<'a> {
    /// GET.
    Get,
    /// POST of a content of this type.
    Post(&'a str, &'a [u8]),
}

/// A request for `url`; `absolute` where it goes to a proxy (RFC 9112 3.2.2).
pub fn request(url: &Url, ask: Ask<'_>, accept: &str, absolute: bool) -> Vec<u8> {
    let target = if absolute {
        url.to_string()
    } else {
        url.path.clone()
    };
    let method = match ask {
        Ask::Get => "GET",
        Ask::Post(..) => "POST",
    };
    let mut head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {}\r\nUser-Agent: mod_tls\r\nAccept: {accept}\r\nConnection: close\r\n",
        url.authority()
    );
    let mut content: &[u8] = &[];
    if let Ask::Post(kind, octets) = ask {
        head += &format!(
            "Content-Type: {kind}\r\nContent-Length: {}\r\n",
            octets.len()
        );
        content = octets;
    }
    head += "\r\n";
    let mut request = head.into_bytes();
    request.extend_from_slice(content);
    request
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not HTTP/1.
    NoHttp,
    /// Its head is longer than [`LONGEST_HEAD`].
    LongHead,
    /// Its content is longer than is taken.
    LongContent,
    /// It says in two ways, or in none that is known, how long its content is.
    Framing,
    /// It ended too early.
    Cut,
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHttp => "what came is no HTTP",
            Self::LongHead => "the head of the answer is too long",
            Self::LongContent => "the answer is too long",
            Self::Framing => "the answer does not say how long it is in one way",
            Self::Cut => "the answer was cut off",
        })
    }
}

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Where it redirects to.
    pub location: Option<String>,
    /// Its content.
    pub content: Vec<u8>,
}

/// How the content ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// After so many more octets.
    Length(usize),
    Chunks(Chunks),
    /// With the connection.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunks {
    Size,
    /// So many more octets, and the end of the line after them.
    Data(usize),
    LineEnd,
    Trailers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    StatusLine,
    Fields,
    Content(Framing),
    Done,
}

/// Reads an answer.
#[derive(Debug)]
pub struct Reader {
    state: State,
    /// The line that has begun.
    line: Vec<u8>,
    /// Octets of heads so far.
    head: usize,
    most: usize,
    length: Option<usize>,
    chunked: bool,
    answer: Answer,
}

impl Reader {
    /// A reader of one answer with at most so many octets of content.
    pub fn new(most: usize) -> Self {
        Self {
            state: State::StatusLine,
            line: Vec::new(),
            head: 0,
            most,
            length: None,
            chunked: false,
            answer: Answer::default(),
        }
    }

    /// Takes in what came; says whether the answer is whole. What follows a whole one is nobody's.
    ///
    /// # Errors
    /// Why it is none; nothing more is to be read then.
    pub fn read(&mut self, mut input: &[u8]) -> Result<bool, Fault> {
        while self.state != State::Done && !input.is_empty() {
            input = match self.state {
                State::Content(Framing::Length(left) | Framing::Chunks(Chunks::Data(left))) => {
                    self.take(left, input)?
                }
                State::Content(Framing::End) => self.take(usize::MAX, input)?,
                _ => self.take_line(input)?,
            };
        }
        Ok(self.state == State::Done)
    }

    /// The connection has ended: the answer, if it is whole.
    ///
    /// # Errors
    /// It is not.
    pub fn finish(self) -> Result<Answer, Fault> {
        match self.state {
            State::Done | State::Content(Framing::End) => Ok(self.answer),
            State::StatusLine if self.head == 0 => Err(Fault::NoHttp),
            _ => Err(Fault::Cut),
        }
    }

    /// Takes content.
    fn take<'a>(&mut self, left: usize, input: &'a [u8]) -> Result<&'a [u8], Fault> {
        let (taken, rest) = input.split_at(left.min(input.len()));
        if taken.len() > self.most.saturating_sub(self.answer.content.len()) {
            return Err(Fault::LongContent);
        }
        self.answer.content.extend_from_slice(taken);
        let left = left.saturating_sub(taken.len());
        self.state = match self.state {
            State::Content(Framing::Length(_)) if left == 0 => State::Done,
            State::Content(Framing::Length(_)) => State::Content(Framing::Length(left)),
            State::Content(Framing::Chunks(_)) if left == 0 => {
                State::Content(Framing::Chunks(Chunks::LineEnd))
            }
            State::Content(Framing::Chunks(_)) => {
                State::Content(Framing::Chunks(Chunks::Data(left)))
            }
            other => other,
        };
        Ok(rest)
    }

    /// Takes a part of a line, and acts where it ends.
    fn take_line<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8], Fault> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(input.len(), |end| end.saturating_add(1));
        let (part, rest) = input.split_at(length.min(input.len()));
        let of_chunks = matches!(
            self.state,
            State::Content(Framing::Chunks(Chunks::Size | Chunks::LineEnd))
        );
        if of_chunks {
            if self.line.len().saturating_add(part.len()) > LONGEST_SIZE_LINE {
                return Err(Fault::Framing);
            }
        } else {
            self.head = self.head.saturating_add(part.len());
            if self.head > LONGEST_HEAD {
                return Err(Fault::LongHead);
            }
        }
        self.line.extend_from_slice(part);
        // What is no HTTP is known by its first octets, without waiting for an end of line.
        if self.state == State::StatusLine && !begins_alike(&self.line, b"HTTP/1.") {
            return Err(Fault::NoHttp);
        }
        if end.is_some() {
            let mut line = mem::take(&mut self.line);
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            self.act(&line)?;
        }
        Ok(rest)
    }

    fn act(&mut self, line: &[u8]) -> Result<(), Fault> {
        self.state = match self.state {
            State::StatusLine => {
                self.answer.status = status(line).ok_or(Fault::NoHttp)?;
                State::Fields
            }
            State::Fields if line.is_empty() => self.begin_content()?,
            State::Fields => {
                self.field(line)?;
                State::Fields
            }
            State::Content(Framing::Chunks(Chunks::Size)) => match chunk_size(line)? {
                0 => State::Content(Framing::Chunks(Chunks::Trailers)),
                size if size > self.most => return Err(Fault::LongContent),
                size => State::Content(Framing::Chunks(Chunks::Data(size))),
            },
            State::Content(Framing::Chunks(Chunks::LineEnd)) if line.is_empty() => {
                State::Content(Framing::Chunks(Chunks::Size))
            }
            State::Content(Framing::Chunks(Chunks::Trailers)) if line.is_empty() => State::Done,
            State::Content(Framing::Chunks(Chunks::Trailers)) => self.state,
            _ => return Err(Fault::Framing),
        };
        Ok(())
    }

    /// RFC 9112 6.3, of what one can get who asks by GET and POST.
    fn begin_content(&mut self) -> Result<State, Fault> {
        let length = self.length.take();
        let chunked = mem::take(&mut self.chunked);
        Ok(match self.answer.status {
            101 => return Err(Fault::NoHttp),
            100..=199 => {
                self.answer.location = None;
                State::StatusLine
            }
            204 | 304 => State::Done,
            _ if chunked && length.is_some() => return Err(Fault::Framing),
            _ if chunked => State::Content(Framing::Chunks(Chunks::Size)),
            _ => match length {
                Some(0) => State::Done,
                Some(length) if length > self.most => return Err(Fault::LongContent),
                Some(length) => State::Content(Framing::Length(length)),
                None => State::Content(Framing::End),
            },
        })
    }

    fn field(&mut self, line: &[u8]) -> Result<(), Fault> {
        // A line that goes on the one before (obs-fold): of none that matters here, or one that is refused for it.
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.ok_or(Fault::NoHttp)?);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.is_empty() || name.last().is_some_and(u8::is_ascii_whitespace) {
            return Err(Fault::NoHttp);
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let digits = std::str::from_utf8(value).map_err(|_| Fault::Framing)?;
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Fault::Framing);
            }
            let length = digits.parse().map_err(|_| Fault::LongContent)?;
            if self.length.is_some_and(|before| before != length) {
                return Err(Fault::Framing);
            }
            self.length = Some(length);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Fault::Framing);
            }
            self.chunked = true;
        } else if name.eq_ignore_ascii_case(b"location") && self.answer.location.is_none() {
            self.answer.location = std::str::from_utf8(value).ok().map(str::to_owned);
        }
        Ok(())
    }
}

/// Whether `line` is a beginning of `start`, or begins with it.
fn begins_alike(line: &[u8], start: &[u8]) -> bool {
    line.iter().zip(start).all(|(is, wanted)| is == wanted)
}

/// RFC 9112 4. What follows the number is for people, and often missing.
fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let [b'0' | b'1', b' ', h, t, o, rest @ ..] = rest else {
        return None;
    };
    if rest.first().is_some_and(|byte| *byte != b' ') {
        return None;
    }
    let digits = [h, t, o].map(|digit| char::from(*digit).to_digit(10));
    let [Some(h @ 1..=9), Some(t), Some(o)] = digits else {
        return None;
    };
    let number = [h, t, o].into_iter();
    u16::try_from(number.fold(0, |sum: u32, digit| {
        sum.saturating_mul(10).saturating_add(digit)
    }))
    .ok()
}

fn chunk_size(line: &[u8]) -> Result<usize, Fault> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = std::str::from_utf8(digits.trim_ascii()).map_err(|_| Fault::Framing)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Fault::Framing);
    }
    usize::from_str_radix(digits, 16).map_err(|_| Fault::LongContent)
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
