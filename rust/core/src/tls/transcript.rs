// SPDX-License-Identifier: Apache-2.0
//! The cipher suites of both ends, with a transcript that may differ from what rustls has written or read.
//!
//! For a hello that hides its name from rustls ([`odd_name`](super::odd_name)), and for an offer of Encrypted ClientHello
//! ([`crate::ech::seam`]). All other connections get rustls' own objects, at the price of one look at the context; but for
//! the keys of the handshake, beneath which an alert stands in the place of what nobody signed.

use std::borrow::Cow;
use std::sync::LazyLock;

use rustls::crypto::cipher::{
    AeadKey, Iv, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundOpaqueMessage,
    OutboundPlainMessage, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};
use rustls::crypto::tls13::Hkdf;
use rustls::{
    AlertDescription, CipherSuiteCommon, ConnectionTrafficSecrets, ContentType, Error,
    SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite,
};

use super::context;
use super::odd_name::restored;
use crate::ech::seam::{Rewrite, Seam};

/// The same suites, as we need them.
pub fn watched(suites: Vec<SupportedCipherSuite>) -> Vec<SupportedCipherSuite> {
    let watched = |suite: SupportedCipherSuite| {
        let mut known = SUITES.iter();
        known.find(|known| known.suite() == suite.suite()).copied()
    };
    suites.into_iter().filter_map(watched).collect()
}

/// rustls wants them to live for ever.
static SUITES: LazyLock<Vec<SupportedCipherSuite>> = LazyLock::new(|| {
    rustls::crypto::aws_lc_rs::ALL_CIPHER_SUITES
        .iter()
        .map(|suite| match suite {
            SupportedCipherSuite::Tls13(suite) => {
                SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
                    common: with_watched_hash(&suite.common, Some(suite.hkdf_provider)),
                    aead_alg: Box::leak(Box::new(Shaping(suite.aead_alg))),
                    ..**suite
                })))
            }
            SupportedCipherSuite::Tls12(suite) => {
                SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                    common: with_watched_hash(&suite.common, None),
                    ..**suite
                })))
            }
        })
        .collect()
});

fn with_watched_hash(
    common: &CipherSuiteCommon,
    hkdf: Option<&'static dyn Hkdf>,
) -> CipherSuiteCommon {
    CipherSuiteCommon {
        suite: common.suite,
        hash_provider: Box::leak(Box::new(Watched {
            hash: common.hash_provider,
            hkdf,
        })),
        confidentiality_limit: common.confidentiality_limit,
    }
}

struct Watched {
    hash: &'static dyn Hash,
    /// Of a suite of TLS 1.3.
    hkdf: Option<&'static dyn Hkdf>,
}

impl Hash for Watched {
    fn start(&self) -> Box<dyn Context> {
        let plain = self.hash.start();
        let of_this = context::with(|context| (context.hidden.is_some(), context.ech.is_some()));
        let (hidden, offered) = of_this.unwrap_or_default();
        let hkdf = self.hkdf.filter(|_| offered);
        match hidden || hkdf.is_some() {
            true => Box::new(Transcript {
                plain,
                hidden,
                hkdf,
            }),
            false => plain,
        }
    }

    fn hash(&self, data: &[u8]) -> Output {
        self.hash.hash(data)
    }

    fn output_len(&self) -> usize {
        self.hash.output_len()
    }

    fn algorithm(&self) -> HashAlgorithm {
        self.hash.algorithm()
    }

    fn fips(&self) -> bool {
        self.hash.fips()
    }
}

struct Transcript {
    plain: Box<dyn Context>,
    hidden: bool,
    /// There is an answer to an offer to be put in.
    hkdf: Option<&'static dyn Hkdf>,
}

impl Context for Transcript {
    fn fork_finish(&self) -> Output {
        self.plain.fork_finish()
    }

    /// rustls forks to hash what is no message of its own: a hello without its binders.
    fn fork(&self) -> Box<dyn Context> {
        let plain = self.plain.fork();
        match self.hidden {
            true => Box::new(Self {
                plain,
                hidden: true,
                hkdf: None,
            }),
            false => plain,
        }
    }

    fn finish(self: Box<Self>) -> Output {
        self.plain.finish()
    }

