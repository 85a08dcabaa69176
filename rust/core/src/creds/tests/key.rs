// SPDX-License-Identifier: Apache-2.0
use rustls::SignatureScheme as S;

use super::super::certificate::{KnownIssuers, find_certificates};
use super::super::fault::Fault;
use super::super::key::{FoundKey, KeyKind, PrivateKey, find_key};
use super::{Random, data};

fn key_of(name: &str) -> Result<PrivateKey, Fault> {
    match find_key(name, &data(name))? {
        FoundKey::Plain(key) => Ok(key),
        FoundKey::Encrypted(_) => panic!("{name} is not encrypted"),
    }
}

#[test]
fn reads_every_form_and_fits_its_certificate() {
    for (file, certificate, kind) in [
        ("rsa.pkcs8.pem", "rsa.crt.pem", KeyKind::Rsa(2048)),
        ("rsa.pkcs1.pem", "rsa.crt.pem", KeyKind::Rsa(2048)),
        ("p256.pkcs8.pem", "p256.crt.pem", KeyKind::Ecdsa(256)),
        ("p256.sec1.pem", "p256.crt.pem", KeyKind::Ecdsa(256)),
        ("p256.nopublic.pem", "p256.crt.pem", KeyKind::Ecdsa(256)),
        ("p256.pkcs8.pem", "p256.v1.crt.pem", KeyKind::Ecdsa(256)),
        ("p256.pkcs8.pem", "p256.sha1.crt.pem", KeyKind::Ecdsa(256)),
        (
            "p256.pkcs8.pem",
            "p256.trusted.crt.pem",
            KeyKind::Ecdsa(256),
        ),
        ("p256.pkcs8.pem", "p256.text.crt.pem", KeyKind::Ecdsa(256)),
        ("p384.pkcs8.pem", "p384.crt.pem", KeyKind::Ecdsa(384)),
        ("p384.sec1.pem", "p384.crt.pem", KeyKind::Ecdsa(384)),
        ("p521.pkcs8.pem", "p521.crt.pem", KeyKind::Ecdsa(521)),
        ("p521.sec1.pem", "p521.crt.pem", KeyKind::Ecdsa(521)),
        ("ed25519.pkcs8.pem", "ed25519.crt.pem", KeyKind::Ed25519),
        ("rsapss.pkcs8.pem", "rsapss.crt.pem", KeyKind::RsaPss(2048)),
        (
            "rsapss384.pkcs8.pem",
            "rsapss384.crt.pem",
            KeyKind::RsaPss(2048),
        ),
    ] {
        let key = key_of(file).unwrap_or_else(|fault| panic!("{}", fault.text()));
        assert_eq!(key.kind, kind, "{file}");
        let certificates =
            find_certificates(certificate, &data(certificate), &mut KnownIssuers::new()).unwrap();
        assert_eq!(
            certificates.fields[0].public, key.public,
            "{file} and {certificate}"
        );
    }
}

/// The signature is verified with the public key of the certificate, by another code path than the one that signed.
#[test]
fn what_is_read_signs() {
    use aws_lc_rs::signature as s;
    for (file, certificate, scheme, algorithm) in [
        (
            "rsa.pkcs1.pem",
            "rsa.crt.pem",
            S::RSA_PSS_SHA256,
            &s::RSA_PSS_2048_8192_SHA256 as &dyn s::VerificationAlgorithm,
        ),
        (
            "p256.sec1.pem",
            "p256.crt.pem",
            S::ECDSA_NISTP256_SHA256,
            &s::ECDSA_P256_SHA256_ASN1,
        ),
        (
            "p521.sec1.pem",
            "p521.crt.pem",
            S::ECDSA_NISTP521_SHA512,
            &s::ECDSA_P521_SHA512_ASN1,
        ),
        (
            "ed25519.pkcs8.pem",
            "ed25519.crt.pem",
            S::ED25519,
            &s::ED25519,
        ),
        (
            "rsapss.pkcs8.pem",
            "rsapss.crt.pem",
            S::Unknown(0x080b),
            &s::RSA_PSS_2048_8192_SHA512,
        ),
        (
            "rsapss384.pkcs8.pem",
            "rsapss384.crt.pem",
            S::Unknown(0x080a),
            &s::RSA_PSS_2048_8192_SHA384,
        ),
    ] {
        let signer = key_of(file)
            .unwrap()
            .signing
            .choose_scheme(&[scheme])
            .unwrap();
        let signature = signer.sign(b"message").unwrap();
        let leaf = find_certificates(certificate, &data(certificate), &mut KnownIssuers::new())
            .unwrap()
            .fields[0]
            .clone();
        algorithm
            .verify_sig(&leaf.public.bits, b"message", &signature)
            .unwrap_or_else(|_| panic!("{file}"));
    }
}

