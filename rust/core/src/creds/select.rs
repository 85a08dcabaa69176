// SPDX-License-Identifier: Apache-2.0
//! Which certificate a client gets.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use rustls::SignatureScheme;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls_pki_types::CertificateDer;

use crate::tls::context::{CertificateSource, Offer, Shown, Wants};

use super::certificate::{CertificateFields, Der};
use super::key::KeyKind;
use super::timed::TimedKey;
use crate::fetch::access;
use crate::fetch::wants::staple_key;
use crate::ocsp::{self, Fault, Refusal, Staple};

/// One certificate chain with its key, and what people want to know of it.
#[derive(Debug)]
pub struct Pair {
    /// What rustls serves, with the compressed forms of the chain without an OCSP response. The supervisor of the key
    /// agent, which serves nobody, has none.
    served: OnceLock<Shown>,
    /// The chain, where it came from files; else it stands in `served` alone.
    ders: Box<[Der]>,
    /// What signs.
    pub key: Arc<dyn SigningKey>,
    /// Kind of the key.
    pub kind: KeyKind,
    /// Fields of the leaf, for checks and reports.
    pub leaf: Arc<CertificateFields>,
    /// An OCSP response about the leaf.
    pub stapled: Option<Box<Stapled>>,
    /// The response that another module had last, and what became of it.
    offered: Mutex<Option<Arc<Offered>>>,
    /// It stands in for a certificate that is yet to come.
    pub is_placeholder: bool,
}

/// A pair with an OCSP response.
#[derive(Debug)]
pub struct Stapled {
    /// The response.
    pub staple: Staple,
    served: OnceLock<Shown>,
}

impl Stapled {
    fn new(staple: Staple) -> Self {
        Self {
            staple,
            served: OnceLock::new(),
        }
    }

    fn shown(&self, pair: &Pair) -> &Shown {
        self.served.get_or_init(|| {
            let mut certified = CertifiedKey::clone(pair.certified());
            certified.ocsp = Some(self.staple.der.clone());
            Shown::new(certified)
        })
    }
}

/// Where a response came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StapleSource {
    /// A file.
    File,
    /// Another module, such as mod_md.
    Module,
    /// A responder that was asked.
    Fetched,
}

impl StapleSource {
    /// As reports name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Module => "module",
            Self::Fetched => "fetched",
        }
    }
}

/// A response of another module, or one that was fetched.
#[derive(Debug)]
struct Offered {
    response: Vec<u8>,
    /// `None` where it must not be sent.
    stapled: Option<Stapled>,
}

impl Pair {
    /// A pair without an OCSP response.
    pub fn new(certified: CertifiedKey, kind: KeyKind, leaf: Arc<CertificateFields>) -> Self {
        let key = Arc::clone(&certified.key);
        let mut pair = Self::of_files(Box::default(), key, kind, leaf);
        pair.served = OnceLock::from(Shown::new(certified));
        pair
    }

    /// The same of a chain that others hold too.
    pub fn of_files(
        ders: Box<[Der]>,
        key: Arc<dyn SigningKey>,
        kind: KeyKind,
        leaf: Arc<CertificateFields>,
    ) -> Self {
        Self {
            served: OnceLock::new(),
            ders,
            key,
            kind,
            leaf,
            stapled: None,
            offered: Mutex::default(),
            is_placeholder: false,
        }
    }

    /// What rustls serves. Made when it is first asked for; a server does so before it forks.
    pub fn certified(&self) -> &Arc<CertifiedKey> {
        &self.unstapled().certified
    }

    fn unstapled(&self) -> &Shown {
        self.served.get_or_init(|| {
            let chain = self
                .ders
                .iter()
                .map(|der| CertificateDer::from(der.to_vec()));
            let key = Arc::new(TimedKey(Arc::clone(&self.key)));
            Shown::new(CertifiedKey::new(chain.collect(), key))
        })
    }

    /// The chain, DER.
    pub fn chain(&self) -> Vec<&[u8]> {
        match self.served.get() {
            Some(served) => served.certified.cert.iter().map(AsRef::as_ref).collect(),
            None => self.ders.iter().map(AsRef::as_ref).collect(),
        }
    }

    /// The same, marked as a placeholder.
    pub fn as_placeholder(mut self) -> Self {
        self.is_placeholder = true;
        self
    }

    /// What names its leaf to other modules.
    pub fn id(&self) -> Vec<u8> {
        let chain = self.chain();
        let leaf = chain.first().copied().unwrap_or_default();
        digest(&SHA256, leaf).as_ref().to_vec()
    }

    /// Judges a response about its leaf.
    ///
    /// # Errors
    /// Why it must not be sent.
    pub fn judge_staple(&self, response: &[u8], now: i64) -> Result<Staple, Refusal> {
        match &self.chain()[..] {
            [leaf, issuer, ..] => ocsp::check(response, leaf, issuer, now),
            _ => Err(Fault::NoIssuer.into()),
        }
    }

    /// A response of another module, which is judged once, where it may be sent.
    fn judged(&self, response: &[u8], now: i64) -> Option<Arc<Offered>> {
        let last = || self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last().clone().filter(|known| known.response == response);
        let offered = known.unwrap_or_else(|| {
            let judged = self.judge_staple(response, now).ok();
            let offered = Arc::new(Offered {
                response: response.to_vec(),
                stapled: judged.map(Stapled::new),
            });
            *last() = Some(Arc::clone(&offered));
            offered
        });
        let stapled = offered.stapled.as_ref();
        let of_use = stapled.is_some_and(|s| s.staple.is_of_use(now));
        of_use.then_some(offered)
    }

