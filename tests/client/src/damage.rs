// SPDX-License-Identifier: Apache-2.0
//! Client certificates with flipped bits: each connection presents another one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls_pki_types::CertificateDer;

/// Presents the certificates in turn, with one to four bits flipped; the same ones for the same seed.
#[derive(Debug)]
pub(crate) struct Damaged {
    certificates: Vec<CertificateDer<'static>>,
    key: Arc<dyn SigningKey>,
    state: AtomicU64,
    next: AtomicU64,
}

impl Damaged {
    /// `key` proves possession of what the certificates said before they were damaged.
    pub(crate) fn new(
        certificates: Vec<CertificateDer<'static>>,
        key: Arc<dyn SigningKey>,
        seed: u64,
    ) -> Self {
        Self {
            certificates,
            key,
            state: AtomicU64::new(seed),
            next: AtomicU64::new(0),
        }
    }

    fn below(&self, limit: usize) -> usize {
        let step = |state: u64| {
            Some(
                state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407),
            )
        };
        let state = self
            .state
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
        (state.unwrap_or_else(|state| state) >> 33) as usize % limit.max(1)
    }

    fn certificate(&self) -> CertificateDer<'static> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) as usize;
        let mut der = self.certificates[turn % self.certificates.len()].to_vec();
        for _ in 0..=self.below(4) {
            let place = self.below(der.len());
            der[place] ^= 1 << self.below(8);
        }
        CertificateDer::from(der)
    }
}

impl ResolvesClientCert for Damaged {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        Some(Arc::new(CertifiedKey::new(
            vec![self.certificate()],
            self.key.clone(),
        )))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
