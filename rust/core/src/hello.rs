//! ClientHello, as far as the choice of a virtual host and log lines need it.
//!
//! The same bytes go to rustls afterwards, which alone decides validity and alerts. So this parser is strict about
//! framing, without which it could not go on, and tolerant about the contents of single extensions: what it cannot
//! read it leaves out, and rustls answers with the right alert.

use std::borrow::Cow;

use rustls_pki_types::DnsName;

/// The longest ClientHello body that is read; rustls has the same limit.
pub const MAX_HELLO: usize = 0xffff;

/// More records than this are no client's way to send a hello. The limit bounds what a peer that sends one byte at a
/// time can make us do, since parsing starts anew with every call.
const MAX_RECORDS: usize = 8192;

/// RFC 8446 5.2: the length of a record MUST NOT exceed 2^14 + 256; RFC 5246 6.2.3 allows 2^14 + 2048.
const MAX_FRAGMENT: usize = 16_384 + 2048;

/// Letters of the longest registered HTTP method ("UPDATEREDIRECTREF", 17), with some room.
const MAX_METHOD: usize = 24;

/// What the first bytes of a connection are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// Nothing can be said yet; call again with more bytes, from the beginning.
    NeedMore,
    /// A whole ClientHello.
    Hello(Box<Hello>),
    /// Begins like an HTTP request (a method and a space).
    PlainHttp,
    /// No TLS, and nothing else that has a name.
    NotTls,
    /// A ClientHello in the format of SSL 2.0, which rustls does not read.
    Sslv2,
    /// TLS records, but no ClientHello that could be read; the text says why, for the log. rustls has the last word
    /// and the alert.
    Malformed(&'static str),
}

/// The parts of a ClientHello that choose the virtual host and that log lines name.
/// Lists are as sent, GREASE values (RFC 8701) included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hello {
    /// Host name of server_name in ASCII lower case; `None` where the client sent none, an IP address or no valid name.
    pub server_name: Option<String>,
    /// Protocol names of application_layer_protocol_negotiation.
    pub alpn: Vec<Vec<u8>>,
    /// `legacy_version`: 0x0303 from every client that speaks TLS 1.2 or 1.3.
    pub legacy_version: u16,
    /// `legacy_session_id`: what a TLS 1.2 client wants to resume.
    pub session_id: Vec<u8>,
    /// supported_versions; empty where the client sent none (TLS 1.2 and older).
    pub versions: Vec<u16>,
    /// Cipher suites.
    pub suites: Vec<u16>,
    /// supported_groups.
    pub groups: Vec<u16>,
    /// Groups for which key_share holds a share.
    pub key_shares: Vec<u16>,
    /// signature_algorithms.
    pub signature_schemes: Vec<u16>,
    /// Types of all extensions, in the order sent.
    pub extensions: Vec<u16>,
}

impl Hello {
    /// The newest version offered that has a name; 0 where there is none.
    pub fn newest_version(&self) -> u16 {
        let known = |version: &&u16| (0x0300..=0x0304).contains(*version);
        match self.versions.iter().filter(known).max() {
            Some(newest) => *newest,
            None if self.versions.is_empty() => self.legacy_version,
            None => 0,
        }
    }
}

