// SPDX-License-Identifier: Apache-2.0
//! ECHConfig: what a client has to know to encrypt its hello (RFC 9849 4).

use super::{EXTENSION, Suite};
use crate::tls::reader::Reader;

/// One configuration of RFC 9849's version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// By what a client names it.
    pub id: u8,
    /// Number of the key encapsulation (RFC 9180 7.1).
    pub kem: u16,
    /// The public key, as that key encapsulation writes it.
    pub public_key: Vec<u8>,
    /// What clients may encrypt with.
    pub suites: Vec<Suite>,
    /// The longest name behind it, for padding; 0 where that is unknown.
    pub longest_name: u8,
    /// The name in the outer hello.
    pub public_name: String,
    /// Type and contents of its extensions, as they are written.
    pub extensions: Vec<u8>,
}

/// DHKEM(X25519, HKDF-SHA256), RFC 9180 7.1.
pub const X25519: u16 = 0x0020;

/// The suite that RFC 9849 9 demands of everybody: HKDF-SHA256 and AES-128-GCM.
pub const MANDATORY: Suite = Suite { kdf: 1, aead: 1 };

/// The high bit of an extension's type: who does not know the extension must not use the configuration.
const MANDATORY_EXTENSION: u16 = 0x8000;

impl Config {
    /// Reads what stands behind version and length.
    fn read(mut data: Reader<'_>) -> Option<Self> {
        let id = data.u8()?;
        let kem = data.u16()?;
        let public_key = data.vec16()?.0.to_vec();
        let mut list = data.vec16()?;
        let mut suites = Vec::new();
        while !list.0.is_empty() {
            suites.push(Suite {
                kdf: list.u16()?,
                aead: list.u16()?,
            });
        }
        let longest_name = data.u8()?;
        let public_name = std::str::from_utf8(data.vec8()?.0).ok()?.to_owned();
        let extensions = data.vec16()?;
        let config = Self {
            id,
            kem,
            public_key,
            suites,
            longest_name,
            public_name,
            extensions: extensions.0.to_vec(),
        };
        let whole = data.0.is_empty() && !config.public_key.is_empty();
        (whole && !config.suites.is_empty() && config.extensions_are_sound()).then_some(config)
    }

    fn extensions_are_sound(&self) -> bool {
        let mut rest = Reader(&self.extensions);
        while !rest.0.is_empty() {
            // None is known here.
            match rest.extension() {
                Some((kind, _)) if kind & MANDATORY_EXTENSION == 0 => {}
                _ => return false,
            }
        }
        true
    }

    /// The configuration as clients are given it, with version and length: also what encryption is bound to.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.id];
        out.extend_from_slice(&self.kem.to_be_bytes());
        append16(&mut out, &self.public_key);
        let numbers = self.suites.iter().flat_map(|suite| [suite.kdf, suite.aead]);
        let suites: Vec<u8> = numbers.flat_map(u16::to_be_bytes).collect();
        append16(&mut out, &suites);
        out.push(self.longest_name);
        out.push(u8::try_from(self.public_name.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(self.public_name.as_bytes());
        append16(&mut out, &self.extensions);
        let mut config = EXTENSION.to_be_bytes().to_vec();
        append16(&mut config, &out);
        config
    }
}

/// Appends a vector with two bytes of length. Those here are shorter than 2^16 bytes: they were read from such, or made
/// by us.
fn append16(out: &mut Vec<u8>, data: &[u8]) {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(data);
}

/// An ECHConfigList (RFC 9849 4) of configurations as [`Config::encode`] writes them.
pub fn list<'a>(configs: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let all: Vec<u8> = configs.into_iter().flatten().copied().collect();
    let mut out = Vec::with_capacity(all.len().saturating_add(2));
    append16(&mut out, &all);
    out
}

/// The configurations of a list that are of RFC 9849's version; others are passed over, as a client does.
///
/// # Errors
/// What cannot be read, in words that continue a sentence about the list.
pub fn read_list(bytes: &[u8]) -> Result<Vec<Config>, &'static str> {
    const CUT: &str = "is cut short";
    let mut outer = Reader(bytes);
    let mut rest = outer.vec16().ok_or(CUT)?;
    if !outer.0.is_empty() {
        return Err("is followed by something else");
    }
    let mut configs = Vec::new();
    while !rest.0.is_empty() {
        let (version, data) = rest.extension().ok_or(CUT)?;
        if version == EXTENSION {
            configs.push(Config::read(data).ok_or("holds a configuration that cannot be read")?);
        }
    }
    match configs.is_empty() {
        true => Err("holds no configuration of RFC 9849"),
        false => Ok(configs),
    }
}

/// Whether clients take this for a public name (RFC 9849 4: a DNS name of letters, digits and hyphens, no address).
pub fn is_public_name(name: &str) -> bool {
    let letters = |label: &str| {
        let inside = label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        inside
            && (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    // What ends in a number is an address to some.
    let number = last.bytes().all(|b| b.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    name.len() <= 253 && name.split('.').all(letters) && !number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            id: 7,
            kem: X25519,
            public_key: vec![9; 32],
            suites: vec![MANDATORY, Suite { kdf: 1, aead: 3 }],
            longest_name: 0,
            public_name: "public.example".to_owned(),
            extensions: vec![0, 9, 0, 1, 5],
        }
    }

    #[test]
    fn a_list_is_read_as_it_is_written() {
        let (one, two) = (config(), Config { id: 8, ..config() });
        let bytes = list([&one.encode()[..], &two.encode()]);
        assert_eq!(read_list(&bytes), Ok(vec![one, two]));
    }

    #[test]
    fn other_versions_are_passed_over() {
        let mut other = config().encode();
        other[1] = 0x0a;
        assert_eq!(
            read_list(&list([&other[..], &config().encode()])),
            Ok(vec![config()])
        );
        assert!(
            read_list(&list([&other[..]]))
                .unwrap_err()
                .contains("RFC 9849")
        );
    }

    #[test]
    fn what_is_damaged_is_refused_at_every_byte() {
        let whole = list([&config().encode()[..]]);
        for cut in 0..whole.len() {
            assert!(read_list(&whole[..cut]).is_err(), "{cut}");
        }
        assert!(read_list(&[&whole[..], &[0]].concat()).is_err());
        let mandatory = Config {
            extensions: vec![0x80, 9, 0, 0],
            ..config()
        };
        assert!(read_list(&list([&mandatory.encode()[..]])).is_err());
        for lacking in [
            Config {
                suites: vec![],
                ..config()
            },
            Config {
                public_key: vec![],
                ..config()
            },
        ] {
            assert!(read_list(&list([&lacking.encode()[..]])).is_err());
        }
    }

    #[test]
    fn public_names_are_names_of_hosts() {
        for good in ["public.example", "a", "a-b.example", "1a.2b"] {
            assert!(is_public_name(good), "{good}");
        }
        let long = format!("{}.example", "a".repeat(64));
        for bad in [
            "",
            ".",
            "a..b",
            "-a.example",
            "a_b.example",
            "192.0.2.1",
            "a.0x1f",
            "*.example",
            &long,
        ] {
            assert!(!is_public_name(bad), "{bad}");
        }
    }
}
