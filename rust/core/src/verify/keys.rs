// SPDX-License-Identifier: Apache-2.0
//! Public keys and the signatures that are verified with them: all that AWS-LC has and OpenSSL's security level 2 allows.
//!
//! | what certificates of the world have            | here                                                     |
//! |------------------------------------------------|----------------------------------------------------------|
//! | RSA of 1962 to 8192 bits, PKCS#1 and PSS       | SHA-256, SHA-384, SHA-512; PSS with any length of salt   |
//! | RSA below 1962 bits, signatures of SHA-1       | as in OpenSSL at its level 2: in a revocation list alone |
//! | ECDSA P-256, P-384, P-521                      | SHA-224, SHA-256, SHA-384, SHA-512                       |
//! | ECDSA secp256k1                                | SHA-256                                                  |
//! | Ed25519, ML-DSA                                | yes                                                      |
//! | RSA with SHA-224, RSA beyond 8192 bits         | not in the interface of AWS-LC for Rust                  |
//! | DSA, P-224, brainpool, Ed448, explicit curves  | not in AWS-LC's verification                             |

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{self as aws, RsaParameters, RsaPssSaltLength, VerificationAlgorithm};

use crate::x509::der::{BIT_STRING, Element, OID, Reader, SEQUENCE, modulus_bits};
use crate::x509::oid;
pub(crate) use crate::x509::pss::Hash;
use crate::x509::pss::{Limits, Parameters, RSASSA_PSS};

/// Bits of the shortest RSA key that OpenSSL's security level 2 (112 bits) takes.
pub(crate) const SHORTEST_RSA: usize = 1962;

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of so many bits; PSS alone where the flag is set.
    Rsa(usize, bool),
    P256,
    P384,
    P521,
    K256,
    Ed25519,
    MlDsa44,
    MlDsa65,
    MlDsa87,
    /// None that is known here.
    Other,
}

/// A public key.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// What it is.
    pub kind: Kind,
    /// Of an RSASSA-PSS key.
    limits: Limits,
    bits: &'a [u8],
}

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Pkcs1(Hash),
    /// With a salt of so many octets.
    Pss(Hash, u16),
    Ecdsa(Hash),
    Ed25519,
    MlDsa44,
    MlDsa65,
    MlDsa87,
    Other,
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not of this key.
    Wrong,
    /// Nobody here can tell.
    Unsupported,
}

impl<'a> Key<'a> {
    /// Reads a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7; RFC 3279, 4055, 5480, 8410, 9881).
    pub fn parse(spki: &Element<'a>) -> Option<Self> {
        let mut fields = Reader::new(spki.value);
        let mut algorithm = fields.enter(SEQUENCE)?;
        let (_, bits) = fields.require(BIT_STRING)?.value.split_first()?;
        let oid = algorithm.require(OID)?.value;
        let parameters = algorithm.any();
        let kind = match oid {
            oid::RSA => Kind::Rsa(modulus_bits(bits)?, false),
            RSASSA_PSS => Kind::Rsa(modulus_bits(bits)?, true),
            oid::EC => match parameters {
                Some(curve) if curve.tag == OID => named_curve(curve.value),
                _ => Kind::Other,
            },
            oid::ED25519 => Kind::Ed25519,
            oid::ML_DSA_44 => Kind::MlDsa44,
            oid::ML_DSA_65 => Kind::MlDsa65,
            oid::ML_DSA_87 => Kind::MlDsa87,
            _ => Kind::Other,
        };
        let limits = match kind {
            Kind::Rsa(_, true) => Limits::of(parameters.map(|element| element.value)),
            _ => Limits::None,
        };
        Some(Self { kind, limits, bits })
    }

