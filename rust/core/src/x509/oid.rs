// SPDX-License-Identifier: Apache-2.0
//! Contents of object identifiers that more than one reader knows.

/// Keys: rsaEncryption and id-ecPublicKey (RFC 3279, 2.3), id-Ed25519 (RFC 8410, 3), id-ml-dsa-44 and its greater ones
/// (RFC 9881, 2). RSASSA-PSS stands beside its parameters, in `pss.rs`.
pub(crate) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
pub(crate) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
pub(crate) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
pub(crate) const ML_DSA_44: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17];
pub(crate) const ML_DSA_65: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18];
pub(crate) const ML_DSA_87: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19];

/// Curves (RFC 5480, 2.1.1.1) that AWS-LC knows.
pub(crate) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
pub(crate) const P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];
pub(crate) const P521: &[u8] = &[0x2b, 0x81, 4, 0, 0x23];
pub(crate) const SECP256K1: &[u8] = &[0x2b, 0x81, 4, 0, 0x0a];

/// ecdsa-with-SHA1 (RFC 3279, 2.2.3).
pub(crate) const ECDSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1];

/// Hashes (RFC 4055, 2.1).
pub(crate) const SHA1: &[u8] = &[0x2b, 0x0e, 3, 2, 0x1a];
pub(crate) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
pub(crate) const SHA384: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
pub(crate) const SHA512: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];
pub(crate) const SHA224: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4];

/// id-ce-subjectAltName (RFC 5280, 4.2.1.6).
pub(crate) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// id-ad-ocsp (RFC 5280, 4.2.2.1).
pub(crate) const OCSP_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1];
