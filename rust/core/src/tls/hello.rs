// SPDX-License-Identifier: Apache-2.0
//! ClientHello, as far as the choice of a virtual host and log lines need it.
//!
//! The same message goes to rustls afterwards, in as few records as it fits, which decides what single extensions are
//! worth. So this parser is strict about framing and about counts, and tolerant about the contents of single extensions:
//! what it cannot read it leaves out, and rustls answers with the right alert.
//!
//! Whatever the sizes of reads and records are, each byte is looked at once and kept once.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod fault;
mod hidden;
mod inner;
mod message;
mod offered;

use rustls::AlertDescription;

pub use fault::Fault;
pub use hidden::Hidden;
pub use inner::Inner;
pub use message::{ENCRYPTED_CLIENT_HELLO, Hello, MESSAGE_HEADER, read};
pub use offered::Offered;

pub(crate) use fault::fault;

/// The longest ClientHello body that is read. Where client certificates are asked for, rustls keeps it until they are
/// proven, in a buffer that doubles when our own messages are added.
pub const MAX_HELLO: usize = 48 * 1024;

/// Records that a hello may come in.
const MAX_RECORDS: usize = 8192;

/// RFC 8446 5.1: the length of a plaintext record MUST NOT exceed 2^14 bytes.
const MAX_FRAGMENT: usize = 16_384;

/// Letters of the longest registered HTTP method ("UPDATEREDIRECTREF", 17), with some room.
const MAX_METHOD: usize = 24;

/// What the first bytes of a connection are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// Nothing can be said yet.
    NeedMore,
    /// A whole ClientHello.
    Hello(Box<Hello>),
    /// Begins like an HTTP request (a method and a space).
    PlainHttp,
    /// No TLS, and nothing else that has a name.
    NotTls,
    /// A ClientHello in the format of SSL 2.0, which rustls does not read.
    Sslv2,
    /// TLS records, but no ClientHello that is answered.
    Malformed(Fault),
}

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
pub(crate) const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const HEARTBEAT: u8 = 24;
pub(crate) const CLIENT_HELLO: u8 = 1;
pub(crate) const RECORD_HEADER: usize = 5;

/// Takes the bytes of a ClientHello as they come.
#[derive(Debug, Default)]
pub struct HelloReader {
    /// The beginning of what is no handshake record, until it is told what it is.
    prefix: Vec<u8>,
    header: [u8; RECORD_HEADER],
    /// Bytes of `header` that are there.
    have: usize,
    /// Bytes of the record's payload that are still to come.
    left: usize,
    /// The record at hand is no part of the hello.
    passing: bool,
    /// legacy_record_version of the first record.
    version: [u8; 2],
    /// The handshake message, joined.
    message: Vec<u8>,
    records: usize,
    second: bool,
    /// Turns of the loop and bytes copied, for tests: what reading costs.
    #[cfg(test)]
    work: usize,
}

impl HelloReader {
    /// For the hello with which a connection begins.
    pub fn new() -> Self {
        Self::default()
    }

    /// For the one that answers a HelloRetryRequest. Before it may come records of other kinds, on which rustls has the
    /// word: change_cipher_spec, early data, alerts (RFC 8446 4.2.10, 5).
    pub fn second() -> Self {
        Self {
            second: true,
            ..Self::default()
        }
    }

