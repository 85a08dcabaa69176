// SPDX-License-Identifier: Apache-2.0
//! Opens encrypted keys: PKCS#8 (RFC 5958), PKCS#12, and the traditional PEM encryption of OpenSSL.

use std::fmt::Display;

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use des::TdesEde3;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::certificate::CertificateFields;
use super::encryption_fault::Pkcs12Fault;
use super::fault::Fault;
use super::key::{PrivateKey, Sealed, is_encrypted, pem_fault, read_key};
use super::passphrase::{Answer, Passphrases, Question};
use super::pbe;
use super::pem::Block;
use super::pkcs12;
use crate::x509::der::{OCTET_STRING, Reader, SEQUENCE};

/// Asks for the pass phrase of an encrypted key, as often as `passphrases` has an answer, and opens it.
///
/// # Errors
/// A row of the fault table where no phrase opens it.
pub fn decrypt_key(
    sealed: Sealed<'_>,
    question: &Question<'_>,
    passphrases: &mut dyn Passphrases,
) -> Result<PrivateKey, Fault> {
    let locked = Locked::read(sealed, question.file)?;
    ask(question, passphrases, |phrase| {
        let Some(der) = locked.open(phrase, question.file)? else {
            return Ok(None);
        };
        match read_key(question.file, &der) {
            // What a wrong phrase opened by chance is no key.
            Err(Fault::BadKey { .. }) => Ok(None),
            result => result.map(Some),
        }
    })
}

/// An encrypted key and what its encryption needs beside the pass phrase.
struct Locked<'a> {
    scheme: Scheme<'a>,
    data: Zeroizing<Vec<u8>>,
}

enum Scheme<'a> {
    Pkcs8(pbe::Scheme),
    Pkcs12(pkcs12::Sealed<'a>),
    Traditional { cipher: Cipher, iv: Vec<u8> },
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    Des3,
}

impl<'a> Locked<'a> {
    fn read(sealed: Sealed<'a>, file: &str) -> Result<Self, Fault> {
        match sealed {
            Sealed::Block(block) if is_encrypted(&block) => Locked::traditional(&block, file),
            Sealed::Block(block) => {
                Locked::pkcs8(&block.decode().map_err(|e| pem_fault(file, e))?, file)
            }
            Sealed::Der(der) => Locked::pkcs8(der, file),
            Sealed::Pkcs12(bytes) => Ok(Locked {
                scheme: Scheme::Pkcs12(
                    pkcs12::Sealed::read(bytes).map_err(|how| bad_pkcs12(file, &how))?,
                ),
                data: Zeroizing::default(),
            }),
        }
    }

    fn pkcs8(der: &[u8], file: &str) -> Result<Self, Fault> {
        let damaged = || Fault::BadKey {
            file: file.to_owned(),
            cause: "it is damaged".to_owned(),
        };
        let (algorithm, data) = split_pkcs8(der).ok_or_else(damaged)?;
        let scheme = pbe::Scheme::read(algorithm).map_err(|how| unsupported(file, &how))?;
        Ok(Locked {
            scheme: Scheme::Pkcs8(scheme),
            data: Zeroizing::new(data.to_vec()),
        })
    }

    fn traditional(block: &Block<'_>, file: &str) -> Result<Self, Fault> {
        let der = block.decode().map_err(|e| pem_fault(file, e))?;
        let info = block.header("DEK-Info").unwrap_or_default();
        let (name, iv) = info.split_once(',').unwrap_or((info, ""));
        let (cipher, length) = match name.trim() {
            "AES-128-CBC" => (Cipher::Aes128, 16),
            "AES-192-CBC" => (Cipher::Aes192, 16),
            "AES-256-CBC" => (Cipher::Aes256, 16),
            "DES-EDE3-CBC" => (Cipher::Des3, 8),
            other => return Err(unsupported(file, &other)),
        };
        let iv = from_hex(iv.trim()).filter(|iv| iv.len() == length);
        let iv =
            iv.ok_or_else(|| unsupported(file, &format_args!("{name} without its start value")))?;
        Ok(Locked {
            scheme: Scheme::Traditional { cipher, iv },
            data: der,
        })
    }

