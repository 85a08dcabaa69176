// SPDX-License-Identifier: Apache-2.0
//! Bytes from the network that rustls has not consumed: what of them is kept, and how much.
//!
//! rustls leaves the pieces of a handshake message where they are until the message is whole. A peer that sends it in
//! records of one byte would have us keep what encryption adds to each of them (22 bytes), and headers.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use rustls::AlertDescription;

use crate::ech::Offer;
use crate::tls::engine::RustlsConnection;
use crate::tls::hello::Hidden;
use crate::tls::hello::{Fault, Hello, HelloReader, Parsed};

/// Kept of a message that may be of any length: the longest one that rustls takes (64 KiB), in records of 512 bytes,
/// the least that RFC 6066 4 can ask for, and some.
pub(super) const LONG: usize = 72 * 1024;

/// Kept where no long message can come any more: a record that is still coming in, and some.
pub(super) const SHORT: usize = 24 * 1024;

const RECORD_HEADER: usize = 5;

/// A record that rustls refuses with an alert of its own, which we could not encrypt: it is longer than any may be.
const IMPOSSIBLE: [u8; RECORD_HEADER] = [22, 3, 3, 0xff, 0xff];

pub(super) const TOO_MANY_PIECES: Fault = Fault {
    text: "a handshake message comes in too many pieces",
    alert: AlertDescription::IllegalParameter,
};

const NO_HELLO: Fault = Fault {
    text: "something else comes where a second ClientHello is awaited",
    alert: AlertDescription::UnexpectedMessage,
};

/// RFC 8446 4.1.2: but for what the HelloRetryRequest asks for, the client sends "the same ClientHello without
/// modification".
const OTHER_NAME: Fault = Fault {
    text: "the second ClientHello asks for another name than the first",
    alert: AlertDescription::IllegalParameter,
};

fn asked(hello: &Hello) -> (Option<String>, bool) {
    (hello.server_name.clone(), hello.hidden.is_some())
}

/// See the module.
#[derive(Default)]
pub(super) struct Incoming {
    /// From the first byte that rustls has not consumed.
    pub(super) bytes: Vec<u8>,
    /// Where a ClientHello is awaited.
    reader: Option<HelloReader>,
    retried: bool,
    /// The name of the first hello, and whether it was hidden.
    asked: (Option<String>, bool),
    /// Of the hello that was read last.
    pub(super) hidden: Option<Hidden>,
    /// The client's offer of Encrypted ClientHello.
    pub(super) offer: Offer,
    framing: Framing,
    /// Whole records of `bytes` that [`Incoming::next_record`] has told.
    told: usize,
}

impl Incoming {
    /// Takes bytes of the first hello. `pay` is asked before anything is decrypted with a private key; where it says no,
    /// nothing is.
    pub(super) fn read_hello(&mut self, input: &[u8], pay: &mut dyn FnMut() -> bool) -> Parsed {
        let reader = self.reader.get_or_insert_with(HelloReader::new);
        let parsed = reader.feed(input, &mut self.bytes, &mut self.offer.opening(pay));
        if parsed != Parsed::NeedMore {
            self.reader = None;
            self.restart_framing();
        }
        if let Parsed::Hello(hello) = &parsed {
            self.hidden = hello.hidden;
            self.asked = asked(hello);
        }
        parsed
    }

    /// The client was asked for another hello: as the first one it is read by us before rustls sees it.
    ///
    /// # Errors
    /// What is wrong with it, where it is there already.
    pub(super) fn expect_second_hello(&mut self, consumed: usize) -> Result<(), Fault> {
        if std::mem::replace(&mut self.retried, true) {
            return Ok(());
        }
        self.reader = Some(HelloReader::second());
        let early = self.bytes.split_off(consumed.min(self.bytes.len()));
        self.take(&early)
    }