    /// Takes more bytes; never panics. What is for rustls goes to `out`: a hello once it is whole, with all that came
    /// behind it. Not to be called again after an answer other than `NeedMore`.
    ///
    /// `inner` is asked whether the hello is the client's real one.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>, inner: &mut dyn Inner) -> Parsed {
        let mut rest = input;
        if let [first, ..] = rest
            && (!self.prefix.is_empty() || (self.is_fresh() && *first != HANDSHAKE))
        {
            return self.tell(rest);
        }
        match self.take(&mut rest, out, inner) {
            Ok(None) => Parsed::NeedMore,
            Ok(Some(hello)) => {
                self.write(out);
                out.extend_from_slice(rest);
                Parsed::Hello(hello)
            }
            Err(stop) => stop,
        }
    }

    fn is_fresh(&self) -> bool {
        !self.second && self.records == 0 && self.have == 0
    }

    /// Other protocols are told by their first bytes.
    fn tell(&mut self, input: &[u8]) -> Parsed {
        let room = (MAX_METHOD + 1).saturating_sub(self.prefix.len());
        self.prefix
            .extend_from_slice(input.get(..room).unwrap_or(input));
        match *self.prefix.as_slice() {
            [] | [CHANGE_CIPHER_SPEC | ALERT | APPLICATION_DATA | HEARTBEAT] => Parsed::NeedMore,
            [
                CHANGE_CIPHER_SPEC | ALERT | APPLICATION_DATA | HEARTBEAT,
                3,
                ..,
            ] => Parsed::Malformed(fault(
                "the first record is not a handshake record",
                AlertDescription::UnexpectedMessage,
            )),
            [b'A'..=b'Z', ..] => parse_method(&self.prefix),
            [first, ..] if first & 0x80 != 0 => parse_sslv2(&self.prefix),
            _ => Parsed::NotTls,
        }
    }

    fn take(
        &mut self,
        rest: &mut &[u8],
        out: &mut Vec<u8>,
        inner: &mut dyn Inner,
    ) -> Result<Option<Box<Hello>>, Parsed> {
        while let Some((first, after)) = rest.split_first() {
            self.count(1);
            if self.left == 0 {
                if let Some(place) = self.header.get_mut(self.have) {
                    *place = *first;
                }
                self.have = self.have.saturating_add(1);
                *rest = after;
                self.begin_record(out)?;
                continue;
            }
            let wanted = match self.passing {
                true => self.left,
                false => self.left.min(self.missing()),
            };
            let (taken, after) = rest.split_at(wanted.min(rest.len()));
            *rest = after;
            self.left = self.left.saturating_sub(taken.len());
            self.count(taken.len());
            if self.passing {
                out.extend_from_slice(taken);
                continue;
            }
            self.keep(taken);
            self.check_message()?;
            if self.missing() == 0 {
                return self.complete(inner).map(Some).map_err(Parsed::Malformed);
            }
        }
        Ok(None)
    }

    /// Judges as much of a record's header as there is.
    fn begin_record(&mut self, out: &mut Vec<u8>) -> Result<(), Parsed> {
        let malformed = |text, alert| Err(Parsed::Malformed(fault(text, alert)));
        let [kind, major, minor, high, low] = self.header;
        let ours = kind == HANDSHAKE;
        let passes = self.second
            && self.message.is_empty()
            && matches!(kind, CHANGE_CIPHER_SPEC | ALERT | APPLICATION_DATA);
        if !ours && !passes {
            return malformed(
                "another record comes in the middle of the ClientHello",
                AlertDescription::UnexpectedMessage,
            );
        }
        if self.have > 1 && major != 3 {
            return match self.is_first_record() && !self.second {
                true => Err(Parsed::NotTls),
                false => malformed(
                    "a record of no version of TLS comes in the middle of the ClientHello",
                    AlertDescription::ProtocolVersion,
                ),
            };
        }
        if self.have < RECORD_HEADER {
            return Ok(());
        }
        self.have = 0;
        self.left = usize::from(u16::from_be_bytes([high, low]));
        self.passing = !ours;
        if self.passing {
            out.extend_from_slice(&self.header);
            return Ok(());
        }
        if self.left == 0 {
            return malformed("a handshake record is empty", AlertDescription::DecodeError);
        }
        if self.left > MAX_FRAGMENT {
            return malformed(
                "a record is longer than TLS allows",
                AlertDescription::RecordOverflow,
            );
        }
        if self.is_first_record() {
            self.version = [major, minor];
        }
        self.records = self.records.saturating_add(1);
        if self.records > MAX_RECORDS {
            return malformed(
                "the ClientHello comes in too many records",
                AlertDescription::IllegalParameter,
            );
        }
        Ok(())
    }

    fn is_first_record(&self) -> bool {
        self.records == 0
    }

    /// Length of the body, once the message's header is there.
    fn length(&self) -> Option<usize> {
        match *self.message.as_slice() {
            [_, high, mid, low, ..] => {
                Some(usize::from(high) << 16 | usize::from(mid) << 8 | usize::from(low))
            }
            _ => None,
        }
    }

    /// Bytes of the message that are still to come, as far as is known.
    fn missing(&self) -> usize {
        let whole = self.length().unwrap_or(0).saturating_add(MESSAGE_HEADER);
        whole.saturating_sub(self.message.len())
    }

    /// Grows by doubling, but never beyond the message: a length that is only promised costs nothing.
    fn keep(&mut self, bytes: &[u8]) {
        let needed = self.message.len().saturating_add(bytes.len());
        if needed > self.message.capacity() {
            let doubled = needed
                .saturating_mul(2)
                .min(needed.saturating_add(self.missing().saturating_sub(bytes.len())));
            self.message
                .reserve_exact(doubled.saturating_sub(self.message.len()));
        }
        self.message.extend_from_slice(bytes);
    }

    fn check_message(&self) -> Result<(), Parsed> {
        if self
            .message
            .first()
            .is_some_and(|kind| *kind != CLIENT_HELLO)
        {
            return Err(Parsed::Malformed(fault(
                "the first handshake message is not a ClientHello",
                AlertDescription::UnexpectedMessage,
            )));
        }
        if self.length().is_some_and(|length| length > MAX_HELLO) {
            return Err(Parsed::Malformed(fault(
                "the ClientHello is longer than 48 KiB",
                AlertDescription::IllegalParameter,
            )));
        }
        Ok(())
    }

    fn complete(&mut self, inner: &mut dyn Inner) -> Result<Box<Hello>, Fault> {
        // RFC 8446 5.1: "Handshake messages MUST NOT span key changes", and no client has more to say in the clear.
        if self.left > 0 {
            return Err(fault(
                "something follows the ClientHello in its record",
                AlertDescription::UnexpectedMessage,
            ));
        }
        let mut hello = message::read(&self.message)?;
        if let Some((message, within)) = inner.open(&self.message, &hello, self.second)? {
            (self.message, hello) = (message, within);
        }
        if let Some(Hidden { offset, substitute }) = hello.hidden
            && let Some(place) = self.message.get_mut(offset..offset.saturating_add(2))
        {
            place.copy_from_slice(&substitute);
        }
        Ok(Box::new(hello))
    }

    /// The hello as rustls is given it. RFC 8446 5.1: "Handshake messages MAY be coalesced into a single TLSPlaintext
    /// record or fragmented across several records"; the records are no part of what both sides hash.
    fn write(&mut self, out: &mut Vec<u8>) {
        let message = std::mem::take(&mut self.message);
        let records = message.len().div_ceil(MAX_FRAGMENT);
        out.reserve_exact(
            records
                .saturating_mul(RECORD_HEADER)
                .saturating_add(message.len()),
        );
        for fragment in message.chunks(MAX_FRAGMENT) {
            let length = u16::try_from(fragment.len()).unwrap_or(u16::MAX);
            out.push(HANDSHAKE);
            out.extend_from_slice(&self.version);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(fragment);
        }
    }

    #[cfg(test)]
    fn count(&mut self, work: usize) {
        self.work += work;
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "counts in tests alone")]
    fn count(&mut self, _: usize) {}
}

/// What the whole of `input` is, from the first byte on.
pub fn parse(input: &[u8]) -> Parsed {
    HelloReader::new().feed(input, &mut Vec::new(), &mut ())
}

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

#[cfg(test)]
#[path = "hello_tests.rs"]
mod tests;

#[cfg(test)]
mod bounds_tests;
