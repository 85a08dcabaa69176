//! Which certificate a client gets.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::sign::CertifiedKey;

use crate::compress::Packed;
use crate::context::{CertificateSource, Shown};

use super::certificate::Certificate;
use super::key::KeyKind;
use super::ocsp::Staple;

/// One certificate chain with its key, and what people want to know of it.
#[derive(Debug)]
pub struct Pair {
    /// What rustls serves.
    pub certified: Arc<CertifiedKey>,
    /// Kind of the key.
    pub kind: KeyKind,
    /// Fields of the leaf, for checks and reports.
    pub leaf: Arc<Certificate>,
    /// An OCSP response about the leaf.
    pub stapled: Option<Stapled>,
    /// Compressed forms of the chain without it.
    packed: Arc<Packed>,
}

/// A pair with an OCSP response.
#[derive(Debug)]
pub struct Stapled {
    /// The response.
    pub staple: Staple,
    certified: Arc<CertifiedKey>,
    packed: Arc<Packed>,
}

impl Pair {
    /// A pair without an OCSP response.
    pub fn new(certified: CertifiedKey, kind: KeyKind, leaf: Arc<Certificate>) -> Pair {
        Pair {
            certified: Arc::new(certified),
            kind,
            leaf,
            stapled: None,
            packed: Arc::default(),
        }
    }

    /// The same with a response about its leaf.
    pub fn with_staple(mut self, staple: Staple) -> Pair {
        let mut certified = CertifiedKey::clone(&self.certified);
        certified.ocsp = Some(staple.der.clone());
        self.stapled = Some(Stapled {
            staple,
            certified: Arc::new(certified),
            packed: Arc::default(),
        });
        self
    }

    /// What a client gets now that asks, or does not, for an OCSP response.
    pub fn shown(&self, wants_staple: bool, now: i64) -> Shown {
        let of_use = |stapled: &&Stapled| wants_staple && stapled.staple.is_of_use(now);
        let (certified, packed) = match self.stapled.as_ref().filter(of_use) {
            Some(stapled) => (&stapled.certified, &stapled.packed),
            None => (&self.certified, &self.packed),
        };
        Shown {
            certified: Arc::clone(certified),
            packed: Arc::clone(packed),
        }
    }

    /// Makes the compressed forms that clients may be shown.
    pub fn pack(&self) {
        self.packed.pack(&self.certified);
        if let Some(stapled) = &self.stapled {
            stapled.packed.pack(&stapled.certified);
        }
    }
}

/// All usable pairs of one virtual host.
#[derive(Debug, Default)]
pub struct CertSet {
    /// ECDSA and Ed25519 before RSA, otherwise as configured.
    pairs: Vec<Arc<Pair>>,
}

impl CertSet {
    /// Takes the pairs in the order of the configuration.
    pub fn new(mut pairs: Vec<Arc<Pair>>) -> CertSet {
        pairs.sort_by_key(|pair| pair.kind.is_rsa());
        CertSet { pairs }
    }

    /// The pairs in the order in which they are tried.
    pub fn pairs(&self) -> &[Arc<Pair>] {
        &self.pairs
    }

    /// The first pair whose key can sign with a scheme that the client offers; `None` where no key fits.
    pub fn select(&self, schemes: &[SignatureScheme]) -> Option<&Arc<Pair>> {
        let fits = |pair: &&Arc<Pair>| pair.certified.key.choose_scheme(schemes).is_some();
        self.pairs.iter().find(fits)
    }
}

impl CertificateSource for CertSet {
    fn select(&self, schemes: &[SignatureScheme], wants_staple: bool) -> Option<Shown> {
        let pair = CertSet::select(self, schemes)?;
        Some(pair.shown(wants_staple, super::chain::now()))
    }
}
