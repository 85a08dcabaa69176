// SPDX-License-Identifier: Apache-2.0
//! Private keys: from a PEM file to rustls' `SigningKey`.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::sign::{any_ecdsa_type, any_eddsa_type, any_supported_type};
use rustls::sign::SigningKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::contents::{Damage, What, what};
use super::pem::{self, Block};
use super::problem::Fault;
use super::pss::PssKey;
use super::public_key::PublicKey;
use crate::tls::signatures::within;
use crate::x509::der::{INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, context, significant_bits};
use crate::x509::pss::{self, Limits};

/// What a key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA with a modulus of so many bits.
    Rsa(usize),
    /// The same, for RSASSA-PSS alone.
    RsaPss(usize),
    /// ECDSA on this curve, by its size.
    Ecdsa(u16),
    /// Ed25519.
    Ed25519,
    /// ML-DSA (FIPS 204), by the number of its parameter set: 44, 65 or 87.
    MlDsa(u16),
}

impl KeyKind {
    /// In which order certificates are tried: who offers ML-DSA means it; ECDSA and Ed25519 cost the server less than RSA.
    /// OpenSSL's clients prefer keys for RSASSA-PSS alone to others of RSA.
    pub fn rank(self) -> u8 {
        match self {
            KeyKind::MlDsa(_) => 0,
            KeyKind::Ecdsa(_) | KeyKind::Ed25519 => 1,
            KeyKind::RsaPss(_) => 2,
            KeyKind::Rsa(_) => 3,
        }
    }

    /// Whether it signs in TLS 1.3 alone.
    pub fn needs_tls13(self) -> bool {
        matches!(self, KeyKind::MlDsa(_))
    }

    /// Whether both would be chosen for the same clients.
    pub fn same_clients(self, other: KeyKind) -> bool {
        let of_any_size = matches!(
            (self, other),
            (KeyKind::Rsa(_), KeyKind::Rsa(_)) | (KeyKind::RsaPss(_), KeyKind::RsaPss(_))
        );
        self == other || of_any_size
    }

    /// Whether both have the same place in OpenSSL, which keeps one certificate for all curves (ssl_cert_table.h).
    pub fn same_place(self, other: KeyKind) -> bool {
        let curves = matches!((self, other), (KeyKind::Ecdsa(_), KeyKind::Ecdsa(_)));
        curves || self.same_clients(other)
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyKind::Rsa(bits) => write!(f, "RSA-{bits}"),
            KeyKind::RsaPss(bits) => write!(f, "RSASSA-PSS-{bits}"),
            KeyKind::Ecdsa(bits) => write!(f, "ECDSA P-{bits}"),
            KeyKind::Ed25519 => f.write_str("Ed25519"),
            KeyKind::MlDsa(set) => write!(f, "ML-DSA-{set}"),
        }
    }
}

/// A key that can sign.
#[derive(Clone)]
pub struct PrivateKey {
    /// What signs; the only thing that holds the secret.
    pub signing: Arc<dyn SigningKey>,
    /// Kind and size.
    pub kind: KeyKind,
    /// The public key.
    pub public: PublicKey,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.kind)
    }
}

/// A key as found in a file.
pub enum FoundKey<'a> {
    /// A key that needs no pass phrase.
    Plain(PrivateKey),
    /// What a pass phrase opens.
    Encrypted(Sealed<'a>),
}

