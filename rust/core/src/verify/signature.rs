//! The signature by which a client proves that the key of its certificate is its own (RFC 8446, 4.4.3; RFC 5246, 7.4.8).

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::{CertificateError, DigitallySignedStruct, Error};
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use webpki::{EndEntityCert, RawPublicKeyEntity};

use crate::x509::Certificate;

/// Checks a signature of TLS 1.3.
pub fn verify_tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    if EndEntityCert::try_from(certificate).is_ok() {
        return verify_tls13_signature(message, certificate, signed, algorithms);
    }
    let key = bare_key(certificate)?;
    verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
}

/// Checks a signature of TLS 1.2.
pub fn verify_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    if EndEntityCert::try_from(certificate).is_ok() {
        return verify_tls12_signature(message, certificate, signed, algorithms);
    }
    let key = bare_key(certificate)?;
    let entity = RawPublicKeyEntity::try_from(&key).map_err(|_| bad_signature())?;
    let candidates = algorithms
        .mapping
        .iter()
        .find(|(scheme, _)| *scheme == signed.scheme);
    let (_, candidates) = candidates.ok_or_else(bad_signature)?;
    let fits = |algorithm: &&_| {
        entity
            .verify_signature(**algorithm, message, signed.signature())
            .is_ok()
    };
    if candidates.iter().any(|algorithm| fits(&algorithm)) {
        Ok(HandshakeSignatureValid::assertion())
    } else {
        Err(bad_signature())
    }
}

/// The key of a certificate that webpki refuses to read (version 1, odd serial numbers). Such a certificate is never
/// trusted, but a policy that lets strangers live still wants to know that they hold their key.
fn bare_key(certificate: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'static>, Error> {
    let parsed = Certificate::parse(certificate);
    let unreadable = || Error::InvalidCertificate(CertificateError::BadEncoding);
    parsed
        .map(|parsed| parsed.spki().to_vec().into())
        .ok_or_else(unreadable)
}

fn bad_signature() -> Error {
    Error::InvalidCertificate(CertificateError::BadSignature)
}