    /// `data` begins with a handshake message: rustls hashes whole ones, and a ClientHello without its binders.
    fn update(&mut self, data: &[u8]) {
        let data = match self.hidden {
            true => restored(data),
            false => Cow::Borrowed(data),
        };
        let plain = &*self.plain;
        let answered = self.hkdf.and_then(|hkdf| {
            context::with(|context| {
                let shown = context.shown();
                let seam = context.ech.as_mut()?;
                seam.hash(&data, plain, hkdf, shown)
            })
            .flatten()
        });
        self.plain.update(answered.as_deref().unwrap_or(&data));
    }
}

struct Shaping(&'static dyn Tls13AeadAlgorithm);

impl Tls13AeadAlgorithm for Shaping {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        let plain = self.0.encrypter(key, iv);
        // Beneath the first key lies what is signed.
        let looked = context::with(|context| {
            let first = !std::mem::replace(&mut context.has_key, true);
            let shape = context.ech.as_mut().and_then(|seam| seam.next_key());
            (shape, first || context.may_refuse_late)
        });
        let (shape, may_alert) = looked.unwrap_or_default();
        match shape.is_some() || may_alert {
            true => Box::new(Shaper { plain, shape }),
            false => plain,
        }
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

    fn fips(&self) -> bool {
        self.0.fips()
    }
}

struct Shaper {
    plain: Box<dyn MessageEncrypter>,
    shape: Option<Rewrite>,
}

impl MessageEncrypter for Shaper {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        seq: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let shaped = match self.shape {
            _ if message.typ == ContentType::Handshake && is_unsigned() => Some(not_signed()),
            _ if message.typ == ContentType::ApplicationData => alert(&message),
            _ if message.typ != ContentType::Handshake => None,
            Some(Rewrite::Extend) if seq == 0 => extended(&message),
            Some(Rewrite::Pad(unit, limit)) => padded(&message, usize::from(unit), limit),
            Some(Rewrite::Extend) | None => None,
        };
        let Some((typ, payload)) = shaped else {
            return self.plain.encrypt(message, seq);
        };
        let message = OutboundPlainMessage {
            typ,
            version: message.version,
            payload: OutboundChunks::Single(&payload),
        };
        self.plain.encrypt(message, seq)
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        self.plain.encrypted_payload_len(payload_len)
    }
}

fn extended(message: &OutboundPlainMessage<'_>) -> Option<(ContentType, Vec<u8>)> {
    let flight = message.payload.to_vec();
    let extend = |seam: &mut Box<Seam>| seam.extend(&flight);
    let longer = context::with(|context| context.ech.as_mut().and_then(extend)).flatten()?;
    Some((ContentType::Handshake, longer))
}

/// rustls sends alerts of its own alone; one of ours is given to it as data.
fn alert(message: &OutboundPlainMessage<'_>) -> Option<(ContentType, Vec<u8>)> {
    let alerting = context::with(|context| context.alerting).unwrap_or(false);
    alerting.then(|| (ContentType::Alert, message.payload.to_vec()))
}

fn is_unsigned() -> bool {
    context::with(|context| context.unsigned.is_some()).unwrap_or(false)
}

/// RFC 8446 6: level fatal(2) and the description, in the place of a flight that has no signature.
fn not_signed() -> (ContentType, Vec<u8>) {
    let alert = vec![2, AlertDescription::InternalError.into()];
    (ContentType::Alert, alert)
}

/// A KeyUpdate with its header; no other message after the handshake is as short.
const KEY_UPDATE_LENGTH: usize = 5;

/// RFC 8446 5.2: what is encrypted is the contents, their type and zeros. rustls appends the type that it is given; so
/// it is given the last of the zeros for one.
fn padded(
    message: &OutboundPlainMessage<'_>,
    unit: usize,
    limit: usize,
) -> Option<(ContentType, Vec<u8>)> {
    let length = message.payload.len();
    // Says nothing of a name, and its reply has its place in buffers that other connections share (RFC 8446 4.6.3).
    if length == KEY_UPDATE_LENGTH {
        return None;
    }
    let padded = length.next_multiple_of(unit).min(limit);
    if padded <= length {
        return None;
    }
    let mut payload = message.payload.to_vec();
    payload.push(ContentType::Handshake.into());
    payload.resize(padded, 0);
    Some((ContentType::Unknown(0), payload))
}
