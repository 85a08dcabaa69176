// SPDX-License-Identifier: Apache-2.0
//! RSASSA-PSS in certificates and keys (RFC 4055): a key may be for nothing else, and may say with which hash.

use super::der::{INTEGER, OID, Reader, SEQUENCE, context, number};
use super::oid;

/// Content of id-RSASSA-PSS.
pub(crate) const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];

/// How a message was hashed before it was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// In lists alone, as in OpenSSL.
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    /// MD5 and others.
    Other,
}

/// RSASSA-PSS-params.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Of the message, and of the mask.
    pub hash: Hash,
    /// Octets of the salt; of a key, the fewest that it takes.
    pub salt: u16,
}

impl Parameters {
    /// Reads the content of the sequence (RFC 4055, 3.1): where nothing is said it is SHA-1 with a salt of 20 octets.
    /// `None` where two hashes are named, or it cannot be read.
    pub fn parse(content: &[u8]) -> Option<Self> {
        let mut fields = Reader::new(content);
        let hash = match fields.enter(context(0)) {
            Some(mut identifier) => hash_of(identifier.take(SEQUENCE)?)?,
            None => Hash::Sha1,
        };
        let mask = match fields.enter(context(1)) {
            Some(mut identifier) => {
                let mut mask = identifier.enter(SEQUENCE)?;
                let is_mgf1 = mask.take(OID)? == [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
                is_mgf1.then_some(())?;
                hash_of(mask.take(SEQUENCE)?)?
            }
            None => Hash::Sha1,
        };
        let salt = match fields.enter(context(2)) {
            Some(mut salt) => u16::try_from(natural(salt.take(INTEGER)?)?).ok()?,
            None => 20,
        };
        let trailer = match fields.enter(context(3)) {
            Some(mut trailer) => natural(trailer.take(INTEGER)?)?,
            None => 1,
        };
        (mask == hash && trailer == 1 && fields.at_end()).then_some(Self { hash, salt })
    }
}

/// What an RSASSA-PSS key says of its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limits {
    /// Nothing: any hash, any salt.
    None,
    /// This hash, and salts that are no shorter.
    These(Parameters),
    /// What nobody can follow.
    Unreadable,
}

impl Limits {
    /// Of the parameters of the key's AlgorithmIdentifier, as [`Reader::any`] had them.
    pub fn of(parameters: Option<&[u8]>) -> Self {
        match parameters.map(Parameters::parse) {
            None => Self::None,
            Some(Some(these)) => Self::These(these),
            Some(None) => Self::Unreadable,
        }
    }

    /// Whether a signature with this hash and a salt of so many octets is within them.
    pub fn admit(self, hash: Hash, salt: u16) -> bool {
        match self {
            Self::None => true,
            Self::These(these) => these.hash == hash && salt >= these.salt,
            Self::Unreadable => false,
        }
    }
}

/// The limits of the key in a SubjectPublicKeyInfo; `None` where it is no RSASSA-PSS key.
pub(crate) fn limits(spki: &[u8]) -> Option<Limits> {
    limits_of(Reader::new(spki).enter(SEQUENCE)?.enter(SEQUENCE)?)
}

/// The same, of the content of an AlgorithmIdentifier.
pub(crate) fn limits_of(mut algorithm: Reader<'_>) -> Option<Limits> {
    (algorithm.take(OID)? == RSASSA_PSS).then_some(())?;
    Some(Limits::of(
        algorithm.any().map(|parameters| parameters.value),
    ))
}

/// Content of an INTEGER that is not negative.
fn natural(content: &[u8]) -> Option<u64> {
    let negative = content.first()? & 0x80 != 0;
    (!negative).then(|| number(content))?
}

fn hash_of(identifier: &[u8]) -> Option<Hash> {
    match Reader::new(identifier).take(OID)? {
        oid::SHA256 => Some(Hash::Sha256),
        oid::SHA384 => Some(Hash::Sha384),
        oid::SHA512 => Some(Hash::Sha512),
        oid::SHA224 => Some(Hash::Sha224),
        oid::SHA1 => Some(Hash::Sha1),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, _] => None,
        _ => Some(Hash::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RSASSA-PSS-params: SHA-384 for both, a salt of 48, and the trailer.
    const WHOLE: &[u8] = &[
        0xa0, 15, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2, 5, 0, 0xa1, 28, 0x30, 26,
        6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1,
        0x65, 3, 4, 2, 2, 5, 0, 0xa2, 3, 2, 1, 48, 0xa3, 3, 2, 1, 1,
    ];

    #[test]
    fn reads_what_is_there_and_what_is_not() {
        let known = |hash, salt| Some(Parameters { hash, salt });
        assert_eq!(Parameters::parse(WHOLE), known(Hash::Sha384, 48));
        // All of it has a default.
        assert_eq!(Parameters::parse(&[]), known(Hash::Sha1, 20));
        let mut other = WHOLE.to_vec();
        // Another hash of the mask.
        other[44] = 1;
        assert_eq!(Parameters::parse(&other), None);
        for (at, octet) in [(51, 0xff), (56, 2)] {
            // A salt below zero, another trailer.
            let mut other = WHOLE.to_vec();
            other[at] = octet;
            assert_eq!(Parameters::parse(&other), None, "{at}");
        }
    }

    #[test]
    fn limits_are_kept() {
        let limits = Limits::of(Some(WHOLE));
        assert!(limits.admit(Hash::Sha384, 48) && limits.admit(Hash::Sha384, 64));
        assert!(!limits.admit(Hash::Sha384, 47) && !limits.admit(Hash::Sha256, 48));
        assert!(Limits::of(None).admit(Hash::Sha512, 0));
        // Parameters without a word say SHA-1.
        assert!(!Limits::of(Some(&[])).admit(Hash::Sha256, 32));
        assert!(!Limits::of(Some(&[0xa0, 1])).admit(Hash::Sha1, 20));
    }
}
