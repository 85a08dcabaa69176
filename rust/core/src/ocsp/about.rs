// SPDX-License-Identifier: Apache-2.0
//! A certificate and its issuer, as OCSP names them.

use aws_lc_rs::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

use super::fault::Fault;
use crate::x509::Certificate;
use crate::x509::canonical::is_one_name;
use crate::x509::der::{INTEGER, OCTET_STRING, OID, Reader, SEQUENCE};
use crate::x509::oid;
use crate::x509::outline::public_key_bits;

/// id-pe-authorityInfoAccess as extensions are listed.
const ACCESS: &str = "1.3.6.1.5.5.7.1.1";

/// uniformResourceIdentifier of a GeneralName (RFC 5280, 4.2.1.6).
const URI: u8 = 0x86;

/// The longest address of a responder that is believed to be one.
const LONGEST_URL: usize = 2048;

/// A certificate with the one of its issuer.
pub(super) struct About<'a> {
    pub(super) leaf: Certificate<'a>,
    pub(super) issuer: Certificate<'a>,
    key_bits: &'a [u8],
}

/// Hashes of issuer's name and key.
pub(super) struct Hashes {
    pub(super) name: aws_lc_rs::digest::Digest,
    pub(super) key: aws_lc_rs::digest::Digest,
}

impl<'a> About<'a> {
    /// Reads both (DER); that `issuer` signed `leaf` is not looked at.
    pub(super) fn parse(leaf: &'a [u8], issuer: &'a [u8]) -> Result<Self, Fault> {
        let leaf = Certificate::parse(leaf).ok_or(Fault::Foreign)?;
        let issuer = Certificate::parse(issuer).ok_or(Fault::NoIssuer)?;
        let key_bits = public_key_bits(issuer.spki()).ok_or(Fault::NoIssuer)?;
        if !is_one_name(leaf.issuer_der(), issuer.subject_der()) {
            return Err(Fault::NoIssuer);
        }
        Ok(Self {
            leaf,
            issuer,
            key_bits,
        })
    }

    /// What a CertID by this hash has of the issuer (RFC 6960 4.1.1).
    pub(super) fn hashes(&self, hash: &'static Algorithm) -> Hashes {
        Hashes {
            name: digest(hash, self.leaf.issuer_der()),
            key: digest(hash, self.key_bits),
        }
    }

    /// A reader of CertIDs.
    pub(super) fn matcher(&self) -> Matcher<'_, 'a> {
        Matcher {
            about: self,
            sha1: self.hashes(&SHA1_FOR_LEGACY_USE_ONLY),
            sha256: self.hashes(&SHA256),
        }
    }
}

/// Longest serial number that is asked about, in octets; RFC 5280, 4.1.2.2, allows 20. A longer one would make a question
/// that responders do not answer, as if they were gone.
const LONGEST_SERIAL: usize = 64;

/// Tells whether a CertID is the certificate's: each hash is made once.
pub(super) struct Matcher<'m, 'a> {
    about: &'m About<'a>,
    sha1: Hashes,
    sha256: Hashes,
}

impl Matcher<'_, '_> {
    /// `None` where it cannot be read. One of another hash is taken to be another certificate's.
    pub(super) fn is_it(&self, mut id: Reader<'_>) -> Option<bool> {
        let algorithm = id.enter(SEQUENCE)?.take(OID)?;
        let (name, key) = (id.take(OCTET_STRING)?, id.take(OCTET_STRING)?);
        let serial = id.take(INTEGER)?;
        let hashes = match algorithm {
            oid::SHA1 => &self.sha1,
            oid::SHA256 => &self.sha256,
            _ => return Some(false),
        };
        Some(
            serial == self.about.leaf.serial
                && hashes.name.as_ref() == name
                && hashes.key.as_ref() == key,
        )
    }
}

/// What a certificate (DER) is known by wherever its status is kept: SHA-256 over the whole of it and of its issuer's.
/// Nothing less will do: who may ask can make up either, with a name, a key and a serial number of another's, and where a
/// certificate says that its status is to be asked for is part of it. `None` where one cannot be read, or `issuer` does not
/// have the name of who issued it, or its serial number is one that no authority gives.
pub fn key(leaf: &[u8], issuer: &[u8]) -> Option<[u8; 32]> {
    let about = About::parse(leaf, issuer).ok()?;
    (about.leaf.serial.len() <= LONGEST_SERIAL).then_some(())?;
    let mut hash = Context::new(&SHA256);
    for part in [leaf, issuer] {
        hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finish().as_ref().try_into().ok()
}

/// The address of the OCSP responder that a certificate (DER) names: the first (RFC 5280, 4.2.2.1). `None` where it names
/// none that could be one.
pub fn responder(leaf: &[u8]) -> Option<String> {
    let leaf = Certificate::parse(leaf)?;
    let access = leaf.extensions().find(|e| e.dotted == ACCESS)?;
    let mut descriptions = Reader::new(access.value).enter(SEQUENCE)?;
    let mut found = std::iter::from_fn(|| descriptions.enter(SEQUENCE)).filter_map(|mut one| {
        let of_ocsp = one.take(OID)? == oid::OCSP_ACCESS;
        of_ocsp.then(|| one.take(URI)).flatten()
    });
    let url = found.next()?;
    let fits = url.len() <= LONGEST_URL && url.iter().all(u8::is_ascii_graphic);
    String::from_utf8(url.to_vec()).ok().filter(|_| fits)
}
