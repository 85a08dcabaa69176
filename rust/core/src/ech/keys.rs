// SPDX-License-Identifier: Apache-2.0
//! The keys that inner hellos are decrypted with.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::hpke::ALL_SUPPORTED_SUITES;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkeOpener, HpkePrivateKey, HpkePublicKey};
use zeroize::Zeroizing;

use super::Suite;
use super::config::{self, Config, X25519};
use super::fault::{EchFault, KeyFault};
use crate::tls::reader::Reader;

/// Keys that are held at a time.
pub const MOST: usize = 64;

/// Keys of one number. A client names its key by one byte; where several have that number each is tried, at the price of
/// a key exchange.
pub const MOST_OF_ONE_ID: usize = 4;

/// What tests have the records of a server's first flight padded to a multiple of.
#[cfg(test)]
pub(crate) const PADDING: u16 = 1024;

/// A key with what clients know of it.
pub struct Key {
    config: Config,
    encoded: Vec<u8>,
    private: Private,
    /// It is given to clients that have none of ours.
    retry: bool,
}

/// Where a private key lies, as long as it does.
pub(super) trait Place: Send + Sync {
    /// The key, for the moment; `None` where other keys are there by now. Who takes it wipes it.
    fn read(&self) -> Option<Vec<u8>>;
}

/// The private part of a key.
enum Private {
    /// Here, and wiped when it is dropped: in the process that read it from a file.
    Here(HpkePrivateKey),
    /// In the memory that all keys are given to children in, and nowhere else: gone as soon as other keys are there.
    Shelved(Box<dyn Place>),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// How rustls does this.
fn hpke(kem: u16, suite: Suite) -> Option<&'static dyn Hpke> {
    let fits = |hpke: &&&dyn Hpke| {
        let known = hpke.suite();
        let sym = (u16::from(known.sym.kdf_id), u16::from(known.sym.aead_id));
        u16::from(known.kem) == kem && sym == (suite.kdf, suite.aead)
    };
    ALL_SUPPORTED_SUITES.iter().find(fits).copied()
}

impl Key {
    /// A key and its configuration, as a file has them.
    ///
    /// # Errors
    /// Why they are of no use.
    pub fn new(config: Config, private: &[u8], retry: bool) -> Result<Self, KeyFault> {
        let key = Self {
            encoded: config.encode(),
            private: Private::Here(HpkePrivateKey::from(private.to_vec())),
            config,
            retry,
        };
        if !config::is_public_name(&key.config.public_name) {
            return Err(KeyFault::PublicName(key.config.public_name));
        }
        let mut known = key
            .config
            .suites
            .iter()
            .filter_map(|suite| hpke(key.config.kem, *suite));
        let Some(hpke) = known.next() else {
            return Err(KeyFault::Kem(key.config.kem));
        };
        match key.fits(hpke) {
            true => Ok(key),
            false => Err(KeyFault::Mismatch),
        }
    }

    /// A new key of X25519 for this name. `None` where there is no randomness.
    pub fn generate(public_name: &str, id: u8, longest_name: u8) -> Option<Self> {
        let suite = config::MANDATORY;
        let (public, private) = hpke(X25519, suite)?.generate_key_pair().ok()?;
        let config = Config {
            id,
            kem: X25519,
            public_key: public.0,
            suites: vec![suite],
            longest_name,
            public_name: public_name.to_owned(),
            extensions: Vec::new(),
        };
        Self::new(config, private.secret_bytes(), true).ok()
    }

    /// Whether what is encrypted to the public key can be decrypted.
    fn fits(&self, hpke: &dyn Hpke) -> bool {
        let public = HpkePublicKey(self.config.public_key.clone());
        let sealed = hpke.seal(&[], &[], b"ech", &public);
        let opened = sealed.ok().and_then(|(enc, sealed)| {
            self.with_private(|private| hpke.open(&enc, &[], &[], &sealed, private).ok())?
        });
        opened.is_some_and(|opened| opened == b"ech")
    }

    /// Calls `use_it` with the private key; `None` where it is gone. A copy that is made for this is wiped afterwards.
    fn with_private<R>(&self, use_it: impl FnOnce(&HpkePrivateKey) -> R) -> Option<R> {
        match &self.private {
            Private::Here(private) => Some(use_it(private)),
            Private::Shelved(place) => {
                let private = HpkePrivateKey::from(place.read()?);
                Some(use_it(&private))
            }
        }
    }

    /// What clients know of it.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The same as bytes: an ECHConfig.
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// The private key, as RFC 9180 serializes it; nothing where it is gone.
    pub fn private(&self) -> Zeroizing<Vec<u8>> {
        let private = self.with_private(|private| private.secret_bytes().to_vec());
        Zeroizing::new(private.unwrap_or_default())
    }

    /// Whether clients that have none of ours are given it.
    pub fn is_for_retry(&self) -> bool {
        self.retry
    }

    /// Says whether they are.
    pub fn set_retry(&mut self, retry: bool) {
        self.retry = retry;
    }

