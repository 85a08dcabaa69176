//! Opens encrypted keys: PKCS#8 (RFC 5958 with PBES2 of RFC 8018) and the traditional PEM encryption of OpenSSL.

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use des::TdesEde3;
use md5::{Digest, Md5};
use pkcs5::EncryptionScheme;
use zeroize::Zeroizing;

use super::der::{Der, OCTETS, OID, SEQUENCE, first_element};
use super::key::{PrivateKey, Sealed, is_encrypted, pem_fault, read_key};
use super::passphrase::{Answer, Passphrases, Question};
use super::pem::Block;
use super::problem::Fault;

/// Asks for the pass phrase of an encrypted key, as often as `passphrases` has an answer, and opens it.
///
/// # Errors
/// A row of the fault table where no phrase opens it.
pub fn decrypt_key(
    sealed: Sealed<'_>,
    question: &Question<'_>,
    passphrases: &mut dyn Passphrases,
) -> Result<PrivateKey, Fault> {
    let file = question.file.to_owned();
    let locked = Locked::read(sealed, question.file)?;
    for attempt in 0.. {
        match passphrases.ask(&Question {
            attempt,
            ..*question
        }) {
            Answer::Phrase(phrase) => {
                let Some(der) = locked.open(&phrase) else {
                    continue;
                };
                match read_key(question.file, &der) {
                    // What a wrong phrase opened by chance is no key.
                    Err(Fault::BadKey { .. }) => {}
                    result => return result,
                }
            }
            Answer::Unchecked => return Err(Fault::EncryptedKeyUnchecked { file }),
            Answer::None(why) => return Err(Fault::EncryptedKey { file, why }),
        }
    }
    Err(Fault::EncryptedKey {
        file,
        why: String::new(),
    })
}

/// RFC 8018 A.4.
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];

/// An encrypted key and what its encryption needs beside the pass phrase.
struct Locked {
    scheme: Scheme,
    data: Zeroizing<Vec<u8>>,
}

enum Scheme {
    Pkcs5(Box<EncryptionScheme>),
    Traditional { cipher: Cipher, iv: Vec<u8> },
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    Des3,
}

impl Locked {
    fn read(sealed: Sealed<'_>, file: &str) -> Result<Locked, Fault> {
        match sealed {
            Sealed::Block(block) if is_encrypted(&block) => Locked::traditional(&block, file),
            Sealed::Block(block) => {
                Locked::pkcs8(&block.decode().map_err(|e| pem_fault(file, e))?, file)
            }
            Sealed::Der(der) => Locked::pkcs8(der, file),
            Sealed::Pkcs12(_) => Err(unsupported(file, "PKCS#12".to_owned())),
        }
    }

    fn pkcs8(der: &[u8], file: &str) -> Result<Locked, Fault> {
        let damaged = || Fault::BadKey {
            file: file.to_owned(),
            cause: "it is damaged".to_owned(),
        };
        let (algorithm, data) = split_pkcs8(der).ok_or_else(damaged)?;
        if Der(algorithm).open(SEQUENCE).and_then(|mut a| a.take(OID)) != Some(PBES2) {
            return Err(unsupported(file, "a scheme older than PBES2".to_owned()));
        }
        let scheme = EncryptionScheme::try_from(algorithm).map_err(|_| {
            unsupported(
                file,
                "by an algorithm that is not known here, or damaged".to_owned(),
            )
        })?;
        if let Some(how) = out_of_bounds(&scheme) {
            return Err(unsupported(file, how));
        }
        Ok(Locked {
            scheme: Scheme::Pkcs5(Box::new(scheme)),
            data: Zeroizing::new(data.to_vec()),
        })
    }

    fn traditional(block: &Block<'_>, file: &str) -> Result<Locked, Fault> {
        let der = block.decode().map_err(|e| pem_fault(file, e))?;
        let info = block.header("DEK-Info").unwrap_or_default();
        let (name, iv) = info.split_once(',').unwrap_or((info, ""));
        let (cipher, length) = match name.trim() {
            "AES-128-CBC" => (Cipher::Aes128, 16),
            "AES-192-CBC" => (Cipher::Aes192, 16),
            "AES-256-CBC" => (Cipher::Aes256, 16),
            "DES-EDE3-CBC" => (Cipher::Des3, 8),
            other => return Err(unsupported(file, other.to_owned())),
        };
        let iv = from_hex(iv.trim()).filter(|iv| iv.len() == length);
        let iv = iv.ok_or_else(|| unsupported(file, format!("{name} without its start value")))?;
        Ok(Locked {
            scheme: Scheme::Traditional { cipher, iv },
            data: der,
        })
    }

