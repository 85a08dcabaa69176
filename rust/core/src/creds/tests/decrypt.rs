// SPDX-License-Identifier: Apache-2.0
use zeroize::Zeroizing;

use super::super::decrypt::{decrypt_key, pkcs12_certificates};
use super::super::fault::Fault;
use super::super::key::{FoundKey, KeyKind, Sealed, find_key};
use super::super::passphrase::{Answer, Passphrases, Question};
use super::{Random, data};

/// Gives these phrases one after the other.
struct Given(Vec<&'static str>, usize);

impl Passphrases for Given {
    fn ask(&mut self, question: &Question<'_>) -> Answer {
        self.1 += 1;
        match self.0.get(question.attempt) {
            Some(phrase) => Answer::Phrase(Zeroizing::new(phrase.as_bytes().to_vec())),
            None => Answer::None("no more".to_owned()),
        }
    }
}

fn open(name: &str, passphrases: &mut dyn Passphrases) -> Result<KeyKind, Fault> {
    open_with(name, passphrases, "")
}

pub(super) fn open_with(
    name: &str,
    passphrases: &mut dyn Passphrases,
    source: &str,
) -> Result<KeyKind, Fault> {
    let file = data(name);
    let Ok(FoundKey::Encrypted(block)) = find_key(name, &file) else {
        panic!("{name} is encrypted")
    };
    let question = Question {
        source,
        host: "a.example:443",
        file: name,
        ..Question::default()
    };
    decrypt_key(block, &question, passphrases).map(|key| key.kind)
}

#[test]
fn opens_what_openssl_has_encrypted() {
    for (name, kind) in [
        ("p256.aes256.enc.pem", KeyKind::Ecdsa(256)),
        ("p256.aes128.sha1.enc.pem", KeyKind::Ecdsa(256)),
        ("p256.des3.enc.pem", KeyKind::Ecdsa(256)),
        ("p256.scrypt.enc.pem", KeyKind::Ecdsa(256)),
        ("p256.aes256.proc.pem", KeyKind::Ecdsa(256)),
        ("rsa.aes128.proc.pem", KeyKind::Rsa(2048)),
        ("rsa.aes192.proc.pem", KeyKind::Rsa(2048)),
        ("rsa.aes256.proc.pem", KeyKind::Rsa(2048)),
        ("rsa.des3.proc.pem", KeyKind::Rsa(2048)),
        ("p256.pbes1.enc.pem", KeyKind::Ecdsa(256)),
        ("p256.pbe-md5-des.enc.pem", KeyKind::Ecdsa(256)),
        ("p256.pbe-sha1-des.enc.pem", KeyKind::Ecdsa(256)),
        ("p256.pbe-md5-rc2-64.enc.pem", KeyKind::Ecdsa(256)),
        ("p256.pbe-sha1-rc2-64.enc.pem", KeyKind::Ecdsa(256)),
        ("p256.pbe-sha1-2des.enc.pem", KeyKind::Ecdsa(256)),
        ("p256.pbe-sha1-rc2-128.enc.pem", KeyKind::Ecdsa(256)),
        ("p256.pbe-sha1-rc2-40.enc.pem", KeyKind::Ecdsa(256)),
        ("p256.p12", KeyKind::Ecdsa(256)),
        ("p256.sha512.p12", KeyKind::Ecdsa(256)),
        ("p256.legacy.p12", KeyKind::Ecdsa(256)),
        ("p256.plain.p12", KeyKind::Ecdsa(256)),
    ] {
        assert_eq!(
            open(name, &mut Given(vec!["test phrase"], 0)),
            Ok(kind),
            "{name}"
        );
        let mut third = Given(vec!["wrong", "", "test phrase"], 0);
        assert_eq!(open(name, &mut third), Ok(kind), "{name}");
        assert_eq!(third.1, 3);
        let fault = open(name, &mut Given(vec!["test phras"], 0)).unwrap_err();
        assert!(
            fault.text().contains("no pass phrase opens it: no more; "),
            "{}",
            fault.text()
        );
    }
}

#[test]
fn says_which_encryption_is_not_supported_and_asks_nobody() {
    let mut nobody = Given(vec![], 0);
    let fault = open("rsa.camellia256.proc.pem", &mut nobody).unwrap_err();
    let text = fault.text();
    assert!(text.contains("(CAMELLIA-256-CBC)"), "{text}");
    assert!(text.contains("openssl pkcs8 -topk8"), "{text}");
    assert_eq!(nobody.1, 0);
}

/// With so many wrong phrases some have valid padding by chance; what comes out is no key.
#[test]
fn a_wrong_phrase_with_good_padding_opens_nothing() {
    for guess in 0..600 {
        let mut dialog = Numbers(guess);
        let fault = open("p256.aes256.proc.pem", &mut dialog).unwrap_err();
        assert!(
            matches!(fault, Fault::EncryptedKey { .. }),
            "{guess}: {fault:?}"
        );
    }

    struct Numbers(usize);
    impl Passphrases for Numbers {
        fn ask(&mut self, question: &Question<'_>) -> Answer {
            match question.attempt {
                0 => Answer::Phrase(Zeroizing::new(self.0.to_string().into_bytes())),
                _ => Answer::None(String::new()),
            }
        }
    }
}

/// The DER of an encrypted key.
fn der_of(name: &str) -> Vec<u8> {
    let file = data(name);
    let Ok(FoundKey::Encrypted(Sealed::Block(block))) = find_key(name, &file) else {
        panic!("{name} is encrypted")
    };
    block.decode().unwrap().to_vec()
}

/// The encrypted key of `name` with one octet of its DER changed.
fn changed(name: &str, at: usize, value: u8) -> Vec<u8> {
    let mut der = der_of(name);
    der[at] = value;
    encrypted(&der)
}

/// `der` without the octet at `at`: one less in every element around it.
fn without(mut der: Vec<u8>, at: usize) -> Vec<u8> {
    let mut place = 0;
    while place < at {
        let long = der[place + 1] == 0x81;
        let length = place + 1 + usize::from(long);
        let content = length + 1;
        let end = content + usize::from(der[length]);
        if at >= end {
            place = end;
            continue;
        }
        der[length] -= 1;
        if der[place] & 0x20 == 0 {
            break;
        }
        place = content;
    }
    der.remove(at);
    der
}

fn encrypted(der: &[u8]) -> Vec<u8> {
    crate::x509::pem(der)
        .replace("CERTIFICATE", "ENCRYPTED PRIVATE KEY")
        .into_bytes()
}

fn try_open(file: &[u8]) -> Result<(), Fault> {
    let question = Question {
        file: "x",
        ..Question::default()
    };
    match find_key("x", file)? {
        FoundKey::Encrypted(block) => {
            decrypt_key(block, &question, &mut Given(vec!["test phrase"], 0)).map(|_| ())
        }
        FoundKey::Plain(_) => Ok(()),
    }
}

#[test]
fn numbers_of_a_derivation_are_bounded_before_they_are_used() {
    // 02 02 40 00: scrypt's N; it is followed by r and p.
    let name = "p256.scrypt.enc.pem";
    let der = der_of(name);
    let n = der.windows(4).position(|w| w == [2, 2, 0x40, 0]).unwrap();
    let (r, p) = (n + 6, n + 9);
    assert_eq!((der[r], der[p]), (8, 1));
    let none = encrypted(&without(der, n + 2));
    let ways = [
        none,
        changed(name, n + 2, 0x41),
        changed(name, r, 0),
        changed(name, p, 0),
    ];
    for file in ways {
        match try_open(&file) {
            Err(Fault::UnsupportedEncryption { how, .. }) => {
                assert!(how.contains("scrypt"), "{how}");
            }
            other => panic!("{other:?}"),
        }
    }
    // 02 02 08 00: 2048 rounds of PBKDF2.
    let name = "p256.aes256.enc.pem";
    let der = der_of(name);
    let rounds = der.windows(4).position(|w| w == [2, 2, 8, 0]).unwrap();
    let none = try_open(&encrypted(&without(der, rounds + 2)));
    match none {
        Err(Fault::UnsupportedEncryption { how, .. }) => assert!(how.contains("0 rounds"), "{how}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn damaged_encryption_does_no_harm() {
    for name in ["p256.aes256.enc.pem", "p256.des3.enc.pem"] {
        for at in 0..der_of(name).len() {
            for value in [0, 1, 0x30, 0x80, 0xff] {
                let _ = try_open(&changed(name, at, value));
            }
        }
    }
}

fn certificates(name: &str, file: &[u8], phrase: &'static str) -> Result<Vec<Vec<u8>>, Fault> {
    let question = Question {
        file: name,
        ..Question::default()
    };
    pkcs12_certificates(file, &question, &mut Given(vec![phrase], 0))
}

#[test]
fn certificates_of_pkcs12_begin_with_that_of_the_key() {
    let pem = data("p256.crt.pem");
    let leaf = crate::creds::pem::blocks(&pem).next().unwrap().unwrap();
    let leaf = leaf.decode().unwrap().to_vec();
    for (name, phrase, count) in [
        ("p256.p12", "test phrase", 1),
        ("p256.legacy.p12", "test phrase", 1),
        ("p256.plain.p12", "test phrase", 1),
        ("p256.empty.p12", "", 1),
        ("p256.nokey.p12", "test phrase", 1),
    ] {
        let found = certificates(name, &data(name), phrase).unwrap();
        assert_eq!((found.len(), found.first()), (count, Some(&leaf)), "{name}");
    }
    for name in ["p256.p12", "p256.legacy.p12", "p256.plain.p12"] {
        let wrong = certificates(name, &data(name), "another");
        assert!(matches!(wrong, Err(Fault::EncryptedKey { .. })), "{name}");
    }
    match certificates("x", &data("p256.nomac.p12"), "test phrase") {
        Err(Fault::BadPkcs12 { how, .. }) => assert!(how.contains("no MAC"), "{how}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        open("p256.empty.p12", &mut Given(vec![""], 0)),
        Ok(KeyKind::Ecdsa(256))
    );
    let none = open("p256.nokey.p12", &mut Given(vec!["test phrase"], 0));
    assert!(matches!(none, Err(Fault::NoKey { .. })));
}

#[test]
fn damaged_pkcs12_does_no_harm() {
    for name in ["p256.p12", "p256.legacy.p12", "p256.plain.p12"] {
        let whole = data(name);
        let mut random = Random(0x1357_9bdf_2468_ace0);
        for _ in 0..150 {
            let mut file = whole.clone();
            let at = random.below(file.len());
            file[at] = u8::try_from(random.below(256)).unwrap();
            let _ = certificates(name, &file, "test phrase");
        }
        for end in 0..whole.len().min(200) {
            let _ = certificates(name, &whole[..end], "test phrase");
        }
        // Rounds of the MAC: the last element.
        let mut file = whole.clone();
        let length = file.len();
        file[length - 2..].copy_from_slice(&[0x80, 0]);
        assert!(matches!(
            certificates(name, &file, "x"),
            Err(Fault::BadPkcs12 { .. })
        ));
    }
}
