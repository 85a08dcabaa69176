// SPDX-License-Identifier: Apache-2.0
//! Compressed certificates (RFC 8879), made once for each certificate and never in a handshake.
//!
//! rustls compresses when a client asks, at the highest level, and remembers four results. Here its compressors only
//! look up what was made when the certificate was loaded; where that has yet to be made the certificate goes out as it
//! is, and its compressed forms are made when the handshake is over. Nothing is ever decompressed.

pub mod brotli;
mod huffman;
mod matches;
mod packed;

use rustls::CertificateCompressionAlgorithm;
use rustls::compress::{CertCompressor, CompressionFailed, CompressionLevel};

use crate::tls::context;

pub use packed::Packed;

use packed::message;

/// What rustls is given to compress with, most wanted first.
pub const COMPRESSORS: [&dyn CertCompressor; 2] = [
    &Prepared(CertificateCompressionAlgorithm::Brotli),
    &Prepared(CertificateCompressionAlgorithm::Zlib),
];

/// Looks up what was made.
#[derive(Debug)]
struct Prepared(CertificateCompressionAlgorithm);

impl CertCompressor for Prepared {
    /// rustls sends the message as it is where this fails.
    fn compress(&self, input: Vec<u8>, _: CompressionLevel) -> Result<Vec<u8>, CompressionFailed> {
        context::with(|context| {
            let (shown, packed) = (context.presented.as_ref()?, context.packed.as_ref()?);
            context.wants_packed = !packed.is_made();
            let form = packed.form(self.0)?;
            (message(shown) == input).then(|| form.to_vec())
        })
        .flatten()
        .ok_or(CompressionFailed)
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        self.0
    }
}