    /// A name for the key: the same for all that check signatures alike, whatever else stands in their certificates.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(format!("{:?} {:?}", self.kind, self.limits).as_bytes());
        hash.update(self.bits);
        let mut name = [0; 32];
        let octets = hash.finish();
        name.iter_mut()
            .zip(octets.as_ref())
            .for_each(|(to, from)| *to = *from);
        name
    }

    /// Whether OpenSSL's security level 2 takes the key.
    pub fn is_strong(&self) -> bool {
        !matches!(self.kind, Kind::Rsa(bits, _) if bits < SHORTEST_RSA)
    }

    /// Units of [`super::work::Work`] that a check with this key takes, its message aside. Keys that are not accepted
    /// are never worked with, however long they are.
    pub fn cost(&self) -> u64 {
        match self.kind {
            Kind::Rsa(bits, _) => {
                let kilobits = u64::try_from(bits).unwrap_or(u64::MAX).min(8192) / 512;
                kilobits
                    .saturating_mul(kilobits)
                    .saturating_mul(2)
                    .saturating_add(10)
            }
            Kind::P256 | Kind::Ed25519 | Kind::MlDsa44 => 100,
            Kind::MlDsa65 | Kind::MlDsa87 => 200,
            Kind::P384 => 300,
            Kind::P521 | Kind::K256 => 600,
            Kind::Other => 1,
        }
    }

    /// Whether `signature` by `algorithm` over `message` is of this key.
    ///
    /// # Errors
    /// Why not.
    pub fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Fault> {
        let digest = algorithm.digest(message);
        self.verify_hashed(algorithm, digest.as_ref(), message, signature)
    }

    /// The same where `digest` is the message's by this algorithm, if it has one; the message is not hashed again.
    ///
    /// # Errors
    /// Why not.
    pub fn verify_hashed(
        &self,
        algorithm: Algorithm,
        digest: Option<&Digest>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Fault> {
        let check = |by: Option<&dyn VerificationAlgorithm>| {
            Some(by?.verify_digest_sig(self.bits, digest?, signature))
        };
        let verified = match (algorithm, self.kind) {
            (Algorithm::Pkcs1(hash), Kind::Rsa(bits, false)) => {
                let parameters = pkcs1(hash, bits);
                check(parameters.as_ref().map(|parameters| parameters as _))
            }
            (Algorithm::Pss(hash, salt), Kind::Rsa(bits, _)) if self.limits.admit(hash, salt) => {
                let parameters = pss(hash, bits, salt);
                check(parameters.as_ref().map(|parameters| parameters as _))
            }
            (Algorithm::Ecdsa(hash), kind) => {
                // RFC 5480, 2.2: other first octets are no point.
                if !matches!(self.bits.first(), Some(2..=4)) {
                    return Err(Fault::Wrong);
                }
                check(ecdsa(hash, kind))
            }
            (Algorithm::Ed25519, Kind::Ed25519) => {
                Some(aws::ED25519.verify_sig(self.bits, message, signature))
            }
            (Algorithm::MlDsa44, Kind::MlDsa44) => {
                Some(aws::ML_DSA_44.verify_sig(self.bits, message, signature))
            }
            (Algorithm::MlDsa65, Kind::MlDsa65) => {
                Some(aws::ML_DSA_65.verify_sig(self.bits, message, signature))
            }
            (Algorithm::MlDsa87, Kind::MlDsa87) => {
                Some(aws::ML_DSA_87.verify_sig(self.bits, message, signature))
            }
            _ => None,
        };
        match verified {
            None => Err(Fault::Unsupported),
            Some(checked) => checked.map_err(|_| Fault::Wrong),
        }
    }
}

fn named_curve(oid: &[u8]) -> Kind {
    match oid {
        oid::P256 => Kind::P256,
        oid::P384 => Kind::P384,
        oid::P521 => Kind::P521,
        oid::SECP256K1 => Kind::K256,
        _ => Kind::Other,
    }
}

impl Algorithm {
    /// Reads an AlgorithmIdentifier (RFC 3279, 4055, 5758, 8410).
    pub fn parse(identifier: &Element<'_>) -> Self {
        let mut fields = Reader::new(identifier.value);
        let Some(oid) = fields.take(OID) else {
            return Self::Other;
        };
        match oid {
            RSASSA_PSS => fields
                .take(SEQUENCE)
                .and_then(Parameters::parse)
                .map_or(Self::Other, |these| Self::Pss(these.hash, these.salt)),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, which] => match which {
                2..=4 => Self::Pkcs1(Hash::Other),
                5 => Self::Pkcs1(Hash::Sha1),
                11 => Self::Pkcs1(Hash::Sha256),
                12 => Self::Pkcs1(Hash::Sha384),
                13 => Self::Pkcs1(Hash::Sha512),
                14 => Self::Pkcs1(Hash::Sha224),
                _ => Self::Other,
            },
            oid::ECDSA_SHA1 => Self::Ecdsa(Hash::Sha1),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, which] => match which {
                1 => Self::Ecdsa(Hash::Sha224),
                2 => Self::Ecdsa(Hash::Sha256),
                3 => Self::Ecdsa(Hash::Sha384),
                4 => Self::Ecdsa(Hash::Sha512),
                _ => Self::Other,
            },
            oid::ED25519 => Self::Ed25519,
            oid::ML_DSA_44 => Self::MlDsa44,
            oid::ML_DSA_65 => Self::MlDsa65,
            oid::ML_DSA_87 => Self::MlDsa87,
            _ => Self::Other,
        }
    }

    /// The digest that is signed; `None` where there is none, or the message itself is.
    pub fn digest(self, message: &[u8]) -> Option<Digest> {
        match self {
            Self::Pkcs1(hash) | Self::Pss(hash, _) => hash.of(message),
            Self::Ecdsa(hash) => padded(hash, message),
            _ => None,
        }
    }

    /// Whether OpenSSL's security level 2 takes signatures by it.
    pub fn is_strong(self) -> bool {
        match self {
            Self::Pkcs1(hash) | Self::Pss(hash, _) | Self::Ecdsa(hash) => {
                !matches!(hash, Hash::Sha1 | Hash::Other)
            }
            _ => true,
        }
    }
}

