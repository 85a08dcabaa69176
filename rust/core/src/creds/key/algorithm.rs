// SPDX-License-Identifier: Apache-2.0
//! What a private key is of, by its outer form alone.

use crate::tls::signatures::within;
use crate::x509::der::{INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, context, significant_bits};
use crate::x509::oid;
use crate::x509::pss::{self, Limits};

/// How the DER of a key is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// RFC 5958, `PRIVATE KEY`.
    Pkcs8,
    /// RFC 8017 A.1.2, `RSA PRIVATE KEY`.
    Pkcs1,
    /// RFC 5915, `EC PRIVATE KEY`.
    Sec1,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm<'a> {
    Rsa,
    /// With its RSAPrivateKey.
    RsaPss(&'a [u8], Limits),
    Ec,
    Ed25519,
    MlDsa(u16),
}

pub(super) enum KeyAlgorithm<'a> {
    /// With the bits of the modulus where it is RSA.
    Known(Algorithm<'a>, usize),
    Other(&'static str),
    Broken,
}

/// What the key in `der` is.
pub(super) fn identify(der: &[u8], form: Form) -> KeyAlgorithm<'_> {
    match form {
        Form::Pkcs8 => identify_pkcs8(der).unwrap_or(KeyAlgorithm::Broken),
        Form::Pkcs1 => modulus_bits(der).map_or(KeyAlgorithm::Broken, |n| {
            KeyAlgorithm::Known(Algorithm::Rsa, n)
        }),
        Form::Sec1 => identify_sec1(der).unwrap_or(KeyAlgorithm::Broken),
    }
}

/// RFC 5958 2: version, algorithm, key.
fn identify_pkcs8(der: &[u8]) -> Option<KeyAlgorithm<'_>> {
    let mut info = Reader::new(der).enter(SEQUENCE)?;
    info.take(INTEGER)?;
    let mut algorithm = info.enter(SEQUENCE)?;
    let key = info.take(OCTET_STRING)?;
    let oid = algorithm.take(OID)?;
    let Some((_, name)) = ALGORITHMS.iter().find(|(known, _)| *known == oid) else {
        return Some(KeyAlgorithm::Other("an algorithm that is not known here"));
    };
    Some(match *name {
        "RSA" => KeyAlgorithm::Known(Algorithm::Rsa, modulus_bits(key)?),
        "RSA-PSS" => {
            let limits = Limits::of(algorithm.any().map(|parameters| parameters.value));
            match within(limits) {
                [] => KeyAlgorithm::Other(
                    "RSASSA-PSS with a hash or a salt that no signature of TLS has: SHA-256, SHA-384 or SHA-512, and a \
                     salt that need not be longer",
                ),
                _ => KeyAlgorithm::Known(Algorithm::RsaPss(key, limits), modulus_bits(key)?),
            }
        }
        "EC" => identify_curve(algorithm),
        "Ed25519" => KeyAlgorithm::Known(Algorithm::Ed25519, 0),
        "ML-DSA-44" => KeyAlgorithm::Known(Algorithm::MlDsa(44), 0),
        "ML-DSA-65" => KeyAlgorithm::Known(Algorithm::MlDsa(65), 0),
        "ML-DSA-87" => KeyAlgorithm::Known(Algorithm::MlDsa(87), 0),
        other => KeyAlgorithm::Other(other),
    })
}

/// RFC 5915 3: version, key, `[0]` curve (which some leave out, since a PKCS#8 around it says it).
fn identify_sec1(der: &[u8]) -> Option<KeyAlgorithm<'_>> {
    let mut key = Reader::new(der).enter(SEQUENCE)?;
    key.take(INTEGER)?;
    key.take(OCTET_STRING)?;
    Some(match key.enter(context(0)) {
        Some(parameters) => identify_curve(parameters),
        None => KeyAlgorithm::Known(Algorithm::Ec, 0),
    })
}

/// RFC 5480 2.1.1: a named curve, or (long forbidden) all its numbers.
fn identify_curve(mut parameters: Reader<'_>) -> KeyAlgorithm<'_> {
    match parameters.take(OID) {
        Some(oid) => match CURVES.iter().find(|(known, _)| *known == oid) {
            Some((_, "")) => KeyAlgorithm::Known(Algorithm::Ec, 0),
            Some((_, name)) => KeyAlgorithm::Other(name),
            None => KeyAlgorithm::Other("an elliptic curve other than P-256, P-384 and P-521"),
        },
        // The library compares explicit numbers with those of the curves it knows.
        None => KeyAlgorithm::Known(Algorithm::Ec, 0),
    }
}

/// Bits of the modulus in an RSAPrivateKey.
fn modulus_bits(der: &[u8]) -> Option<usize> {
    let mut key = Reader::new(der).enter(SEQUENCE)?;
    key.take(INTEGER)?;
    significant_bits(key.take(INTEGER)?)
}

const ALGORITHMS: &[(&[u8], &str)] = &[
    (oid::RSA, "RSA"),
    (pss::RSASSA_PSS, "RSA-PSS"),
    (oid::EC, "EC"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1], "DSA"),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 3, 1],
        "Diffie-Hellman",
    ),
    (&[0x2b, 0x65, 0x6e], "X25519"),
    (&[0x2b, 0x65, 0x6f], "X448"),
    (oid::ED25519, "Ed25519"),
    (&[0x2b, 0x65, 0x71], "Ed448"),
    (oid::ML_DSA_44, "ML-DSA-44"),
    (oid::ML_DSA_65, "ML-DSA-65"),
    (oid::ML_DSA_87, "ML-DSA-87"),
];

/// Curves by OID; those without a name are usable.
const CURVES: &[(&[u8], &str)] = &[
    (oid::P256, ""),
    (oid::P384, ""),
    (oid::P521, ""),
    (oid::SECP256K1, "secp256k1"),
    (&[0x2b, 0x81, 4, 0, 0x21], "P-224"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1], "P-192"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7], "brainpoolP256r1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 11], "brainpoolP384r1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 13], "brainpoolP512r1"),
];
