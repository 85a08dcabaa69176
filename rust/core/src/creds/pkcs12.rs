// SPDX-License-Identifier: Apache-2.0
//! PKCS#12 (RFC 7292): certificates and keys in one file under a pass phrase, which is what Windows exports as `.pfx`.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::borrow::Cow;

use aws_lc_rs::{digest, hmac};
use zeroize::Zeroizing;

use super::ber;
use super::contents::{What, what};
use super::encryption_fault::Pkcs12Fault;
use super::pbe::{self, Scheme};
use crate::x509::der::{INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, context};
use crate::x509::oid;

/// What such a file holds.
#[derive(Debug, Default)]
pub(super) struct Bags {
    /// Private keys, PKCS#8 in DER.
    pub keys: Vec<Zeroizing<Vec<u8>>>,
    /// Certificates, DER.
    pub certificates: Vec<Vec<u8>>,
}

/// A file that was read as far as that goes without its pass phrase.
pub(super) struct Sealed<'a> {
    content: &'a [u8],
    hash: &'static digest::Algorithm,
    mac: &'a [u8],
    salt: &'a [u8],
    rounds: u32,
}

/// 1.2.840.113549.1.7.1 and .6
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const ENCRYPTED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6];
/// 1.2.840.113549.1.12.10.1
const BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1];
/// 1.2.840.113549.1.9.22.1
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 22, 1];
/// `[0] IMPLICIT OCTET STRING`
const IMPLICIT_0: u8 = 0x80;

const HASHES: &[(&[u8], &digest::Algorithm)] = &[
    (oid::SHA1, &digest::SHA1_FOR_LEGACY_USE_ONLY),
    (oid::SHA256, &digest::SHA256),
    (oid::SHA384, &digest::SHA384),
    (oid::SHA512, &digest::SHA512),
];

/// Safe contents may hold safe contents; nobody nests them.
const DEEPEST: usize = 4;

impl<'a> Sealed<'a> {
    /// Reads the wrapping.
    ///
    /// # Errors
    /// What about it is not supported, or that it is damaged.
    pub(super) fn read(file: &'a [u8]) -> Result<Self, Pkcs12Fault> {
        let mut pfx = Reader::new(file)
            .enter(SEQUENCE)
            .ok_or(Pkcs12Fault::Damaged)?;
        pfx.take(INTEGER).ok_or(Pkcs12Fault::Damaged)?;
        let mut safe = pfx.enter(SEQUENCE).ok_or(Pkcs12Fault::Damaged)?;
        if safe.take(OID) != Some(DATA) {
            return Err(Pkcs12Fault::Signed);
        }
        let content = safe
            .enter(context(0))
            .and_then(|mut c| c.take(OCTET_STRING));
        let content = content.ok_or(Pkcs12Fault::Damaged)?;
        let mut mac = pfx.enter(SEQUENCE).ok_or(Pkcs12Fault::NoMac)?;
        let mut info = mac.enter(SEQUENCE).ok_or(Pkcs12Fault::Damaged)?;
        let oid = info.enter(SEQUENCE).and_then(|mut a| a.take(OID));
        let hash = HASHES.iter().find(|(known, _)| Some(*known) == oid);
        let (_, hash) = hash.ok_or(Pkcs12Fault::UnknownMac)?;
        let value = info.take(OCTET_STRING).ok_or(Pkcs12Fault::Damaged)?;
        let salt = mac.take(OCTET_STRING).ok_or(Pkcs12Fault::Damaged)?;
        let rounds = mac.take(INTEGER).map_or(Ok(1), pbe::rounds)?;
        Ok(Sealed {
            content,
            hash,
            mac: value,
            salt,
            rounds,
        })
    }