/// Reads the first bytes of a connection. Never panics; a longer prefix of the same stream only ever turns `NeedMore`
/// into a final answer.
pub fn parse(input: &[u8]) -> Parsed {
    match input {
        [] => Parsed::NeedMore,
        [HANDSHAKE, ..] => parse_records(input),
        // Change cipher spec, alert, application data, heartbeat.
        [20 | 21 | 23 | 24] => Parsed::NeedMore,
        [20 | 21 | 23 | 24, 3, ..] => {
            Parsed::Malformed("the first record is not a handshake record")
        }
        [b'A'..=b'Z', ..] => parse_method(input),
        [first, ..] if first & 0x80 != 0 => parse_sslv2(input),
        _ => Parsed::NotTls,
    }
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// RFC 9110 9.1: a method is a token; registered ones are capital letters and hyphens.
fn parse_method(input: &[u8]) -> Parsed {
    for (i, byte) in input.iter().enumerate() {
        match byte {
            b'A'..=b'Z' | b'-' if i < MAX_METHOD => {}
            b' ' => return Parsed::PlainHttp,
            _ => return Parsed::NotTls,
        }
    }
    Parsed::NeedMore
}

/// RFC 5246 E.2: two bytes of length with the high bit set, message type 1, version.
fn parse_sslv2(input: &[u8]) -> Parsed {
    match input {
        [_, _, kind, ..] if *kind != CLIENT_HELLO => Parsed::NotTls,
        [_, _, _, 0, 2, ..] | [_, _, _, 3, _, ..] => Parsed::Sslv2,
        [_, _, _, _, _, ..] => Parsed::NotTls,
        _ => Parsed::NeedMore,
    }
}

fn parse_records(input: &[u8]) -> Parsed {
    match join_message(input) {
        Ok(Some(body)) => match read_hello(&body) {
            Some(hello) => Parsed::Hello(Box::new(hello)),
            None => Parsed::Malformed("the ClientHello is cut short inside"),
        },
        Ok(None) => Parsed::NeedMore,
        Err(stop) => stop,
    }
}

/// The body of the first handshake message, joined over as many records as it takes; `None` where bytes are missing.
/// RFC 8446 5.1: "Handshake messages MAY be coalesced into a single TLSPlaintext record or fragmented across several
/// records".
fn join_message(input: &[u8]) -> Result<Option<Cow<'_, [u8]>>, Parsed> {
    let mut rest = input;
    let mut first = Fragment::default();
    let mut joined: Vec<u8> = Vec::new();
    for count in 0..MAX_RECORDS {
        let Some(fragment) = next_fragment(&mut rest)? else {
            return Ok(None);
        };
        if count == 0 {
            first = fragment;
        } else {
            if count == 1 {
                joined.extend_from_slice(first.bytes);
            }
            joined.extend_from_slice(fragment.bytes);
        }
        let have: &[u8] = if count == 0 { first.bytes } else { &joined };
        match message_length(have)? {
            Some(length) if have.len() >= 4 + length => {
                return Ok(Some(match count {
                    0 => Cow::Borrowed(first.bytes.get(4..4 + length).unwrap_or_default()),
                    _ => {
                        joined.truncate(4 + length);
                        joined.drain(..4);
                        Cow::Owned(joined)
                    }
                }));
            }
            // The record that is still coming in cannot be followed by another one.
            _ if !fragment.complete => return Ok(None),
            _ => {}
        }
    }
    Err(Parsed::Malformed(
        "the ClientHello comes in too many records",
    ))
}

/// What of one record's payload has arrived.
#[derive(Clone, Copy, Default)]
struct Fragment<'a> {
    bytes: &'a [u8],
    complete: bool,
}

/// Takes one record, or its beginning, from `rest`; `None` where not even its header is there.
fn next_fragment<'a>(rest: &mut &'a [u8]) -> Result<Option<Fragment<'a>>, Parsed> {
    match *rest {
        [HANDSHAKE, 3, _, hi, lo, tail @ ..] => {
            let length = usize::from(u16::from_be_bytes([*hi, *lo]));
            if length == 0 {
                return Err(Parsed::Malformed("a handshake record is empty"));
            }
            if length > MAX_FRAGMENT {
                return Err(Parsed::Malformed("a record is longer than TLS allows"));
            }
            let complete = tail.len() >= length;
            let (bytes, after) = tail.split_at(length.min(tail.len()));
            *rest = after;
            Ok(Some(Fragment { bytes, complete }))
        }
        [HANDSHAKE, 3, ..] | [HANDSHAKE] | [] => Ok(None),
        [HANDSHAKE, ..] => Err(Parsed::NotTls),
        _ => Err(Parsed::Malformed(
            "another record comes in the middle of the ClientHello",
        )),
    }
}