    /// Takes bytes of what follows.
    ///
    /// # Errors
    /// What is wrong with a second hello.
    pub(super) fn take(&mut self, input: &[u8]) -> Result<(), Fault> {
        let Some(reader) = &mut self.reader else {
            self.framing.advance(input);
            self.reserve(input.len());
            self.bytes.extend_from_slice(input);
            return Ok(());
        };
        match reader.feed(
            input,
            &mut self.bytes,
            &mut self.offer.opening(&mut || true),
        ) {
            Parsed::NeedMore => Ok(()),
            Parsed::Malformed(fault) => Err(fault),
            Parsed::Hello(hello) if asked(&hello) != self.asked => Err(OTHER_NAME),
            Parsed::Hello(hello) => {
                self.hidden = hello.hidden;
                self.reader = None;
                self.restart_framing();
                Ok(())
            }
            // Nothing but a hello ends the bounds of one.
            Parsed::PlainHttp | Parsed::NotTls | Parsed::Sslv2 => Err(NO_HELLO),
        }
    }

    /// Where the next record ends that is whole and was not told yet.
    pub(super) fn next_record(&mut self) -> Option<usize> {
        let header = self
            .bytes
            .get(self.told..)?
            .first_chunk::<RECORD_HEADER>()?;
        let end = self
            .told
            .saturating_add(RECORD_HEADER)
            .saturating_add(payload_length(*header));
        if end > self.bytes.len() {
            return None;
        }
        self.told = end;
        Some(end)
    }

    /// Forgets all bytes.
    pub(super) fn clear(&mut self) {
        *self = Self {
            offer: std::mem::take(&mut self.offer),
            ..Self::default()
        };
    }

    /// Forgets the first `count` bytes.
    pub(super) fn discard(&mut self, count: usize) {
        self.told = self.told.saturating_sub(count);
        if count >= self.bytes.len() {
            self.bytes = Vec::new();
        } else {
            self.bytes.drain(..count);
        }
    }

    /// Whether a peer makes us keep more than a message that may come now can need.
    pub(super) fn is_excessive(&self, tls: &RustlsConnection) -> bool {
        let common = tls.common();
        // A client has said all that is long once it has shown its certificates; a server sends tickets later on.
        let done = !common.is_handshaking() || common.peer_certificates().is_some();
        let limit = match tls {
            RustlsConnection::Server(_) if done => SHORT,
            _ => LONG,
        };
        self.bytes.len() > limit
    }

    /// Puts an impossible record in the place of the one that is coming in.
    pub(super) fn spoil(&mut self) {
        let whole = self.bytes.len().saturating_sub(self.framing.partial());
        self.bytes.truncate(whole);
        self.bytes.extend_from_slice(&IMPOSSIBLE);
    }

    fn restart_framing(&mut self) {
        self.framing = Framing::default();
        self.framing.advance(&self.bytes);
    }

    /// Room for `more` bytes: doubled, as long as that is less than what may be kept at all.
    fn reserve(&mut self, more: usize) {
        let needed = self.bytes.len().saturating_add(more);
        if needed > self.bytes.capacity() {
            let room = needed.max(needed.saturating_mul(2).min(LONG));
            self.bytes
                .reserve_exact(room.saturating_sub(self.bytes.len()));
        }
    }
}

fn payload_length(header: [u8; RECORD_HEADER]) -> usize {
    let [_, _, _, high, low] = header;
    usize::from(u16::from_be_bytes([high, low]))
}

/// Follows the headers of records.
#[derive(Default)]
struct Framing {
    header: [u8; RECORD_HEADER],
    have: usize,
    left: usize,
}

impl Framing {
    fn advance(&mut self, mut input: &[u8]) {
        while let Some((first, after)) = input.split_first() {
            if self.left > 0 {
                let (_, rest) = input.split_at(self.left.min(input.len()));
                self.left = self
                    .left
                    .saturating_sub(input.len().saturating_sub(rest.len()));
                input = rest;
            } else {
                if self.have == RECORD_HEADER {
                    self.have = 0;
                }
                if let Some(place) = self.header.get_mut(self.have) {
                    *place = *first;
                }
                self.have = self.have.saturating_add(1);
                input = after;
                if self.have == RECORD_HEADER {
                    self.left = self.length();
                }
            }
        }
    }

    fn length(&self) -> usize {
        payload_length(self.header)
    }

    /// Bytes that are there of a record which is not complete.
    fn partial(&self) -> usize {
        match self.have {
            RECORD_HEADER if self.left == 0 => 0,
            RECORD_HEADER => self
                .length()
                .saturating_add(RECORD_HEADER)
                .saturating_sub(self.left),
            have => have,
        }
    }
}

#[cfg(test)]
#[path = "incoming_tests.rs"]
mod tests;
