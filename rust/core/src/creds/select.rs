//! Which certificate a client gets.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::sign::CertifiedKey;

use crate::context::CertificateSource;

use super::certificate::Certificate;
use super::key::KeyKind;

/// One certificate chain with its key, and what people want to know of it.
#[derive(Debug)]
pub struct Pair {
    /// What rustls serves.
    pub certified: Arc<CertifiedKey>,
    /// Kind of the key.
    pub kind: KeyKind,
    /// Fields of the leaf, for checks and reports.
    pub leaf: Arc<Certificate>,
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
    pub fn select(&self, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let fits = |pair: &&Arc<Pair>| pair.certified.key.choose_scheme(schemes).is_some();
        self.pairs
            .iter()
            .find(fits)
            .map(|pair| Arc::clone(&pair.certified))
    }
}

impl CertificateSource for CertSet {
    fn select(&self, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        CertSet::select(self, schemes)
    }
}