    /// What it holds; `Ok(None)` where the pass phrase is wrong.
    ///
    /// # Errors
    /// What within it is not supported, or damaged.
    pub(super) fn open(&self, phrase: &[u8]) -> Result<Option<Bags>, Pkcs12Fault> {
        // No pass phrase is the empty one to some, and none at all to others.
        let wide = pbe::wide(phrase);
        let ways = [&wide[..], &[]];
        let ways = ways.iter().take(if phrase.is_empty() { 2 } else { 1 });
        if !ways.into_iter().any(|way| self.is_right(way)) {
            return Ok(None);
        }
        let mut bags = Bags::default();
        let told = ber::in_der(self.content);
        let content = told.as_ref().map_or(self.content, |told| &told[..]);
        let mut parts = Reader::new(content)
            .enter(SEQUENCE)
            .ok_or(Pkcs12Fault::Damaged)?;
        while let Some(mut part) = parts.enter(SEQUENCE) {
            let kind = part.take(OID);
            let mut content = part.enter(context(0)).ok_or(Pkcs12Fault::Damaged)?;
            if kind == Some(DATA) {
                let safe = content.take(OCTET_STRING).ok_or(Pkcs12Fault::Damaged)?;
                let told = ber::in_der(safe);
                collect(
                    told.as_ref().map_or(safe, |told| &told[..]),
                    phrase,
                    &mut bags,
                    DEEPEST,
                )?;
            } else if kind == Some(ENCRYPTED) {
                let safe = decrypt(content, phrase)?;
                let safe = ber::in_der(&safe).unwrap_or(safe);
                collect(&safe, phrase, &mut bags, DEEPEST)?;
            } else {
                return Err(Pkcs12Fault::ForCertificate);
            }
        }
        Ok(Some(bags))
    }

    fn is_right(&self, phrase: &[u8]) -> bool {
        let length = self.hash.output_len();
        let key = pbe::pkcs12(self.hash, 3, phrase, self.salt, self.rounds, length);
        let algorithm = match length {
            20 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            32 => hmac::HMAC_SHA256,
            48 => hmac::HMAC_SHA384,
            _ => hmac::HMAC_SHA512,
        };
        hmac::verify(&hmac::Key::new(algorithm, &key), self.content, self.mac).is_ok()
    }
}

/// RFC 2315 13: EncryptedData.
fn decrypt(mut content: Reader<'_>, phrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, Pkcs12Fault> {
    let parts = || {
        let mut data = content.enter(SEQUENCE)?;
        data.take(INTEGER)?;
        let mut info = data.enter(SEQUENCE)?;
        info.take(OID)?;
        let algorithm = info.peek(SEQUENCE)?;
        info.take(SEQUENCE)?;
        let data = match info.take(IMPLICIT_0) {
            Some(data) => Cow::Borrowed(data),
            // In pieces, which a reader of elements cannot tell from an explicit tag.
            None => {
                let mut pieces = info.enter(context(0))?;
                let pieces: Vec<_> = std::iter::from_fn(|| pieces.take(OCTET_STRING)).collect();
                Cow::Owned(pieces.concat())
            }
        };
        Some((algorithm, data))
    };
    let mut parts = parts;
    let (algorithm, data) = parts().ok_or(Pkcs12Fault::Damaged)?;
    let scheme = Scheme::read(algorithm)?;
    scheme.open(phrase, &data).ok_or(Pkcs12Fault::Damaged)
}

/// RFC 7292 4.2: the bags of safe contents.
fn collect(safe: &[u8], phrase: &[u8], bags: &mut Bags, deepest: usize) -> Result<(), Pkcs12Fault> {
    let mut list = Reader::new(safe)
        .enter(SEQUENCE)
        .ok_or(Pkcs12Fault::Damaged)?;
    while let Some(mut bag) = list.enter(SEQUENCE) {
        let kind = bag.take(OID).and_then(|oid| oid.strip_prefix(BAG));
        let value = bag.take(context(0)).ok_or(Pkcs12Fault::Damaged)?;
        match kind {
            Some([1]) => bags.keys.push(Zeroizing::new(value.to_vec())),
            Some([2]) => {
                let mut info = Reader::new(value)
                    .enter(SEQUENCE)
                    .ok_or(Pkcs12Fault::Damaged)?;
                let algorithm = info.peek(SEQUENCE).ok_or(Pkcs12Fault::Damaged)?;
                info.take(SEQUENCE);
                let data = info.take(OCTET_STRING).ok_or(Pkcs12Fault::Damaged)?;
                let key = Scheme::read(algorithm)?.open(phrase, data);
                bags.keys.push(key.ok_or(Pkcs12Fault::OtherPhrase)?);
            }
            Some([3]) => {
                let mut certificate = Reader::new(value)
                    .enter(SEQUENCE)
                    .ok_or(Pkcs12Fault::Damaged)?;
                let is_x509 = certificate.take(OID) == Some(X509);
                let der = certificate
                    .enter(context(0))
                    .and_then(|mut c| c.take(OCTET_STRING));
                let der = der.filter(|der| is_x509 && what(der) == What::Certificate);
                bags.certificates.extend(der.map(<[u8]>::to_vec));
            }
            Some([6]) if deepest > 0 => collect(value, phrase, bags, deepest.saturating_sub(1))?,
            _ => {}
        }
    }
    Ok(())
}