fn pkcs1(hash: Hash, bits: usize) -> Option<RsaParameters> {
    match hash {
        Hash::Sha1 => Some(aws::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
        // Keys below 2048 bits: AWS-LC has these two.
        Hash::Sha256 if bits < 2048 => Some(aws::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
        Hash::Sha512 if bits < 2048 => Some(aws::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
        Hash::Sha256 if bits <= 8192 => Some(aws::RSA_PKCS1_2048_8192_SHA256),
        Hash::Sha384 if (2048..=8192).contains(&bits) => Some(aws::RSA_PKCS1_2048_8192_SHA384),
        Hash::Sha512 if bits <= 8192 => Some(aws::RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    }
}

fn pss(hash: Hash, bits: usize, salt: u16) -> Option<RsaParameters> {
    if !(2048..=8192).contains(&bits) {
        return None;
    }
    let parameters = match hash {
        Hash::Sha256 => aws::RSA_PSS_2048_8192_SHA256,
        Hash::Sha384 => aws::RSA_PSS_2048_8192_SHA384,
        Hash::Sha512 => aws::RSA_PSS_2048_8192_SHA512,
        Hash::Sha1 | Hash::Sha224 | Hash::Other => return None,
    };
    Some(parameters.with_pss_salt_length(RsaPssSaltLength::Custom(salt)))
}

/// AWS-LC's algorithm for a curve, and digests as [`padded`] makes them.
fn ecdsa(hash: Hash, kind: Kind) -> Option<&'static dyn VerificationAlgorithm> {
    use Hash::{Sha1, Sha224, Sha256, Sha384, Sha512};
    use Kind::{K256, P256, P384, P521};
    Some(match (kind, hash) {
        (P256, Sha1 | Sha224 | Sha256) => &aws::ECDSA_P256_SHA256_ASN1,
        (P256, Sha384) => &aws::ECDSA_P256_SHA384_ASN1,
        (P256, Sha512) => &aws::ECDSA_P256_SHA512_ASN1,
        (P384, Sha1 | Sha224 | Sha256) => &aws::ECDSA_P384_SHA256_ASN1,
        (P384, Sha384) => &aws::ECDSA_P384_SHA384_ASN1,
        (P384, Sha512) => &aws::ECDSA_P384_SHA512_ASN1,
        (P521, Sha1 | Sha224 | Sha256) => &aws::ECDSA_P521_SHA256_ASN1,
        (P521, Sha384) => &aws::ECDSA_P521_SHA384_ASN1,
        (P521, Sha512) => &aws::ECDSA_P521_SHA512_ASN1,
        (K256, Sha256) => &aws::ECDSA_P256K1_SHA256_ASN1,
        _ => return None,
    })
}

impl Hash {
    fn of(self, message: &[u8]) -> Option<Digest> {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => &digest::SHA224,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
            Self::Other => return None,
        };
        Some(digest::digest(algorithm, message))
    }
}

/// The digest of `message`; those shorter than 32 octets in that width. ECDSA takes a digest for a number (FIPS 186-5,
/// 6.4.2) and cuts only what is longer than the order of the curve, so that zeros before a shorter one change nothing.
fn padded(hash: Hash, message: &[u8]) -> Option<Digest> {
    let short = hash.of(message)?;
    if !matches!(hash, Hash::Sha1 | Hash::Sha224) {
        return Some(short);
    }
    let mut octets = [0_u8; 32];
    octets
        .iter_mut()
        .rev()
        .zip(short.as_ref().iter().rev())
        .for_each(|(to, from)| *to = *from);
    Digest::import_less_safe(&octets, &digest::SHA256).ok()
}
