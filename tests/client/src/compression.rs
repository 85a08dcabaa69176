// SPDX-License-Identifier: Apache-2.0
//! Compressed certificates: which forms are taken, and in which the last one came.

use std::sync::{Mutex, PoisonError};

use rustls::CertificateCompressionAlgorithm;
use rustls::compress::{
    BROTLI_DECOMPRESSOR, CertDecompressor, DecompressionFailed, ZLIB_DECOMPRESSOR,
};

static LAST: Mutex<String> = Mutex::new(String::new());

/// The decompressors of these names.
pub(crate) fn decompressors(
    names: &[String],
) -> Result<Vec<&'static dyn CertDecompressor>, String> {
    let named = |name: &String| match name.as_str() {
        "brotli" => Ok(&Brotli as &'static dyn CertDecompressor),
        "zlib" => Ok(&Zlib as _),
        _ => Err(format!("--compression {name}: brotli or zlib")),
    };
    names.iter().map(named).collect()
}

/// The form in which the certificate of the last connection came, with both sizes; empty when it was not compressed.
pub(crate) fn taken() -> String {
    std::mem::take(&mut LAST.lock().unwrap_or_else(PoisonError::into_inner))
}

fn note(name: &str, input: &[u8], output: &[u8]) {
    let text = format!("{name} {}/{}", input.len(), output.len());
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = text;
}

#[derive(Debug)]
struct Brotli;

impl CertDecompressor for Brotli {
    fn decompress(&self, input: &[u8], output: &mut [u8]) -> Result<(), DecompressionFailed> {
        note("brotli", input, output);
        BROTLI_DECOMPRESSOR.decompress(input, output)
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::Brotli
    }
}

#[derive(Debug)]
struct Zlib;

impl CertDecompressor for Zlib {
    fn decompress(&self, input: &[u8], output: &mut [u8]) -> Result<(), DecompressionFailed> {
        note("zlib", input, output);
        ZLIB_DECOMPRESSOR.decompress(input, output)
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::Zlib
    }
}