/// Length of the message's body from the four bytes of its header; `None` where they are not there yet.
fn message_length(have: &[u8]) -> Result<Option<usize>, Parsed> {
    match have {
        [kind, ..] if *kind != CLIENT_HELLO => Err(Parsed::Malformed(
            "the first handshake message is not a ClientHello",
        )),
        [_, high, mid, low, ..] => {
            let length = usize::from(*high) << 16 | usize::from(*mid) << 8 | usize::from(*low);
            if length > MAX_HELLO {
                return Err(Parsed::Malformed("the ClientHello is longer than 64 KiB"));
            }
            Ok(Some(length))
        }
        _ => Ok(None),
    }
}

/// RFC 8446 4.1.2.
fn read_hello(body: &[u8]) -> Option<Hello> {
    let mut r = Reader(body);
    let mut hello = Hello {
        legacy_version: r.u16()?,
        ..Hello::default()
    };
    r.take(32)?; // random
    hello.session_id = r.vec8()?.0.to_vec();
    hello.suites = r.vec16()?.u16s();
    r.vec8()?; // legacy_compression_methods
    if r.0.is_empty() {
        return Some(hello); // RFC 5246 7.4.1.2 allows a hello without extensions
    }
    let mut extensions = r.vec16()?;
    while !extensions.0.is_empty() {
        let kind = extensions.u16()?;
        let data = extensions.vec16()?;
        // A second extension of the same type makes rustls refuse the hello; the first one counts here.
        if !hello.extensions.contains(&kind) {
            read_extension(&mut hello, kind, data);
        }
        hello.extensions.push(kind);
    }
    Some(hello)
}

fn read_extension(hello: &mut Hello, kind: u16, mut data: Reader<'_>) {
    match kind {
        0 => hello.server_name = read_server_name(data),
        10 => hello.groups = data.vec16().unwrap_or_default().u16s(),
        13 => hello.signature_schemes = data.vec16().unwrap_or_default().u16s(),
        16 => hello.alpn = read_alpn(data).unwrap_or_default(),
        43 => hello.versions = data.vec8().unwrap_or_default().u16s(),
        51 => hello.key_shares = read_key_shares(data).unwrap_or_default(),
        _ => {}
    }
}

/// RFC 6066 3. As rustls does: one host_name; what follows another name type cannot be told apart.
fn read_server_name(mut data: Reader<'_>) -> Option<String> {
    let mut list = data.vec16()?;
    let mut found = None;
    while !list.0.is_empty() {
        if list.u8()? != 0 {
            break;
        }
        let name = list.vec16()?.0;
        // "The ServerNameList MUST NOT contain more than one name of the same name_type."
        if found.replace(name).is_some() {
            return None;
        }
    }
    // "Literal IPv4 and IPv6 addresses are not permitted in "HostName"." DnsName takes none, nor does rustls.
    Some(
        DnsName::try_from(found?)
            .ok()?
            .as_ref()
            .to_ascii_lowercase(),
    )
}

/// RFC 7301 3.1.
fn read_alpn(mut data: Reader<'_>) -> Option<Vec<Vec<u8>>> {
    let mut list = data.vec16()?;
    let mut names = Vec::new();
    while !list.0.is_empty() {
        names.push(list.vec8()?.0.to_vec());
    }
    Some(names)
}

/// RFC 8446 4.2.8.
fn read_key_shares(mut data: Reader<'_>) -> Option<Vec<u16>> {
    let mut list = data.vec16()?;
    let mut groups = Vec::new();
    while !list.0.is_empty() {
        groups.push(list.u16()?);
        list.vec16()?;
    }
    Some(groups)
}

/// Takes values from the front of a slice; `None` where it is too short.
#[derive(Clone, Copy, Default)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn u16(&mut self) -> Option<u16> {
        let (first, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*first))
    }

    /// A vector with one byte of length.
    fn vec8(&mut self) -> Option<Reader<'a>> {
        let length = self.u8()?;
        self.take(usize::from(length)).map(Reader)
    }

    /// A vector with two bytes of length.
    fn vec16(&mut self) -> Option<Reader<'a>> {
        let length = self.u16()?;
        self.take(usize::from(length)).map(Reader)
    }

    fn u16s(self) -> Vec<u16> {
        self.0
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |v, b| v << 8 | u16::from(*b)))
            .collect()
    }
}

#[cfg(test)]
#[path = "hello_tests.rs"]
mod tests;
