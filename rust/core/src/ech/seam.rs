// SPDX-License-Identifier: Apache-2.0
//! What the server says about an offer: put into rustls' messages as they are hashed, and again as they are sent.
//!
//! rustls feeds each handshake message of its own whole to the transcript, by one call, before it derives a key from it,
//! and while the same bytes wait to be sent. So a message can be changed there, once in each place. What was changed in
//! one place and is not found in the other ends the connection: never do both sides of it see different messages.

use std::sync::Arc;

use rustls::crypto::hash::Context as Hashing;
use rustls::crypto::tls13::Hkdf;

use super::message::{
    Found, confirmation, find, is_whole, records, with_extension_in_encrypted,
    with_extension_in_hello,
};
use crate::tls::hello::MESSAGE_HEADER;

const SERVER_HELLO: u8 = 2;
const ENCRYPTED_EXTENSIONS: u8 = 8;

/// The random of a ServerHello which is a HelloRetryRequest (RFC 8446 4.1.3).
pub(crate) const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Where random stands in a ServerHello message, and in that the confirmation.
const RANDOM: usize = MESSAGE_HEADER + 2;
const CONFIRMATION: usize = RANDOM + 24;
const CONFIRMATION_LENGTH: usize = 8;

/// Type and length of an extension.
const EXTENSION_HEADER: usize = 4;

/// What CertificateVerify and Finished take at most: a signature of RSA with 16,384 bits, and a hash.
const CLOSING: usize = 2304;

/// What a message has beside what it is about: headers, lengths, schemes.
const SPARE: usize = 256;

/// A message as rustls wrote it, and as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    from: Vec<u8>,
    to: Vec<u8>,
}

#[derive(Debug)]
enum Answer {
    /// The inner hello is taken, which had this random. Flights are padded to a multiple of the number.
    Accepted([u8; 32], u16),
    /// Clients of stale keys are given this list.
    Refused(Arc<[u8]>),
}

/// Of one connection whose client made an offer. Belongs to the connection's context.
#[derive(Debug)]
pub struct Seam {
    answer: Answer,
    /// Bytes that a record of this connection may hold.
    pub limit: usize,
    /// Bytes of the authorities that a CertificateRequest names.
    pub authorities: usize,
    /// A ServerHello that waits to be changed where it is sent.
    waiting: Option<Change>,
    /// EncryptedExtensions that wait for the same.
    extended: Option<Change>,
    /// ServerHello or HelloRetryRequest has gone by.
    heard: bool,
    /// ServerHello has.
    answered: bool,
    /// EncryptedExtensions have.
    finished: bool,
    encrypters: u8,
    broken: bool,
}

/// What is done to records of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// The first one begins with longer EncryptedExtensions.
    Extend,
    /// Those that hold handshake messages are padded to a multiple of the first number, up to the second.
    Pad(u16, usize),
}

impl Seam {
    fn new(answer: Answer) -> Self {
        Self {
            answer,
            limit: 0,
            authorities: 0,
            waiting: None,
            extended: None,
            heard: false,
            answered: false,
            finished: false,
            encrypters: 0,
            broken: false,
        }
    }

    /// The inner hello was taken, which had this random.
    pub fn accepting(random: [u8; 32], padding: u16) -> Self {
        Self::new(Answer::Accepted(random, padding))
    }

    /// Whether it was.
    pub fn is_accepting(&self) -> bool {
        matches!(self.answer, Answer::Accepted(..))
    }

    /// It was not; clients are given this ECHConfigList, or none where it is empty.
    pub fn refusing(retry: Arc<[u8]>) -> Self {
        Self::new(Answer::Refused(retry))
    }

    /// The message that the transcript is to have instead of `message`; `None` for the same one. `transcript` holds what
    /// was said before. `shown`: bytes of our certificates and staple.
    pub fn hash(
        &mut self,
        message: &[u8],
        transcript: &dyn Hashing,
        hkdf: &dyn Hkdf,
        shown: usize,
    ) -> Option<Vec<u8>> {
        let to = match message.first() {
            Some(&SERVER_HELLO) if !self.answered => {
                self.server_hello(message, transcript, hkdf)?
            }
            Some(&ENCRYPTED_EXTENSIONS) if self.answered && !self.finished => {
                self.encrypted_extensions(message, shown)?
            }
            _ => return None,
        };
        let change = Change {
            from: message.to_vec(),
            to: to.clone(),
        };
        let place = match message.first() {
            Some(&SERVER_HELLO) => &mut self.waiting,
            _ => &mut self.extended,
        };
        self.broken |= place.replace(change).is_some();
        Some(to)
    }

