// SPDX-License-Identifier: Apache-2.0
//! What a connection makes of encrypted_client_hello: which key fits, and what the client's real hello is (RFC 9849 7.1).

use std::sync::Arc;

use rustls::AlertDescription;
use rustls::crypto::hpke::HpkeOpener;

use super::Suite;
use super::inner::{self, Sealed};
use super::keys::Keys;
use super::seam::Seam;
use crate::tls::hello;
use crate::tls::hello::{Fault, Hello, Inner, MESSAGE_HEADER, fault};

/// Where the keys of the server are had. Asked once for each connection whose hello has the extension; any thread.
pub trait Source: Send + Sync {
    /// The keys of this moment; `None` where there are none, and the extension means nothing.
    fn keys(&self) -> Option<Arc<Keys>>;
}

/// How a client's offer was answered. The numbers are the bridge's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// The client sent none, or nobody has keys.
    #[default]
    NotTried = 0,
    /// It names a key that we do not have: a stale one, or one that never was (RFC 9849 6.2).
    Grease = 1,
    /// It names a key of ours, which does not decrypt it.
    Failed = 2,
    /// The inner hello is the client's.
    Accepted = 3,
}

/// The same for one connection, and what its further hellos are read with.
#[derive(Default)]
pub struct Offer {
    source: Option<&'static dyn Source>,
    tried: Option<Box<Tried>>,
}

struct Tried {
    outcome: Outcome,
    /// server_name of the outer hello.
    outer_name: Option<String>,
    /// See [`Keys::retry`] and [`Keys::padding`]. The keys themselves are not kept: idle connections would keep old ones.
    retry: Arc<[u8]>,
    padding: u16,
    accepted: Option<Accepted>,
    /// The handshake is over.
    settled: bool,
}

/// What the second hello must be encrypted with.
struct Accepted {
    opener: Box<dyn HpkeOpener>,
    suite: Suite,
    config_id: u8,
    random: [u8; 32],
}

const NO_LONGER: Fault = fault(
    "the second ClientHello has no encrypted_client_hello, though that of the first was accepted",
    AlertDescription::MissingExtension,
);

const OTHER_KEY: Fault = fault(
    "the second ClientHello is encrypted otherwise than the first",
    AlertDescription::IllegalParameter,
);

const SPOILT: Fault = fault(
    "the second encrypted ClientHello cannot be decrypted",
    AlertDescription::DecryptError,
);

impl Offer {
    /// An offer that is answered with these keys.
    pub fn new(source: &'static dyn Source) -> Self {
        Self {
            source: Some(source),
            tried: None,
        }
    }

    /// This, for who reads hellos. `pay` is asked before the first operation with a private key, and again where there
    /// are other keys meanwhile; where it says no there is none, and the offer is one that is not accepted.
    pub fn opening<'a>(&'a mut self, pay: &'a mut dyn FnMut() -> bool) -> Opening<'a> {
        Opening { offer: self, pay }
    }

    /// Takes a connection's first hello, as it came. The real one is returned where there is another.
    ///
    /// # Errors
    /// The RFC wants the connection to be ended.
    fn first(
        &mut self,
        message: &[u8],
        hello: &Hello,
        pay: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let (Some(place), Some(source)) = (&hello.ech, self.source) else {
            return Ok(None);
        };
        let Some(mut keys) = source.keys().filter(|keys| !keys.is_empty()) else {
            return Ok(None);
        };
        let sealed = inner::read(message, place.clone())?;
        let mut opened = open(&keys, message, &sealed, pay);
        // Others may have come in their place meanwhile.
        let now = source.keys().filter(|now| !Arc::ptr_eq(now, &keys));
        if let (None, Some(now)) = (&opened, now) {
            opened = open(&now, message, &sealed, pay);
            keys = now;
        }
        let outcome = match (&opened, keys.knows(sealed.config_id)) {
            (Some(_), _) => Outcome::Accepted,
            (None, true) => Outcome::Failed,
            (None, false) => Outcome::Grease,
        };
        let tried = self.tried.insert(Box::new(Tried {
            outcome,
            outer_name: hello.server_name.clone(),
            retry: keys.retry().clone(),
            padding: keys.padding(),
            accepted: None,
            settled: false,
        }));
        let Some((opener, encoded)) = opened else {
            return Ok(None);
        };
        inner::check_outer(hello)?;
        let message = inner::rebuild(message, &encoded)?;
        let random = message.get(MESSAGE_HEADER + 2..MESSAGE_HEADER + 34);
        tried.accepted = Some(Accepted {
            opener,
            suite: sealed.suite,
            config_id: sealed.config_id,
            random: random
                .and_then(|random| random.try_into().ok())
                .unwrap_or_default(),
        });
        Ok(Some(message))
    }

