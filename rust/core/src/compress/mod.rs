//! Compressed certificates (RFC 8879), made once for each certificate and never in a handshake.
//!
//! rustls compresses when a client asks, at the highest level, and remembers four results. Here its compressors only
//! look up what was made when the certificate was loaded; where that has yet to be made the certificate goes out as it
//! is, and its compressed forms are made when the handshake is over. Nothing is ever decompressed.

pub mod brotli;
mod huffman;
mod matches;

use std::sync::OnceLock;

use rustls::CertificateCompressionAlgorithm;
use rustls::compress::{CertCompressor, CompressionFailed, CompressionLevel};
use rustls::sign::CertifiedKey;

use crate::context;

/// The highest effort: each result serves as long as its certificate.
const ZLIB_LEVEL: u8 = 9;

/// The compressed forms of one certificate message, once they are made.
#[derive(Debug, Default)]
pub struct Packed(OnceLock<Forms>);

/// What is not shorter than the message itself is empty.
#[derive(Debug)]
struct Forms {
    brotli: Box<[u8]>,
    zlib: Box<[u8]>,
}

impl Packed {
    /// Makes the forms for the message that shows `certified`, unless they are made.
    pub fn pack(&self, certified: &CertifiedKey) {
        self.0.get_or_init(|| {
            let message = message(certified);
            let shorter = |form: Vec<u8>| match form.len() < message.len() {
                true => form.into_boxed_slice(),
                false => Box::default(),
            };
            let zlib = miniz_oxide::deflate::compress_to_vec_zlib(&message, ZLIB_LEVEL);
            Forms {
                brotli: shorter(brotli::compress(&message).unwrap_or_default()),
                zlib: shorter(zlib),
            }
        });
    }

    fn is_made(&self) -> bool {
        self.0.get().is_some()
    }

    fn form(&self, algorithm: CertificateCompressionAlgorithm) -> Option<&[u8]> {
        let forms = self.0.get()?;
        let form = match algorithm {
            CertificateCompressionAlgorithm::Brotli => &forms.brotli,
            _ => &forms.zlib,
        };
        (!form.is_empty()).then_some(form)
    }
}

/// RFC 8446 4.4.2: the body of the Certificate message in which rustls sends `certified` to a client. An OCSP response
/// stands in the entry of the server's own certificate.
fn message(certified: &CertifiedKey) -> Vec<u8> {
    let mut entries = Vec::new();
    for (index, certificate) in certified.cert.iter().enumerate() {
        put_long(&mut entries, certificate);
        let staple = certified.ocsp.as_deref().filter(|_| index == 0);
        let mut extensions = Vec::new();
        if let Some(response) = staple {
            extensions.extend([0, 5]); // status_request
            let mut status = vec![1]; // ocsp
            put_long(&mut status, response);
            put_short(&mut extensions, &status);
        }
        put_short(&mut entries, &extensions);
    }
    let mut message = vec![0]; // no context
    put_long(&mut message, &entries);
    message
}

fn put_long(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(
        bytes
            .len()
            .to_be_bytes()
            .iter()
            .skip(size_of::<usize>() - 3),
    );
    out.extend_from_slice(bytes);
}

fn put_short(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(
        bytes
            .len()
            .to_be_bytes()
            .iter()
            .skip(size_of::<usize>() - 2),
    );
    out.extend_from_slice(bytes);
}

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
