// SPDX-License-Identifier: Apache-2.0
//! A cipher suite that notes what rustls does with it, for tests.

use std::cell::RefCell;

use rustls::crypto::cipher::{
    AeadKey, Iv, MessageDecrypter, MessageEncrypter, OutboundOpaqueMessage, OutboundPlainMessage,
    Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};
use rustls::{
    ConnectionTrafficSecrets, ContentType, Error, SupportedCipherSuite, Tls13CipherSuite,
};

/// What rustls' server does, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// A transcript begins.
    Start,
    /// This is added to it.
    Update(Vec<u8>),
    /// This is added to a copy of it.
    UpdateCopy(Vec<u8>),
    /// It is looked at.
    Look,
    /// The key with this number is made.
    Key(usize),
    /// Contents are encrypted by that key.
    Encrypt(usize, u64, ContentType, Vec<u8>),
    /// Bytes go out.
    Send(Vec<u8>),
}

thread_local!(pub(super) static DONE: RefCell<Vec<Done>> = const { RefCell::new(Vec::new()) });

pub(super) fn note(what: Done) {
    DONE.with_borrow_mut(|done| done.push(what));
}

struct Noting(&'static dyn Hash);

impl Hash for Noting {
    fn start(&self) -> Box<dyn Context> {
        note(Done::Start);
        Box::new(NotingContext(self.0.start(), false))
    }

    fn hash(&self, data: &[u8]) -> Output {
        self.0.hash(data)
    }

    fn output_len(&self) -> usize {
        self.0.output_len()
    }

    fn algorithm(&self) -> HashAlgorithm {
        self.0.algorithm()
    }
}

/// A transcript, or a copy of one.
struct NotingContext(Box<dyn Context>, bool);

impl Context for NotingContext {
    fn fork_finish(&self) -> Output {
        note(Done::Look);
        self.0.fork_finish()
    }

    fn fork(&self) -> Box<dyn Context> {
        Box::new(Self(self.0.fork(), true))
    }

    fn finish(self: Box<Self>) -> Output {
        self.0.finish()
    }

    /// A transcript begins with a buffer, which may be empty.
    fn update(&mut self, data: &[u8]) {
        if !data.is_empty() {
            note(match self.1 {
                true => Done::UpdateCopy(data.to_vec()),
                false => Done::Update(data.to_vec()),
            });
        }
        self.0.update(data);
    }
}

struct NotingKeys(&'static dyn Tls13AeadAlgorithm);

impl Tls13AeadAlgorithm for NotingKeys {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        let made = |done: &Vec<Done>| done.iter().filter(|d| matches!(d, Done::Key(_))).count();
        let number = DONE.with_borrow(made);
        note(Done::Key(number));
        Box::new(NotingKey(self.0.encrypter(key, iv), number))
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.0.decrypter(key, iv)
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv)
    }
}

struct NotingKey(Box<dyn MessageEncrypter>, usize);

impl MessageEncrypter for NotingKey {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        seq: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let payload = message.payload.to_vec();
        note(Done::Encrypt(self.1, seq, message.typ, payload));
        self.0.encrypt(message, seq)
    }

    fn encrypted_payload_len(&self, length: usize) -> usize {
        self.0.encrypted_payload_len(length)
    }
}

pub(super) fn noting(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    let plain = suite.tls13().unwrap();
    let suite = Tls13CipherSuite {
        aead_alg: Box::leak(Box::new(NotingKeys(plain.aead_alg))),
        common: rustls::CipherSuiteCommon {
            suite: plain.common.suite,
            hash_provider: Box::leak(Box::new(Noting(plain.common.hash_provider))),
            confidentiality_limit: plain.common.confidentiality_limit,
        },
        ..*plain
    };
    SupportedCipherSuite::Tls13(Box::leak(Box::new(suite)))
}
