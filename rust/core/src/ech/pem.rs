// SPDX-License-Identifier: Apache-2.0
//! Files of keys (RFC 9934): a private key in PKCS#8 and an ECHConfigList, as `openssl ech` writes them.

use zeroize::Zeroizing;

use super::config::{self, X25519};
use super::fault::{ContentsFault, KeyFault};
use super::keys::Key;
use crate::base64::{self, append_block};
use crate::creds::pem::blocks;
use crate::x509::der::{INTEGER, OCTET_STRING, OID, Reader, SEQUENCE};

const PRIVATE_KEY: &str = "PRIVATE KEY";
const CONFIGS: &str = "ECHCONFIG";

/// What a PKCS#8 file of a key of X25519 begins with (RFC 8410 7).
const X25519_PREFIX: [u8; 16] = [
    0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20,
];

/// The keys of a file, one for each configuration of it.
///
/// # Errors
/// What is wrong with it.
pub fn read(file: &[u8]) -> Result<Vec<Key>, ContentsFault> {
    let (mut private, mut configs) = (None, None);
    let mut found = blocks(file);
    for block in &mut found {
        let block = block?;
        let place = match block.label {
            PRIVATE_KEY => &mut private,
            CONFIGS => &mut configs,
            "ENCRYPTED PRIVATE KEY" => return Err(ContentsFault::Encrypted),
            other => return Err(ContentsFault::Foreign(other.to_owned())),
        };
        if place.replace(block.decode()?).is_some() {
            return Err(ContentsFault::Twice(block.label.to_owned()));
        }
    }
    if let Some(line) = found.lost().first() {
        return Err(ContentsFault::Lost(*line));
    }
    let private = private.ok_or(ContentsFault::NoPrivateKey)?;
    let configs = configs.ok_or(ContentsFault::NoConfiguration)?;
    let raw = raw_key(&private).ok_or(ContentsFault::Kind)?;
    let configs = config::read_list(&configs).map_err(KeyFault::List)?;
    let keys = configs
        .into_iter()
        .map(|config| Key::new(config, &raw, true));
    Ok(keys.collect::<Result<_, _>>()?)
}

/// The private key as RFC 9180 7.1.2 serializes it, from PKCS#8 (RFC 5958) of RFC 8410 or RFC 5915.
fn raw_key(pkcs8: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const X25519_OID: &[u8] = &[0x2b, 0x65, 0x6e];
    let mut outer = Reader::new(pkcs8).enter(SEQUENCE)?;
    outer.require(INTEGER)?;
    let mut algorithm = outer.enter(SEQUENCE)?;
    let of_x25519 = algorithm.require(OID)?.value == X25519_OID;
    let mut contents = outer.enter(OCTET_STRING)?;
    let key = match of_x25519 {
        true => contents.require(OCTET_STRING)?,
        false => {
            let mut key = contents.enter(SEQUENCE)?;
            key.require(INTEGER)?;
            key.require(OCTET_STRING)?
        }
    };
    Some(Zeroizing::new(key.value.to_vec()))
}

/// A file of this key, which is one of X25519. Wiped when dropped.
pub fn write(key: &Key) -> Option<Zeroizing<Vec<u8>>> {
    if key.config().kem != X25519 {
        return None;
    }
    let pkcs8 = Zeroizing::new([&X25519_PREFIX[..], &key.private()].concat());
    let list = config::list([key.encoded()]);
    // Far more than is needed: a buffer that grows leaves a copy behind.
    let mut out = Zeroizing::new(Vec::with_capacity(
        pkcs8
            .len()
            .saturating_add(list.len())
            .saturating_mul(2)
            .saturating_add(512),
    ));
    for (label, bytes) in [(PRIVATE_KEY, &**pkcs8), (CONFIGS, &list)] {
        append_block(&mut out, label, bytes, base64::secret);
    }
    Some(out)
}

/// Base64 (RFC 4648 4), as HTTPS records have an ECHConfigList (RFC 9848 3).
pub fn base64(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    base64::append(&mut out, bytes, base64::public);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64::decode;

    #[test]
    fn a_file_is_read_as_it_is_written() {
        let key = Key::generate("public.example", 200, 30).unwrap();
        let file = write(&key).unwrap();
        let again = read(&file).unwrap();
        assert_eq!(again.len(), 1);
        assert_eq!(
            (again[0].encoded(), again[0].private()),
            (key.encoded(), key.private())
        );
        let text = String::from_utf8(file.to_vec()).unwrap();
        assert!(
            text.starts_with("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEI"),
            "{text}"
        );
    }

    #[test]
    fn base64_is_read_again() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..=256 {
            let text = base64(&bytes[..length]);
            assert_eq!(*decode(text.as_bytes()).unwrap(), bytes[..length]);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
        assert_eq!(base64(b"a"), "YQ==");
    }

    /// RFC 9934, appendix A: the example of a file.
    #[test]
    fn the_example_of_the_rfc_is_read() {
        let file = b"-----BEGIN PRIVATE KEY-----\n\
            MC4CAQAwBQYDK2VuBCIEICjd4yGRdsoP9gU7YT7My8DHx1Tjme8GYDXrOMCi8v1V\n\
            -----END PRIVATE KEY-----\n\
            -----BEGIN ECHCONFIG-----\n\
            AD7+DQA65wAgACA8wVN2BtscOl3vQheUzHeIkVmKIiydUhDCliA4iyQRCwAEAAEA\n\
            AQALZXhhbXBsZS5jb20AAA==\n\
            -----END ECHCONFIG-----\n";
        let keys = read(file).unwrap();
        assert_eq!(keys[0].config().public_name, "example.com");
        assert_eq!(keys[0].config().id, 0xe7);
    }

    #[test]
    fn each_fault_of_a_file_is_named() {
        let key = Key::generate("public.example", 1, 0).unwrap();
        let file = String::from_utf8(write(&key).unwrap().to_vec()).unwrap();
        let (private, configs) = file.split_at(file.find("-----BEGIN ECH").unwrap());
        let other = Key::generate("public.example", 1, 0).unwrap();
        let other = String::from_utf8(write(&other).unwrap().to_vec()).unwrap();
        let (other, _) = other.split_at(other.find("-----BEGIN ECH").unwrap());
        for (file, words) in [
            (configs.to_owned(), "no private key"),
            (private.to_owned(), "no ECHCONFIG"),
            (String::new(), "no private key"),
            ([private, private, configs].concat(), "two blocks"),
            ([other, configs].concat(), "does not fit"),
            (
                file.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
                "pass phrase",
            ),
            (file.replace("PRIVATE KEY", "CERTIFICATE"), "no key of ECH"),
            (
                file.replacen("\nA", "\nB", 1).replacen(
                    "ECHCONFIG-----\nA",
                    "ECHCONFIG-----\nB",
                    1,
                ),
                "ECHCONFIG that",
            ),
            (file.replace("-----END ECHCONFIG-----\n", ""), "no END line"),
        ] {
            let problem = read(file.as_bytes()).unwrap_err().to_string();
            assert!(problem.contains(words), "{problem}, not {words}");
        }
    }
}