    /// The key in DER; `None` where the pass phrase is wrong. Works in one buffer, which is wiped.
    fn open(&self, phrase: &[u8], file: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
        if let Scheme::Pkcs12(sealed) = &self.scheme {
            let bags = sealed.open(phrase).map_err(|how| bad_pkcs12(file, &how))?;
            return match bags.map(|bags| bags.keys.into_iter().next()) {
                None => Ok(None),
                Some(Some(key)) => Ok(Some(key)),
                Some(None) => Err(Fault::NoKey {
                    file: file.to_owned(),
                }),
            };
        }
        Ok(self.decrypt(phrase))
    }

    fn decrypt(&self, phrase: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut buffer = self.data.clone();
        let length = match &self.scheme {
            Scheme::Pkcs12(_) => return None,
            Scheme::Pkcs8(scheme) => return scheme.open(phrase, &self.data),
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

fn unsupported(file: &str, how: &dyn Display) -> Fault {
    Fault::UnsupportedEncryption {
        file: file.to_owned(),
        how: how.to_string(),
    }
}

fn bad_pkcs12(file: &str, how: &Pkcs12Fault) -> Fault {
    Fault::BadPkcs12 {
        file: file.to_owned(),
        how: how.to_string(),
    }
}

/// The certificates of a PKCS#12 file: that of its key first, then those that issued one another upwards.
/// Asks for its pass phrase, as often as `passphrases` has an answer.
///
/// # Errors
/// A row of the fault table where no phrase opens it, or it holds no certificate.
pub fn pkcs12_certificates(
    bytes: &[u8],
    question: &Question<'_>,
    passphrases: &mut dyn Passphrases,
) -> Result<Vec<Vec<u8>>, Fault> {
    let file = question.file;
    let sealed = pkcs12::Sealed::read(bytes).map_err(|how| bad_pkcs12(file, &how))?;
    ask(question, passphrases, |phrase| {
        let bags = sealed.open(phrase).map_err(|how| bad_pkcs12(file, &how))?;
        let Some(bags) = bags else { return Ok(None) };
        let key = bags.keys.first().and_then(|key| read_key(file, key).ok());
        Ok(Some(in_order(bags.certificates, key.as_ref())))
    })
}

/// The path upwards from the key's certificate without its root, which is in every client's hands; all there are where
/// there is no key.
fn in_order(certificates: Vec<Vec<u8>>, key: Option<&PrivateKey>) -> Vec<Vec<u8>> {
    let Some(key) = key else {
        return certificates;
    };
    let parse = |der: Vec<u8>| CertificateFields::parse(&der).ok().map(|c| (der, c));
    let mut rest: Vec<_> = certificates.into_iter().filter_map(parse).collect();
    let mut sorted: Vec<Vec<u8>> = Vec::new();
    let mut next = rest.iter().position(|(_, c)| key.public == c.public);
    while let Some(place) = next {
        let (der, certificate) = rest.remove(place);
        sorted.push(der);
        rest.retain(|(other, c)| !sorted.contains(other) && !c.is_self_issued());
        next = rest
            .iter()
            .position(|(_, c)| c.subject == certificate.issuer);
    }
    sorted
}

/// Tries answers until one opens something.
fn ask<T>(
    question: &Question<'_>,
    passphrases: &mut dyn Passphrases,
    mut open: impl FnMut(&[u8]) -> Result<Option<T>, Fault>,
) -> Result<T, Fault> {
    let file = question.file.to_owned();
    for attempt in 0.. {
        let question = Question {
            attempt,
            ..*question
        };
        match passphrases.ask(&question) {
            Answer::Phrase(phrase) => {
                if let Some(opened) = open(&phrase)? {
                    return Ok(opened);
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

/// RFC 5958 3: EncryptedPrivateKeyInfo. The algorithm as an element, the data as contents.
fn split_pkcs8(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut info = Reader::new(der).enter(SEQUENCE)?;
    let algorithm = info.peek(SEQUENCE)?;
    info.take(SEQUENCE)?;
    Some((algorithm, info.take(OCTET_STRING)?))
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