    /// As [`Offer::first`], for the hello that answers a HelloRetryRequest (RFC 9849 7.1.1).
    ///
    /// # Errors
    /// It goes on otherwise than the first began.
    fn second(&mut self, message: &[u8], hello: &Hello) -> Result<Option<Vec<u8>>, Fault> {
        let Some(accepted) = self
            .tried
            .as_mut()
            .and_then(|tried| tried.accepted.as_mut())
        else {
            // What is no offer in a first hello is none in a second one.
            if let (Some(_), Some(place)) = (&self.tried, &hello.ech) {
                inner::read(message, place.clone())?;
            }
            return Ok(None);
        };
        let place = hello.ech.clone().ok_or(NO_LONGER)?;
        let sealed = inner::read(message, place)?;
        if (sealed.suite, sealed.config_id, sealed.enc)
            != (accepted.suite, accepted.config_id, &[][..])
        {
            return Err(OTHER_KEY);
        }
        let aad = inner::authenticated(message, &sealed);
        let encoded = accepted
            .opener
            .open(&aad, sealed.payload)
            .map_err(|_| SPOILT)?;
        inner::check_outer(hello)?;
        inner::rebuild(message, &encoded).map(Some)
    }

    /// Whether there is one that the handshake has to answer.
    pub fn is_tried(&self) -> bool {
        self.tried.as_ref().is_some_and(|tried| !tried.settled)
    }

    /// The handshake is over: forgets what it alone needed.
    pub fn settle(&mut self) {
        if let Some(tried) = &mut self.tried {
            (tried.accepted, tried.retry, tried.settled) = (None, Arc::default(), true);
        }
    }

    /// How the offer was answered.
    pub fn outcome(&self) -> Outcome {
        self.tried
            .as_ref()
            .map_or(Outcome::NotTried, |tried| tried.outcome)
    }

    /// The name in the outer hello, of an offer that was read.
    pub fn outer_name(&self) -> Option<&str> {
        self.tried.as_ref()?.outer_name.as_deref()
    }

    /// What the server has to say about it; `None` where it says nothing.
    pub fn seam(&self) -> Option<Box<Seam>> {
        let tried = self.tried.as_ref()?;
        let seam = match &tried.accepted {
            Some(accepted) => Seam::accepting(accepted.random, tried.padding),
            None => Seam::refusing(tried.retry.clone()),
        };
        Some(Box::new(seam))
    }
}

/// See [`Offer::opening`].
pub struct Opening<'a> {
    offer: &'a mut Offer,
    pay: &'a mut dyn FnMut() -> bool,
}

impl Inner for Opening<'_> {
    fn open(
        &mut self,
        message: &[u8],
        hello: &Hello,
        second: bool,
    ) -> Result<Option<(Vec<u8>, Hello)>, Fault> {
        let message = match second {
            true => self.offer.second(message, hello)?,
            false => self.offer.first(message, hello, self.pay)?,
        };
        let Some(message) = message else {
            return Ok(None);
        };
        let hello = hello::read(&message)?;
        inner::check(&message, &hello)?;
        Ok(Some((message, hello)))
    }
}

/// Tries the keys that the client may mean.
fn open(
    keys: &Keys,
    message: &[u8],
    sealed: &Sealed<'_>,
    pay: &mut dyn FnMut() -> bool,
) -> Option<(Box<dyn HpkeOpener>, Vec<u8>)> {
    let mut candidates = keys.candidates(sealed.config_id, sealed.suite).peekable();
    candidates.peek()?;
    pay().then_some(())?;
    let aad = inner::authenticated(message, sealed);
    candidates.find_map(|key| {
        let mut opener = key.opener(sealed.suite, sealed.enc)?;
        let encoded = opener.open(&aad, sealed.payload).ok()?;
        Some((opener, encoded))
    })
}
