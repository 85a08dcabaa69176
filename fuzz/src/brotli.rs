// SPDX-License-Identifier: Apache-2.0
//! The encoder of certificate chains against the decoder that everybody uses.

use mod_tls_core::compress::brotli::compress;
use rustls::CertificateCompressionAlgorithm;
use rustls::compress::default_cert_decompressors;

/// Whatever is compressed is what comes out again.
pub fn brotli(data: &[u8]) {
    let Some(packed) = compress(data) else {
        assert!(
            data.is_empty() || data.len() > 65_000,
            "{} octets are not compressed",
            data.len()
        );
        return;
    };
    assert!(
        packed.len() <= data.len() + data.len() / 8 + 64,
        "{} octets became {}",
        data.len(),
        packed.len()
    );
    let all = default_cert_decompressors();
    let brotli = all
        .iter()
        .find(|one| one.algorithm() == CertificateCompressionAlgorithm::Brotli);
    let mut back = vec![0; data.len()];
    assert!(brotli.is_some_and(|brotli| brotli.decompress(&packed, &mut back).is_ok()));
    assert_eq!(back, data);
}