    /// The key in DER; `None` where the pass phrase is wrong. Works in one buffer, which is wiped.
    fn open(&self, phrase: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut buffer = self.data.clone();
        let length = match &self.scheme {
            Scheme::Pkcs5(scheme) => scheme.decrypt_in_place(phrase, &mut buffer).ok()?.len(),
            Scheme::Traditional {
                cipher: Cipher::Aes128,
                iv,
            } => open_with::<Aes128, 16>(phrase, iv, &mut buffer)?,
            Scheme::Traditional {
                cipher: Cipher::Aes192,
                iv,
            } => open_with::<Aes192, 24>(phrase, iv, &mut buffer)?,
            Scheme::Traditional {
                cipher: Cipher::Aes256,
                iv,
            } => open_with::<Aes256, 32>(phrase, iv, &mut buffer)?,
            Scheme::Traditional {
                cipher: Cipher::Des3,
                iv,
            } => open_with::<TdesEde3, 24>(phrase, iv, &mut buffer)?,
        };
        buffer.truncate(length);
        Some(buffer)
    }
}

fn unsupported(file: &str, how: String) -> Fault {
    Fault::UnsupportedEncryption {
        file: file.to_owned(),
        how,
    }
}

/// Most rounds of PBKDF2: some seconds, ten times what anybody recommends.
const MOST_ROUNDS: u32 = 10_000_000;

/// Most memory for scrypt, in octets, and most of it that is gone through; OpenSSL stops at 32 MiB.
const MOST_MEMORY: u64 = 256 << 20;
const MOST_SCRYPT: u64 = 1 << 30;

/// Which number of a derivation is out of bounds: a damaged one must not hold up the start or take all memory, and the
/// libraries behind this expect numbers that their own encoders would write (RFC 7914 2, RFC 8018 5.2).
fn out_of_bounds(scheme: &EncryptionScheme) -> Option<String> {
    let kdf = &scheme.pbes2()?.kdf;
    if let Some(p) = kdf.pbkdf2() {
        let good = (1..=MOST_ROUNDS).contains(&p.iteration_count);
        let rounds = p.iteration_count;
        return (!good).then(|| format!("with {rounds} rounds (1 to {MOST_ROUNDS} are taken)"));
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
    (!good).then(|| {
        format!(
            "with scrypt's N={n}, r={r}, p={parallel} (N is a power of two from 2, and {} MiB of memory are the most)",
            MOST_MEMORY >> 20
        )
    })
}

/// RFC 5958 3: EncryptedPrivateKeyInfo. The algorithm as an element, the data as contents.
fn split_pkcs8(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut info = Der(der).open(SEQUENCE)?;
    let algorithm = first_element(info.0, SEQUENCE)?;
    info.take(SEQUENCE)?;
    Some((algorithm, info.take(OCTETS)?))
}

/// Decrypts in place; the length of what was encrypted.
fn open_with<C, const KEY: usize>(phrase: &[u8], iv: &[u8], data: &mut [u8]) -> Option<usize>
where
    C: BlockCipherDecrypt + KeyInit,
    cbc::Decryptor<C>: KeyIvInit + BlockModeDecrypt,
{
    let key = derive::<KEY>(phrase, iv.get(..8)?);
    let mode = cbc::Decryptor::<C>::new_from_slices(&key[..], iv).ok()?;
    mode.decrypt_padded::<Pkcs7>(data).ok().map(<[u8]>::len)
}

/// EVP_BytesToKey with MD5 and one round, as OpenSSL's PEM encryption has it: the salt is the start of the IV.
fn derive<const KEY: usize>(phrase: &[u8], salt: &[u8]) -> Zeroizing<[u8; KEY]> {
    let mut key = Zeroizing::new([0; KEY]);
    let mut last: Zeroizing<[u8; 16]> = Zeroizing::default();
    for (round, part) in key.chunks_mut(16).enumerate() {
        let mut hash = Md5::new();
        if round > 0 {
            hash.update(&last[..]);
        }
        hash.update(phrase);
        hash.update(salt);
        last.copy_from_slice(&hash.finalize());
        part.copy_from_slice(last.get(..part.len()).unwrap_or_default());
    }
    key
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()));
    let digits: Vec<u8> = digits.collect::<Option<_>>()?;
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| {
            if let [high, low] = pair {
                Some(high << 4 | low)
            } else {
                None
            }
        })
        .collect()
}