/// An encrypted key.
#[derive(Clone, Copy)]
pub enum Sealed<'a> {
    /// A block of PEM, encrypted as a whole or in OpenSSL's old manner.
    Block(Block<'a>),
    /// PKCS#8 in DER.
    Der(&'a [u8]),
    /// PKCS#12.
    Pkcs12(&'a [u8]),
}

/// The first private key of a file in PEM, or the one of a file in DER; parameters and certificates around it are passed
/// over. How a key is laid out its octets say: labels lie.
///
/// # Errors
/// A row of the fault table when there is none or it cannot be used.
pub fn find_key<'a>(name: &str, file: &'a [u8]) -> Result<FoundKey<'a>, Fault> {
    let mut other = None;
    let mut blocks = pem::blocks(file);
    for block in blocks.by_ref() {
        let block = block.map_err(|e| pem_fault(name, e))?;
        if !is_key(block.label) {
            other = other.or_else(|| explain_label(name, block.label));
            continue;
        }
        if is_encrypted(&block) {
            return Ok(FoundKey::Encrypted(Sealed::Block(block)));
        }
        let der = block.decode().map_err(|e| pem_fault(name, e))?;
        return match what(&der) {
            What::EncryptedKey => Ok(FoundKey::Encrypted(Sealed::Block(block))),
            _ => read_key(name, &der).map(FoundKey::Plain),
        };
    }
    match what(file) {
        What::EncryptedKey => return Ok(FoundKey::Encrypted(Sealed::Der(file))),
        What::Pkcs12 => return Ok(FoundKey::Encrypted(Sealed::Pkcs12(file))),
        What::Pkcs8 | What::Pkcs1 | What::Sec1 | What::Dsa => {
            return read_key(name, file).map(FoundKey::Plain);
        }
        _ => {}
    }
    if let Some(line) = blocks.lost().first().filter(|_| other.is_none()) {
        other = Some(Fault::Unseen {
            file: name.to_owned(),
            line: *line,
        });
    }
    Err(other.unwrap_or_else(|| Fault::NoKey {
        file: name.to_owned(),
    }))
}

/// Whether a block is a private key, of OpenSSL's labels.
pub fn is_key(label: &str) -> bool {
    label.ends_with("PRIVATE KEY") && !label.starts_with("OPENSSH") && !label.starts_with("PGP")
}

/// Whether the block is encrypted in the traditional manner (RFC 1421 4.6.1.1).
pub fn is_encrypted(block: &Block<'_>) -> bool {
    block
        .header("Proc-Type")
        .is_some_and(|v| v.replace(' ', "") == "4,ENCRYPTED")
}

/// What the file's other blocks are, where that explains the missing key.
fn explain_label(name: &str, label: &str) -> Option<Fault> {
    let file = name.to_owned();
    match label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Some(Fault::OnlyPublicKey { file }),
        "OPENSSH PRIVATE KEY" => Some(Fault::OpenSshKey { file }),
        _ => None,
    }
}

/// The fault that a damaged PEM file is.
pub fn pem_fault(name: &str, error: pem::PemError) -> Fault {
    let (file, line) = (name.to_owned(), error.line());
    match error {
        pem::PemError::NoEnd(_) => Fault::NoEnd { file, line },
        pem::PemError::NotBase64(_) => Fault::NotBase64 { file, line },
    }
}

/// The fault that a damaged block is.
pub fn damage_fault(name: &str, damage: Damage) -> Fault {
    match damage {
        Damage::Pem(error) => pem_fault(name, error),
        Damage::Headers(line) => Fault::Headers {
            file: name.to_owned(),
            line,
        },
    }
}

/// How the DER of a key is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// RFC 5958, `PRIVATE KEY`.
    Pkcs8,
    /// RFC 8017 A.1.2, `RSA PRIVATE KEY`.
    Pkcs1,
    /// RFC 5915, `EC PRIVATE KEY`.
    Sec1,
}

