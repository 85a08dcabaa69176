// SPDX-License-Identifier: Apache-2.0
//! Encryption by a pass phrase, whoever the algorithm is of: PBES2 and PBES1 (RFC 8018), and what PKCS#12 adds (RFC 7292
//! appendix B and C). The old ones are weak; they are opened because Windows and old tools encrypt keys with them, and
//! nothing is ever encrypted here.

use super::encryption_fault::{MOST_MEMORY, MOST_ROUNDS, SchemeFault};
use crate::x509::der::{INTEGER, OCTET_STRING, OID, Reader, SEQUENCE};
use aws_lc_rs::digest::{self, Context};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, InnerIvInit, KeyIvInit};
use des::{Des, TdesEde3};
use md5::{Digest, Md5};
use pkcs5::EncryptionScheme;
use rc2::Rc2;
use zeroize::Zeroizing;

/// Most memory that scrypt goes through, in octets.
const MOST_SCRYPT: u64 = 1 << 30;

/// Longest salt that any tool writes, and some.
const MOST_SALT: usize = 1024;

/// What opens something that is encrypted.
pub(super) enum Scheme {
    /// PBES2.
    Second(Box<EncryptionScheme>),
    /// PBES1, or one of PKCS#12.
    Old(Old),
}

/// A scheme that derives key and start value alike.
pub(super) struct Old {
    derivation: Derivation,
    cipher: Cipher,
    salt: Vec<u8>,
    rounds: u32,
}

#[derive(Clone, Copy)]
enum Derivation {
    /// PBKDF1 (RFC 8018 5.1) with MD5 or SHA-1.
    Md5,
    Sha1,
    /// RFC 7292 B.2, with SHA-1.
    Pkcs12,
}

#[derive(Clone, Copy)]
enum Cipher {
    Des,
    Des3,
    /// Two keys, of which the first is used twice.
    Des3Two,
    /// With so many octets of key.
    Rc2(usize),
}

/// 1.2.840.113549.1
const PKCS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1];

impl Scheme {
    /// Reads an AlgorithmIdentifier, with its header.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) fn read(algorithm: &[u8]) -> Result<Self, SchemeFault> {
        const DAMAGED: SchemeFault = SchemeFault::Damaged;
        let mut fields = Reader::new(algorithm).enter(SEQUENCE).ok_or(DAMAGED)?;
        let oid = fields.take(OID).ok_or(DAMAGED)?;
        let (derivation, cipher) = match oid.strip_prefix(PKCS) {
            Some([5, 13]) => {
                let scheme = EncryptionScheme::try_from(algorithm)
                    .map_err(|_| SchemeFault::UnknownOrDamaged)?;
                return match out_of_bounds(&scheme) {
                    Some(how) => Err(how),
                    None => Ok(Self::Second(Box::new(scheme))),
                };
            }
            Some([5, 3]) => (Derivation::Md5, Cipher::Des),
            Some([5, 6]) => (Derivation::Md5, Cipher::Rc2(8)),
            Some([5, 10]) => (Derivation::Sha1, Cipher::Des),
            Some([5, 11]) => (Derivation::Sha1, Cipher::Rc2(8)),
            Some([12, 1, 3]) => (Derivation::Pkcs12, Cipher::Des3),
            Some([12, 1, 4]) => (Derivation::Pkcs12, Cipher::Des3Two),
            Some([12, 1, 5]) => (Derivation::Pkcs12, Cipher::Rc2(16)),
            Some([12, 1, 6]) => (Derivation::Pkcs12, Cipher::Rc2(5)),
            Some([12, 1, 1 | 2]) => return Err(SchemeFault::Abandoned("RC4")),
            Some([5, 1 | 4]) => return Err(SchemeFault::Abandoned("MD2")),
            _ => return Err(SchemeFault::Unknown),
        };
        let mut parameters = fields.enter(SEQUENCE).ok_or(DAMAGED)?;
        let salt = parameters.take(OCTET_STRING).ok_or(DAMAGED)?;
        let rounds = rounds(parameters.take(INTEGER).ok_or(DAMAGED)?)?;
        if salt.len() > MOST_SALT {
            return Err(SchemeFault::Salt(salt.len()));
        }
        Ok(Self::Old(Old {
            derivation,
            cipher,
            salt: salt.to_vec(),
            rounds,
        }))
    }

    /// What was encrypted; `None` where the pass phrase is wrong. Works in one buffer, which is wiped.
    pub(super) fn open(&self, phrase: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut buffer = Zeroizing::new(data.to_vec());
        let length = match self {
            Self::Second(scheme) => scheme.decrypt_in_place(phrase, &mut buffer).ok()?.len(),
            Self::Old(old) => old.open(phrase, &mut buffer)?,
        };
        buffer.truncate(length);
        Some(buffer)
    }
}

/// A number of rounds within bounds.
///
/// # Errors
/// As of [`Scheme::read`].
pub(super) fn rounds(number: &[u8]) -> Result<u32, SchemeFault> {
    let value = number.iter().try_fold(0u32, |sum, octet| {
        sum.checked_mul(256)?.checked_add(u32::from(*octet))
    });
    let value = value.filter(|_| number.first().is_some_and(|first| *first < 0x80));
    value
        .filter(|rounds| (1..=MOST_ROUNDS).contains(rounds))
        .ok_or(SchemeFault::Rounds(value))
}

