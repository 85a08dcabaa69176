// SPDX-License-Identifier: Apache-2.0
//! The signature by which a peer proves that the key of its certificate is its own (RFC 8446, 4.4.3; RFC 5246, 7.4.8).

use rustls::client::danger::HandshakeSignatureValid;
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};
use rustls_pki_types::CertificateDer;

use super::keys::{Algorithm, Hash, Key, Kind};
use crate::tls::signatures::in_version;
use crate::x509::outline::Outline;

/// Checks a signature of TLS 1.3, where a scheme says the curve too and PKCS#1 signatures are no more.
pub(crate) fn verify_tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    use SignatureScheme as S;
    let key = key(certificate)?;
    let curve = match signed.scheme {
        S::ECDSA_NISTP256_SHA256 => Some(Kind::P256),
        S::ECDSA_NISTP384_SHA384 => Some(Kind::P384),
        S::ECDSA_NISTP521_SHA512 => Some(Kind::P521),
        S::RSA_PKCS1_SHA256 | S::RSA_PKCS1_SHA384 | S::RSA_PKCS1_SHA512 => {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        _ => None,
    };
    if curve.is_some_and(|curve| curve != key.kind) {
        return Err(bad_signature());
    }
    check(&key, message, signed)
}

/// Checks a signature of TLS 1.2, where there is no ML-DSA.
pub(crate) fn verify_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    if !in_version(signed.scheme, false) {
        return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
    }
    check(&key(certificate)?, message, signed)
}

fn check(
    key: &Key<'_>,
    message: &[u8],
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let algorithm = algorithm(signed.scheme, key.kind).ok_or_else(bad_signature)?;
    key.verify(algorithm, message, signed.signature())
        .map(|()| HandshakeSignatureValid::assertion())
        .map_err(|_| bad_signature())
}

/// What a scheme means for a key; `None` where it is not for such keys. The salt of PSS is as long as the hash (RFC 8446,
/// 4.2.3).
fn algorithm(scheme: SignatureScheme, key: Kind) -> Option<Algorithm> {
    use SignatureScheme as S;
    let for_pss = matches!(key, Kind::Rsa(_, true));
    let pss = |hash, salt, own: bool| (own == for_pss).then_some(Algorithm::Pss(hash, salt));
    match scheme {
        S::RSA_PKCS1_SHA256 => Some(Algorithm::Pkcs1(Hash::Sha256)),
        S::RSA_PKCS1_SHA384 => Some(Algorithm::Pkcs1(Hash::Sha384)),
        S::RSA_PKCS1_SHA512 => Some(Algorithm::Pkcs1(Hash::Sha512)),
        S::RSA_PSS_SHA256 => pss(Hash::Sha256, 32, false),
        S::RSA_PSS_SHA384 => pss(Hash::Sha384, 48, false),
        S::RSA_PSS_SHA512 => pss(Hash::Sha512, 64, false),
        S::Unknown(0x0809) => pss(Hash::Sha256, 32, true),
        S::Unknown(0x080a) => pss(Hash::Sha384, 48, true),
        S::Unknown(0x080b) => pss(Hash::Sha512, 64, true),
        S::ECDSA_NISTP256_SHA256 => Some(Algorithm::Ecdsa(Hash::Sha256)),
        S::ECDSA_NISTP384_SHA384 => Some(Algorithm::Ecdsa(Hash::Sha384)),
        S::ECDSA_NISTP521_SHA512 => Some(Algorithm::Ecdsa(Hash::Sha512)),
        S::ED25519 => Some(Algorithm::Ed25519),
        S::ML_DSA_44 => Some(Algorithm::MlDsa44),
        S::ML_DSA_65 => Some(Algorithm::MlDsa65),
        S::ML_DSA_87 => Some(Algorithm::MlDsa87),
        _ => None,
    }
}

fn key<'a>(certificate: &'a CertificateDer<'_>) -> Result<Key<'a>, Error> {
    let key = Outline::parse(certificate)
        .and_then(|outline| Key::parse(&outline.spki))
        .ok_or(CertificateError::BadEncoding)?;
    if key.kind == Kind::Other {
        return Err(CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: Vec::new(),
            supported_algorithms: Vec::new(),
        }
        .into());
    }
    Ok(key)
}

fn bad_signature() -> Error {
    Error::InvalidCertificate(CertificateError::BadSignature)
}