    /// The same with a response about its leaf.
    pub fn with_staple(mut self, staple: Staple) -> Self {
        self.stapled = Some(Box::new(Stapled::new(staple)));
        self
    }

    /// What a client gets now that wants this.
    pub fn shown(&self, wants: &Wants, now: i64) -> Shown {
        self.with_staple_of_now(wants, now, |stapled, _| stapled.shown(self).clone())
            .unwrap_or_else(|| self.unstapled().clone())
    }

    /// Where the response comes from that a client gets now, from when it is and until when it is of use.
    pub fn staple_of_now(&self, wants: &Wants, now: i64) -> Option<(StapleSource, i64, i64)> {
        self.with_staple_of_now(wants, now, |stapled, source| {
            (source, stapled.staple.from, stapled.staple.until)
        })
    }

    /// Whether a client should get a response that wants this: there was one in a file, another module or a responder is
    /// asked for one, or the certificate demands it.
    pub fn expects_staple(&self, wants: &Wants) -> bool {
        let fetched = wants.fetched.as_deref();
        let asked = fetched.is_some_and(|url| !url.is_empty() || self.leaf.has_responder);
        let has_issuer = self.chain().len() > 1;
        !self.is_placeholder
            && (self.stapled.is_some()
                || self.leaf.must_staple
                || asked && has_issuer
                || self.offer(wants).is_some())
    }

    fn offer<'a>(&self, wants: &'a Wants) -> Option<&'a Offer> {
        let id = (!wants.offered.is_empty()).then(|| self.id())?;
        wants.offered.iter().find(|offer| offer.id == id)
    }

    fn with_staple_of_now<R>(
        &self,
        wants: &Wants,
        now: i64,
        act: impl FnOnce(&Stapled, StapleSource) -> R,
    ) -> Option<R> {
        if !wants.staple {
            return None;
        }
        if let Some(own) = self.stapled.as_ref().filter(|s| s.staple.is_of_use(now)) {
            return Some(act(own, StapleSource::File));
        }
        let offer = self.offer(wants).filter(|offer| !offer.response.is_empty());
        let offered = offer.and_then(|offer| self.judged(&offer.response, now));
        let (offered, source) = match offered {
            Some(offered) => (offered, StapleSource::Module),
            None => (self.fetched(wants, now)?, StapleSource::Fetched),
        };
        Some(act(offered.stapled.as_ref()?, source))
    }

    fn fetched(&self, wants: &Wants, now: i64) -> Option<Arc<Offered>> {
        let forced = wants.fetched.as_deref()?;
        let forced = (!forced.is_empty()).then_some(forced);
        let key = match &self.chain()[..] {
            [leaf, issuer, ..] => staple_key(leaf, issuer, forced)?,
            _ => return None,
        };
        self.judged(&access::staple(key)?.der, now)
    }

    /// Makes the compressed forms that clients may be shown.
    pub fn pack(&self) {
        self.unstapled().pack();
        if let Some(stapled) = &self.stapled {
            stapled.shown(self).pack();
        }
    }
}

/// All usable pairs of one virtual host.
#[derive(Debug, Default)]
pub struct CertSet {
    /// By the rank of their keys, otherwise as configured.
    pairs: Vec<Arc<Pair>>,
    /// Which of the request's pairs each of them is.
    places: Box<[usize]>,
}

impl CertSet {
    /// Takes the pairs in the order of the configuration, of which all can be used.
    pub fn new(pairs: Vec<Arc<Pair>>) -> Self {
        Self::of(pairs.into_iter().enumerate().collect())
    }

    /// Takes pairs, each with its place among those of the request, in their order.
    pub fn of(mut pairs: Vec<(usize, Arc<Pair>)>) -> Self {
        pairs.sort_by_key(|(_, pair)| pair.kind.rank());
        let (places, pairs): (Vec<_>, _) = pairs.into_iter().unzip();
        Self {
            pairs,
            places: places.into(),
        }
    }

    /// The pairs in the order in which they are tried, each with its place among those of the request.
    pub fn placed(&self) -> impl Iterator<Item = (usize, &Arc<Pair>)> {
        self.places.iter().copied().zip(&self.pairs)
    }

    /// The pair that the request's pair at `place` came to.
    pub fn at(&self, place: usize) -> Option<&Arc<Pair>> {
        self.placed()
            .find(|(of, _)| *of == place)
            .map(|(_, pair)| pair)
    }

    /// The pairs in the order in which they are tried.
    pub fn pairs(&self) -> &[Arc<Pair>] {
        &self.pairs
    }

    /// Whether it stands in for certificates that are yet to come.
    pub fn is_placeholder(&self) -> bool {
        self.pairs.iter().any(|pair| pair.is_placeholder)
    }

    /// The first pair whose key can sign with a scheme that the client offers; `None` where no key fits.
    pub fn select(&self, schemes: &[SignatureScheme]) -> Option<&Arc<Pair>> {
        let fits = |pair: &&Arc<Pair>| pair.key.choose_scheme(schemes).is_some();
        self.pairs.iter().find(fits)
    }
}

impl CertificateSource for CertSet {
    fn select(&self, schemes: &[SignatureScheme], wants: &Wants) -> Option<Shown> {
        let pair = Self::select(self, schemes)?;
        Some(pair.shown(wants, crate::system::clock::now()))
    }
}