/// Which number of a derivation is out of bounds: a damaged one must not hold up the start or take all memory, and the
/// libraries behind this expect numbers that their own encoders would write (RFC 7914 2, RFC 8018 5.2).
fn out_of_bounds(scheme: &EncryptionScheme) -> Option<SchemeFault> {
    let kdf = &scheme.pbes2()?.kdf;
    if let Some(p) = kdf.pbkdf2() {
        return rounds(&p.iteration_count.to_be_bytes()).err();
    }
    let p = kdf.scrypt()?;
    let (n, r, parallel) = (
        p.cost_parameter,
        u64::from(p.block_size),
        u64::from(p.parallelization),
    );
    let memory = n.saturating_mul(r).saturating_mul(128);
    let good = n.is_power_of_two()
        && n > 1
        && r > 0
        && parallel > 0
        && memory <= MOST_MEMORY
        && memory.saturating_mul(parallel) <= MOST_SCRYPT;
    (!good).then_some(SchemeFault::Scrypt(n, r, parallel))
}

impl Old {
    fn open(&self, phrase: &[u8], data: &mut [u8]) -> Option<usize> {
        let length = match self.cipher {
            Cipher::Des => 8,
            Cipher::Des3 => 24,
            Cipher::Des3Two => 16,
            Cipher::Rc2(length) => length,
        };
        let (mut key, iv) = match self.derivation {
            Derivation::Pkcs12 => {
                let phrase = wide(phrase);
                let hash = &digest::SHA1_FOR_LEGACY_USE_ONLY;
                let of = |purpose, length| {
                    pkcs12(hash, purpose, &phrase, &self.salt, self.rounds, length)
                };
                (of(1, length), of(2, 8))
            }
            _ => {
                let both = self.first(phrase);
                let (key, iv) = both.split_at_checked(8)?;
                (
                    Zeroizing::new(key.to_vec()),
                    Zeroizing::new(iv.get(..8)?.to_vec()),
                )
            }
        };
        match self.cipher {
            Cipher::Des => decrypt(
                cbc::Decryptor::<Des>::new_from_slices(&key, &iv).ok()?,
                data,
            ),
            Cipher::Des3 | Cipher::Des3Two => {
                if key.len() == 16 {
                    let mut three = Zeroizing::new(Vec::with_capacity(24));
                    three.extend_from_slice(&key);
                    three.extend_from_slice(key.get(..8)?);
                    key = three;
                }
                decrypt(
                    cbc::Decryptor::<TdesEde3>::new_from_slices(&key, &iv).ok()?,
                    data,
                )
            }
            Cipher::Rc2(_) => {
                let cipher = Rc2::new_with_eff_key_len(&key, key.len() * 8);
                let iv: [u8; 8] = iv[..].try_into().ok()?;
                decrypt(cbc::Decryptor::inner_iv_init(cipher, &iv.into()), data)
            }
        }
    }

    /// PBKDF1: the hash of the hash of ... phrase and salt.
    fn first(&self, phrase: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut last = Zeroizing::new([phrase, &self.salt[..]].concat());
        for _ in 0..self.rounds {
            let next = match self.derivation {
                Derivation::Md5 => Md5::digest(&last[..]).to_vec(),
                _ => digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &last)
                    .as_ref()
                    .to_vec(),
            };
            last = Zeroizing::new(next);
        }
        last
    }
}

fn decrypt<D: BlockModeDecrypt>(mode: D, data: &mut [u8]) -> Option<usize> {
    mode.decrypt_padded::<Pkcs7>(data).ok().map(<[u8]>::len)
}

/// A pass phrase as PKCS#12 has it: UTF-16 with the high octet first, and a zero at its end (RFC 7292 B.1). What is not
/// UTF-8 is taken for Latin-1, as OpenSSL does.
pub(super) fn wide(phrase: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut units = Zeroizing::new(Vec::with_capacity(phrase.len() * 2 + 2));
    match std::str::from_utf8(phrase) {
        Ok(text) => text
            .encode_utf16()
            .for_each(|unit| units.extend_from_slice(&unit.to_be_bytes())),
        Err(_) => phrase
            .iter()
            .for_each(|octet| units.extend_from_slice(&[0, *octet])),
    }
    units.extend_from_slice(&[0, 0]);
    units
}

/// RFC 7292 B.2: `length` octets for a purpose (1 a key, 2 a start value, 3 a key of a MAC).
pub(super) fn pkcs12(
    hash: &'static digest::Algorithm,
    purpose: u8,
    phrase: &[u8],
    salt: &[u8],
    rounds: u32,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block = hash.block_len();
    let fill = |text: &[u8]| {
        let whole = text.len().div_ceil(block) * block;
        text.iter()
            .copied()
            .cycle()
            .take(if text.is_empty() { 0 } else { whole })
            .collect::<Vec<u8>>()
    };
    let diversifier = vec![purpose; block];
    let mut input = Zeroizing::new(fill(salt));
    let phrase = Zeroizing::new(fill(phrase));
    let mut both = Zeroizing::new(Vec::with_capacity(input.len() + phrase.len()));
    both.extend_from_slice(&input);
    both.extend_from_slice(&phrase);
    input = both;
    let mut out = Zeroizing::new(Vec::with_capacity(length + hash.output_len()));
    while out.len() < length {
        let mut context = Context::new(hash);
        context.update(&diversifier);
        context.update(&input);
        let mut last = Zeroizing::new(context.finish().as_ref().to_vec());
        for _ in 1..rounds {
            last = Zeroizing::new(digest::digest(hash, &last).as_ref().to_vec());
        }
        out.extend_from_slice(&last);
        let addend = Zeroizing::new(
            last.iter()
                .copied()
                .cycle()
                .take(block)
                .collect::<Vec<u8>>(),
        );
        for part in input.chunks_exact_mut(block) {
            // part + addend + 1, the numbers' high octets first.
            let mut carry = 1u16;
            for (octet, more) in part.iter_mut().zip(addend.iter()).rev() {
                carry += u16::from(*octet) + u16::from(*more);
                [_, *octet] = carry.to_be_bytes();
                carry >>= 8;
            }
        }
    }
    out.truncate(length);
    out
}
