// SPDX-License-Identifier: Apache-2.0
//! The compressed forms of one certificate message.

use std::sync::OnceLock;

use rustls::CertificateCompressionAlgorithm;
use rustls::sign::CertifiedKey;

use super::brotli;

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

    pub(super) fn is_made(&self) -> bool {
        self.0.get().is_some()
    }

    pub(super) fn form(&self, algorithm: CertificateCompressionAlgorithm) -> Option<&[u8]> {
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
pub(super) fn message(certified: &CertifiedKey) -> Vec<u8> {
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