    fn takes(&self, id: u8, suite: Suite) -> bool {
        self.config.id == id && self.config.suites.contains(&suite)
    }

    /// Sets up decryption of what was encrypted with `enc` (RFC 9849 7.1).
    pub(super) fn opener(&self, suite: Suite, enc: &[u8]) -> Option<Box<dyn HpkeOpener>> {
        let info = [b"tls ech\0", self.encoded.as_slice()].concat();
        let enc = EncapsulatedSecret(enc.to_vec());
        let hpke = hpke(self.config.kem, suite)?;
        self.with_private(|private| hpke.setup_opener(&enc, &info, private).ok())?
    }
}

/// All keys of a server.
#[derive(Debug, Default)]
pub struct Keys {
    pub(super) keys: Vec<Key>,
    /// An ECHConfigList; empty where no key is given to clients.
    retry: Arc<[u8]>,
    padding: u16,
}

impl Keys {
    /// All of them, each once however often it is named. What encrypted flights are padded to is a multiple of `padding`; 0
    /// for none.
    ///
    /// # Errors
    /// There are too many, in all or of one number.
    pub fn new(named: Vec<Key>, padding: u16) -> Result<Self, EchFault> {
        let mut keys: Vec<Key> = Vec::with_capacity(named.len());
        for key in named {
            match keys.iter_mut().find(|known| known.encoded == key.encoded) {
                Some(known) => known.retry |= key.retry,
                None => keys.push(key),
            }
        }
        if keys.len() > MOST {
            return Err(EchFault::TooMany(keys.len(), MOST));
        }
        for key in &keys {
            let id = key.config.id;
            let same = keys.iter().filter(|key| key.config.id == id).count();
            if same > MOST_OF_ONE_ID {
                return Err(EchFault::SameNumber(same, id, MOST_OF_ONE_ID));
            }
        }
        let given = keys.iter().filter(|key| key.retry);
        let retry = match keys.iter().any(|key| key.retry) {
            true => config::list(given.map(Key::encoded)),
            false => Vec::new(),
        };
        Ok(Self {
            retry: retry.into(),
            keys,
            padding,
        })
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// What clients are given that have none of them: an ECHConfigList, or nothing.
    pub fn retry(&self) -> &Arc<[u8]> {
        &self.retry
    }

    /// Of what encrypted flights are a multiple; 0 for nothing.
    pub fn padding(&self) -> u16 {
        self.padding
    }

    /// Whether a key has this number.
    pub(super) fn knows(&self, id: u8) -> bool {
        self.keys.iter().any(|key| key.config.id == id)
    }

    /// Those that a client may mean; [`MOST_OF_ONE_ID`] at most.
    pub(super) fn candidates(&self, id: u8, suite: Suite) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(move |key| key.takes(id, suite))
    }

    /// All of this as bytes, for processes that are given it. With private keys: wiped when dropped.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let parts = |key: &Key| [5, key.encoded.len(), key.private().len()];
        // A buffer that grows would leave a copy behind.
        let length = self
            .keys
            .iter()
            .flat_map(parts)
            .fold(2, usize::saturating_add);
        let mut out = Zeroizing::new(Vec::with_capacity(length));
        out.extend_from_slice(&self.padding.to_be_bytes());
        for key in &self.keys {
            out.push(u8::from(key.retry));
            for part in [key.encoded.as_slice(), &key.private()] {
                let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
                out.extend_from_slice(&length.to_be_bytes());
                out.extend_from_slice(part);
            }
        }
        out
    }

    /// Reads `length` octets of that again, the parts that `read` is asked for. The private keys are no such parts: they
    /// stay where `place` says that they are.
    pub(super) fn decode(
        length: usize,
        read: impl Fn(Range<usize>) -> Option<Zeroizing<Vec<u8>>>,
        place: impl Fn(Range<usize>) -> Box<dyn Place>,
    ) -> Option<Self> {
        let span = |at: &mut usize, octets: usize| {
            let end = at.checked_add(octets).filter(|end| *end <= length)?;
            Some(std::mem::replace(at, end)..end)
        };
        let part = |at: &mut usize, octets: usize| read(span(at, octets)?);
        let number = |at: &mut usize| Reader(&part(at, 2)?).u16();
        let mut at = 0;
        let padding = number(&mut at)?;
        let mut keys = Vec::new();
        while at < length {
            let retry = Reader(&part(&mut at, 1)?).u8()? == 1;
            let octets = usize::from(number(&mut at)?);
            let encoded = part(&mut at, octets)?.to_vec();
            let octets = usize::from(number(&mut at)?);
            let private = span(&mut at, octets)?;
            let config = config::read_list(&config::list([encoded.as_slice()])).ok()?;
            // That they fit was judged where they were read.
            keys.push(Key {
                config: config.into_iter().next_back()?,
                encoded,
                private: Private::Shelved(place(private)),
                retry,
            });
        }
        Self::new(keys, padding).ok()
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