    fn server_hello(
        &mut self,
        message: &[u8],
        transcript: &dyn Hashing,
        hkdf: &dyn Hkdf,
    ) -> Option<Vec<u8>> {
        let retries = message.get(RANDOM..RANDOM.saturating_add(RETRY.len())) == Some(&RETRY);
        self.heard = true;
        self.answered = !retries;
        let confirms = matches!(self.answer, Answer::Accepted(..));
        if !confirms && !retries {
            return None;
        }
        let (to, at, label) = match retries {
            true => (
                with_extension_in_hello(message, &[0; CONFIRMATION_LENGTH]),
                message.len().saturating_add(EXTENSION_HEADER),
                &b"hrr ech accept confirmation"[..],
            ),
            false => (
                Some(message.to_vec()),
                CONFIRMATION,
                &b"ech accept confirmation"[..],
            ),
        };
        let Some(mut to) = to.filter(|_| is_whole(message)) else {
            self.broken = true;
            return None;
        };
        let Some(place) = to
            .get_mut(at..)
            .and_then(|to| to.get_mut(..CONFIRMATION_LENGTH))
        else {
            self.broken = true;
            return None;
        };
        place.fill(0);
        let mut value = [0; CONFIRMATION_LENGTH];
        match &self.answer {
            Answer::Accepted(random, _) => {
                let mut fork = transcript.fork();
                fork.update(&to);
                let made = confirmation(hkdf, random, label, fork.finish().as_ref(), &mut value);
                self.broken |= made.is_none();
            }
            // RFC 9849 10.10.4: what looks like a confirmation hides that there is none.
            Answer::Refused(_) => {
                let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
                self.broken |= random.fill(&mut value).is_err();
            }
        }
        if let Some(place) = to
            .get_mut(at..)
            .and_then(|to| to.get_mut(..CONFIRMATION_LENGTH))
        {
            place.copy_from_slice(&value);
        }
        Some(to)
    }

    /// With retry_configs, where the flight then still fits in the record that it would fit in.
    fn encrypted_extensions(&mut self, message: &[u8], shown: usize) -> Option<Vec<u8>> {
        self.finished = true;
        let Answer::Refused(retry) = &self.answer else {
            return None;
        };
        let parts = [
            message.len(),
            retry.len(),
            self.authorities,
            shown,
            CLOSING,
            SPARE,
        ];
        let flight = parts.into_iter().fold(0, usize::saturating_add);
        if retry.is_empty() || flight > self.limit {
            return None;
        }
        let to = with_extension_in_encrypted(message, retry);
        self.broken |= to.is_none() || !is_whole(message);
        to
    }

    /// What is done to the records of the next key that rustls makes.
    pub fn next_key(&mut self) -> Option<Rewrite> {
        self.encrypters = self.encrypters.saturating_add(1);
        match (&self.answer, self.encrypters) {
            (Answer::Refused(retry), 1) => (!retry.is_empty()).then_some(Rewrite::Extend),
            // Those of the handshake, and those of what follows, with tickets in them.
            (Answer::Accepted(_, padding), 1 | 2) => {
                (*padding > 1).then_some(Rewrite::Pad(*padding, self.limit))
            }
            _ => None,
        }
    }

    /// The contents of the first encrypted record, where they are to be others.
    pub fn extend(&mut self, flight: &[u8]) -> Option<Vec<u8>> {
        let Change { from, to } = self.extended.take()?;
        match flight.strip_prefix(from.as_slice()) {
            Some(rest) => Some([&to, rest].concat()),
            None => {
                self.broken = true;
                None
            }
        }
    }

    /// Whether a ServerHello waits for [`Seam::mend`].
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Changes what rustls has written to `outgoing`, from `mark` on: to be called after each step of it.
    pub fn mend(&mut self, outgoing: &mut Vec<u8>, mark: usize) {
        let Some(change) = &self.waiting else {
            return;
        };
        match find(outgoing.get(mark..).unwrap_or_default(), &change.from) {
            Found::NotYet => {}
            Found::Other => self.broken = true,
            Found::Bytes(length) => {
                let records = records(&change.to, self.limit);
                outgoing.splice(mark..mark.saturating_add(length), records);
                self.waiting = None;
            }
        }
    }

    /// Whether nothing may be sent: something that was to be changed was not found. To be asked when rustls has nothing
    /// more to say, and has said something.
    pub fn is_broken(&self) -> bool {
        let unheard = matches!(self.answer, Answer::Accepted(..)) && !self.heard;
        self.broken || self.waiting.is_some() || self.extended.is_some() || unheard
    }
}

#[cfg(test)]
#[path = "seam_tests.rs"]
mod tests;
