// SPDX-License-Identifier: Apache-2.0
//! Keys whose signatures are counted and timed, wherever they are made.

use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

use crate::metrics::{self, Counter, Histogram, choose};
use crate::tls::context;

/// A key in this process.
#[derive(Debug)]
pub struct TimedKey(pub Arc<dyn SigningKey>);

impl SigningKey for TimedKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let signer = self.0.choose_scheme(offered)?;
        Some(Box::new(TimedSigner(signer, self.0.algorithm())))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.0.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

#[derive(Debug)]
struct TimedSigner(Box<dyn Signer>, SignatureAlgorithm);

impl Signer for TimedSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        timed(self.1, || self.0.sign(message))
    }

    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }
}

/// Counts and times one signature by a key of `algorithm`. Nothing is signed for a handshake of which a limit for floods
/// asks that it resumes a session.
///
/// # Errors
/// Those of `sign`, and that nothing is signed; see [`context::Context::take_signature`].
pub fn timed(
    algorithm: SignatureAlgorithm,
    sign: impl FnOnce() -> Result<Vec<u8>, Error>,
) -> Result<Vec<u8>, Error> {
    let signature = try_to_sign(algorithm, sign);
    if signature.is_ok() {
        return signature;
    }
    let taken = context::with(|context| context.take_signature(signature.clone()));
    taken.unwrap_or(signature)
}

fn try_to_sign(
    algorithm: SignatureAlgorithm,
    sign: impl FnOnce() -> Result<Vec<u8>, Error>,
) -> Result<Vec<u8>, Error> {
    let is_beyond = context::with(|context| {
        context.beyond_limit |= context.must_resume;
        context.beyond_limit
    });
    if is_beyond == Some(true) {
        return Err(Error::General("beyond a limit".to_owned()));
    }
    let began = Instant::now();
    metrics::change(Counter::Signing, true);
    let signature = sign();
    metrics::change(Counter::Signing, false);
    metrics::observe(Histogram::Signature, began.elapsed());
    metrics::count(choose::signature(algorithm, signature.is_ok()));
    if signature.is_err() {
        context::with(|context| context.not_signed = true);
    }
    signature
}