/// Makes a signing key of DER bytes, which stay the caller's to wipe.
///
/// # Errors
/// A row of the fault table when the key is of a kind or size that cannot be used, or damaged.
pub fn read_key(name: &str, der: &[u8]) -> Result<PrivateKey, Fault> {
    let bad = |cause: &str| Fault::BadKey {
        file: name.to_owned(),
        cause: cause.to_owned(),
    };
    let unsupported = |kind: &str| Fault::UnsupportedKey {
        file: name.to_owned(),
        kind: kind.to_owned(),
    };
    let form = match what(der) {
        What::Pkcs8 => Form::Pkcs8,
        What::Pkcs1 => Form::Pkcs1,
        What::Sec1 => Form::Sec1,
        What::Dsa => return Err(unsupported("DSA")),
        _ => return Err(bad("it is damaged")),
    };
    // What follows the key does not belong to it.
    let der = Reader::new(der).peek(SEQUENCE).unwrap_or(der);
    let (algorithm, size) = match identify(der, form) {
        KeyAlgorithm::Known(algorithm, bits) => (algorithm, bits),
        KeyAlgorithm::Other(kind) => return Err(unsupported(kind)),
        KeyAlgorithm::Broken => return Err(bad("it is damaged")),
    };
    if matches!(algorithm, Algorithm::Rsa | Algorithm::RsaPss(..)) && !(2048..=8192).contains(&size)
    {
        return Err(Fault::RsaSize {
            file: name.to_owned(),
            bits: size,
        });
    }
    // Borrowed: rustls' own types for keys do not wipe what they own.
    let key = match form {
        Form::Pkcs8 => PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der)),
        Form::Pkcs1 => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(der)),
        Form::Sec1 => PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(der)),
    };
    let signing = match (algorithm, &key) {
        (Algorithm::RsaPss(rsa, limits), _) => PssKey::new(rsa, limits)
            .map(|key| Arc::new(key) as Arc<dyn SigningKey>)
            .ok_or_else(|| rustls::Error::General(String::new())),
        (Algorithm::Rsa, _) => any_supported_type(&key),
        (Algorithm::Ec, _) => any_ecdsa_type(&key),
        (Algorithm::Ed25519, PrivateKeyDer::Pkcs8(pkcs8)) => any_eddsa_type(pkcs8),
        (Algorithm::MlDsa(_), PrivateKeyDer::Pkcs8(_)) => any_supported_type(&key),
        (Algorithm::Ed25519 | Algorithm::MlDsa(_), _) => return Err(bad("it is damaged")),
    }
    .map_err(|_| match algorithm {
        Algorithm::Ec => {
            unsupported("an elliptic curve other than P-256, P-384 and P-521, or a damaged key")
        }
        Algorithm::MlDsa(_) => {
            bad("its seed and its expanded key do not belong together, or it is damaged")
        }
        _ => bad("its numbers do not belong together"),
    })?;
    let public = signing
        .public_key()
        .and_then(|spki| PublicKey::of(spki.as_ref()));
    let public = public.ok_or_else(|| bad("it has no public key"))?;
    let kind = match algorithm {
        Algorithm::Rsa => KeyKind::Rsa(size),
        Algorithm::RsaPss(..) => KeyKind::RsaPss(size),
        Algorithm::Ed25519 => KeyKind::Ed25519,
        Algorithm::MlDsa(set) => KeyKind::MlDsa(set),
        // An uncompressed point: 04, then two coordinates.
        Algorithm::Ec => match public.bits.len() {
            65 => KeyKind::Ecdsa(256),
            97 => KeyKind::Ecdsa(384),
            _ => KeyKind::Ecdsa(521),
        },
    };
    Ok(PrivateKey {
        signing,
        kind,
        public,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm<'a> {
    Rsa,
    /// With its RSAPrivateKey.
    RsaPss(&'a [u8], Limits),
    Ec,
    Ed25519,
    MlDsa(u16),
}

enum KeyAlgorithm<'a> {
    /// With the bits of the modulus where it is RSA.
    Known(Algorithm<'a>, usize),
    Other(&'static str),
    Broken,
}

fn identify(der: &[u8], form: Form) -> KeyAlgorithm<'_> {
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
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1], "RSA"),
    (pss::RSASSA_PSS, "RSA-PSS"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], "EC"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1], "DSA"),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 3, 1],
        "Diffie-Hellman",
    ),
    (&[0x2b, 0x65, 0x6e], "X25519"),
    (&[0x2b, 0x65, 0x6f], "X448"),
    (&[0x2b, 0x65, 0x70], "Ed25519"),
    (&[0x2b, 0x65, 0x71], "Ed448"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17], "ML-DSA-44"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18], "ML-DSA-65"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19], "ML-DSA-87"),
];

/// Curves by OID; those without a name are usable.
const CURVES: &[(&[u8], &str)] = &[
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], ""),
    (&[0x2b, 0x81, 4, 0, 0x22], ""),
    (&[0x2b, 0x81, 4, 0, 0x23], ""),
    (&[0x2b, 0x81, 4, 0, 0x0a], "secp256k1"),
    (&[0x2b, 0x81, 4, 0, 0x21], "P-224"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1], "P-192"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7], "brainpoolP256r1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 11], "brainpoolP384r1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 13], "brainpoolP512r1"),
];