#[test]
fn finds_the_key_before_and_behind_the_chain() {
    let (key, chain) = (data("p256.sec1.pem"), data("p256.text.crt.pem"));
    for file in [[&key[..], &chain].concat(), [&chain[..], &key].concat()] {
        let windows = String::from_utf8(file.clone())
            .unwrap()
            .replace('\n', "\r\n")
            .into_bytes();
        for file in [file, windows] {
            assert!(matches!(find_key("x", &file), Ok(FoundKey::Plain(_))));
            assert_eq!(
                find_certificates("x", &file, &mut KnownIssuers::new())
                    .unwrap()
                    .ders
                    .len(),
                1
            );
        }
    }
}

#[test]
fn says_what_cannot_be_used() {
    let unsupported = |kind: &'static str| move |fault: &Fault| matches!(fault, Fault::UnsupportedKey { kind: k, .. } if k == kind);
    type Check = Box<dyn Fn(&Fault) -> bool>;
    let table: [(&str, Check); 6] = [
        (
            "rsa1024.pkcs8.pem",
            Box::new(|f| matches!(f, Fault::RsaSize { bits: 1024, .. })),
        ),
        ("k256.pkcs8.pem", Box::new(unsupported("secp256k1"))),
        ("ed448.pkcs8.pem", Box::new(unsupported("Ed448"))),
        (
            "rsapss1.pkcs8.pem",
            Box::new(unsupported(
                "RSASSA-PSS with a hash or a salt that no signature of TLS has: SHA-256, SHA-384 or SHA-512, and a \
                 salt that need not be longer",
            )),
        ),
        (
            "rsa.public.pem",
            Box::new(|f| matches!(f, Fault::OnlyPublicKey { .. })),
        ),
        (
            "p256.crt.pem",
            Box::new(|f| matches!(f, Fault::NoKey { .. })),
        ),
    ];
    for (file, expected) in table {
        let fault = key_of(file).unwrap_err();
        assert!(expected(&fault), "{file}: {fault:?}");
        assert!(
            fault.text().contains(file) && fault.text().contains(';'),
            "{}",
            fault.text()
        );
    }
}

#[test]
fn a_key_for_pss_alone_signs_within_its_limits_only() {
    let all: Vec<S> = (0..=u16::MAX).map(S::from).collect();
    for (file, schemes) in [
        ("rsapss.pkcs8.pem", &[0x0809, 0x080a, 0x080b][..]),
        ("rsapss384.pkcs8.pem", &[0x080a]),
    ] {
        let key = key_of(file).unwrap().signing;
        let signs = all.iter().filter(|s| key.choose_scheme(&[**s]).is_some());
        let signs: Vec<u16> = signs.map(|scheme| u16::from(*scheme)).collect();
        assert_eq!(signs, schemes, "{file}");
    }
    let plain = data("rsa.crt.pem");
    let leaf = find_certificates("rsa.crt.pem", &plain, &mut KnownIssuers::new()).unwrap();
    let mut public = leaf.fields[0].public.clone();
    assert_eq!(public, key_of("rsa.pkcs8.pem").unwrap().public);
    public.for_pss_alone = true;
    assert_ne!(public, key_of("rsa.pkcs8.pem").unwrap().public);
}

#[test]
fn recognises_encrypted_keys() {
    for file in [
        "p256.aes256.enc.pem",
        "p256.scrypt.enc.pem",
        "p256.pbes1.enc.pem",
        "rsa.des3.proc.pem",
        "p256.aes256.proc.pem",
    ] {
        assert!(
            matches!(find_key(file, &data(file)), Ok(FoundKey::Encrypted(_))),
            "{file}"
        );
    }
}

#[test]
fn damaged_keys_do_no_harm() {
    let mut random = Random(0x0dd_ba11_5eed_0001);
    for name in [
        "rsa.pkcs1.pem",
        "p256.pkcs8.pem",
        "p384.sec1.pem",
        "ed25519.pkcs8.pem",
    ] {
        let whole = data(name);
        for _ in 0..200 {
            let mut file = whole.clone();
            let at = random.below(file.len());
            file[at] = b"ABCabc019+/="[random.below(12)];
            let _ = find_key(name, &file);
        }
    }
}
