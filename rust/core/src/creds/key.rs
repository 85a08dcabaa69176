// SPDX-License-Identifier: Apache-2.0
//! Private keys: from a PEM file to rustls' `SigningKey`.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::sign::{any_ecdsa_type, any_eddsa_type, any_supported_type};
use rustls::sign::SigningKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::contents::{Damage, What, what};
use super::fault::Fault;
use super::pem::{self, Block};
use super::pss::PssKey;
use super::public_key::PublicKey;
use crate::x509::der::{Reader, SEQUENCE};

mod algorithm;
use algorithm::{Algorithm, Form, KeyAlgorithm, identify};

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
            Self::MlDsa(_) => 0,
            Self::Ecdsa(_) | Self::Ed25519 => 1,
            Self::RsaPss(_) => 2,
            Self::Rsa(_) => 3,
        }
    }

    /// Whether the suites of TLS 1.2 that it goes with are those of RSA.
    pub fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa(_) | Self::RsaPss(_))
    }

    /// Whether it signs in TLS 1.3 alone.
    pub fn needs_tls13(self) -> bool {
        matches!(self, Self::MlDsa(_))
    }

    /// Whether both would be chosen for the same clients.
    pub fn same_clients(self, other: Self) -> bool {
        let of_any_size = matches!(
            (self, other),
            (Self::Rsa(_), Self::Rsa(_)) | (Self::RsaPss(_), Self::RsaPss(_))
        );
        self == other || of_any_size
    }

    /// Whether both have the same place in OpenSSL, which keeps one certificate for all curves (ssl_cert_table.h).
    pub fn same_place(self, other: Self) -> bool {
        let curves = matches!((self, other), (Self::Ecdsa(_), Self::Ecdsa(_)));
        curves || self.same_clients(other)
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA-{bits}"),
            Self::RsaPss(bits) => write!(f, "RSASSA-PSS-{bits}"),
            Self::Ecdsa(bits) => write!(f, "ECDSA P-{bits}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::MlDsa(set) => write!(f, "ML-DSA-{set}"),
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
        pem::PemError::Joined(_) => Fault::Joined { file, line },
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
