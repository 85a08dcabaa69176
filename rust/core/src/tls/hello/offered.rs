// SPDX-License-Identifier: Apache-2.0
//! What a client offered in its hello, kept for whoever asks later: the lists, and the fingerprint JA4 of them.
//!
//! JA4 as FoxIO describes it (github.com/FoxIO-LLC/ja4, technical_details/JA4.md): version, name or none, how many
//! suites and extensions, first protocol; then, each cut to twelve digits, a hash of the suites in order and one of the
//! extensions in order with the signature algorithms as sent. Values of RFC 8701 (GREASE) are left out.

use aws_lc_rs::digest::{SHA256, digest};

use super::Hello;
use crate::hex;
use crate::tls::describe;

/// Extension types that JA4 leaves out of its list, since their contents stand in its first part.
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;

const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const PRE_SHARED_KEY: u16 = 41;
const KEY_SHARE: u16 = 51;

/// The lists of one hello, in one piece of memory.
#[derive(Debug, Default)]
pub struct Offered {
    /// Versions, suites, extensions, groups and signature algorithms, one after the other.
    numbers: Box<[u16]>,
    /// Where each of them ends.
    ends: [u16; LISTS],
    alpn: Box<[Vec<u8>]>,
    newest: u16,
}

const LISTS: usize = 5;

#[derive(Clone, Copy)]
enum List {
    Versions,
    Suites,
    Extensions,
    Groups,
    Schemes,
}

impl Offered {
    /// Keeps what is in `hello`.
    pub fn new(hello: &Hello) -> Self {
        let lists: [&[u16]; LISTS] = [
            &hello.versions,
            &hello.suites,
            &hello.extensions,
            &hello.groups,
            &hello.signature_schemes,
        ];
        let mut end = 0_usize;
        Self {
            numbers: lists.concat().into(),
            ends: lists.map(|list| {
                end = end.saturating_add(list.len());
                u16::try_from(end).unwrap_or(u16::MAX)
            }),
            alpn: hello.alpn.clone().into(),
            newest: newest(hello),
        }
    }

    /// The value of a variable, by its name behind `SSL_`; `None` where there is no such variable.
    pub fn value(&self, name: &str) -> Option<String> {
        Some(match name {
            // Of an empty list there is no hash.
            "JA4" => self.ja4(|part| match part.is_empty() {
                true => "000000000000".to_owned(),
                false => {
                    let hash = digest(&SHA256, part.as_bytes());
                    hex::lower(hash.as_ref().get(..6).unwrap_or_default())
                }
            }),
            "JA4_R" => self.ja4(str::to_owned),
            "CLIENTHELLO_VERSIONS" => joined(self.list(List::Versions)),
            "CLIENTHELLO_CIPHERS" => joined(self.list(List::Suites)),
            "CLIENTHELLO_EXTENSIONS" => joined(self.list(List::Extensions)),
            "CLIENTHELLO_GROUPS" => joined(self.list(List::Groups)),
            "CLIENTHELLO_SIGALGS" => joined(self.list(List::Schemes)),
            "CLIENTHELLO_ALPN" => {
                let shown = |name: &Vec<u8>| match describe::alpn(name) {
                    Some(text) if !text.contains(',') => text,
                    _ => hex::prefixed(name),
                };
                self.alpn.iter().map(shown).collect::<Vec<_>>().join(",")
            }
            _ => return None,
        })
    }

    /// Its signature algorithms, as sent.
    pub fn signature_schemes(&self) -> &[u16] {
        self.list(List::Schemes)
    }

    /// Its groups, as sent.
    pub(crate) fn groups(&self) -> &[u16] {
        self.list(List::Groups)
    }

    /// Whether an extension is missing with which a hello of TLS 1.3 would be whole. RFC 8446 9.2: "If not containing a
    /// "pre_shared_key" extension, it MUST contain both a "signature_algorithms" extension and a "supported_groups"
    /// extension", and of the latter and "key_share" both or none; "Servers receiving a ClientHello which does not conform
    /// to these requirements MUST abort the handshake with a "missing_extension" alert".
    pub(crate) fn lacks_an_extension_of_tls13(&self) -> bool {
        let has = |kind| self.list(List::Extensions).contains(&kind);
        let complete = has(SIGNATURE_ALGORITHMS) && has(SUPPORTED_GROUPS);
        has(SUPPORTED_GROUPS) != has(KEY_SHARE) || !(complete || has(PRE_SHARED_KEY))
    }

    fn list(&self, list: List) -> &[u16] {
        let end = |at: usize| self.ends.get(at).map_or(0, |end| usize::from(*end));
        let at = list as usize;
        let start = at.checked_sub(1).map_or(0, end);
        self.numbers.get(start..end(at)).unwrap_or_default()
    }

    /// `part` is what becomes of the two lists.
    fn ja4(&self, part: impl Fn(&str) -> String) -> String {
        let version = match self.newest {
            0x0304 => "13",
            0x0303 => "12",
            0x0302 => "11",
            0x0301 => "10",
            0x0300 => "s3",
            0x0002 => "s2",
            _ => "00",
        };
        let mut suites = without_grease(self.list(List::Suites));
        let mut extensions = without_grease(self.list(List::Extensions));
        let name = if extensions.contains(&SERVER_NAME) {
            'd'
        } else {
            'i'
        };
        let counts = [suites.len(), extensions.len()].map(|count| count.min(99));
        suites.sort_unstable();
        extensions.retain(|kind| *kind != SERVER_NAME && *kind != ALPN);
        extensions.sort_unstable();
        let mut last = joined(&extensions);
        let schemes = without_grease(self.list(List::Schemes));
        if !schemes.is_empty() {
            last = format!("{last}_{}", joined(&schemes));
        }
        format!(
            "t{version}{name}{:02}{:02}{}_{}_{}",
            counts[0],
            counts[1],
            self.first_protocol(),
            part(&joined(&suites)),
            part(&last)
        )
    }

    /// First and last letter of the first protocol; of its octets in hexadecimal where either is none.
    fn first_protocol(&self) -> String {
        let first = self.alpn.first().map(Vec::as_slice).unwrap_or_default();
        let (Some(head), Some(tail)) = (first.first(), first.last()) else {
            return "00".to_owned();
        };
        if head.is_ascii_alphanumeric() && tail.is_ascii_alphanumeric() {
            return [char::from(*head), char::from(*tail)].iter().collect();
        }
        format!("{:x}{:x}", head >> 4, tail & 15)
    }
}

/// The newest version offered, one that nobody knows too, by JA4's rules.
fn newest(hello: &Hello) -> u16 {
    if hello.versions.is_empty() {
        return hello.legacy_version;
    }
    let newest = without_grease(&hello.versions).into_iter().max();
    newest.unwrap_or_default()
}

fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 15 == 10
}

fn without_grease(values: &[u16]) -> Vec<u16> {
    let kept = values.iter().filter(|value| !is_grease(**value));
    kept.copied().collect()
}

fn joined(values: &[u16]) -> String {
    let shown: Vec<_> = values.iter().map(|value| format!("{value:04x}")).collect();
    shown.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of JA4.md: Chrome, in the order in which it sends them, and its GREASE.
    fn chrome() -> Hello {
        Hello {
            legacy_version: 0x0303,
            versions: vec![0x1a1a, 0x0304, 0x0303],
            suites: vec![
                0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
                0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
            ],
            extensions: vec![
                0x3a3a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005,
                0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0x4a4a,
            ],
            groups: vec![0x5a5a, 0x001d, 0x0017, 0x0018],
            signature_schemes: vec![
                0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601,
            ],
            alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            ..Hello::default()
        }
    }

    #[test]
    fn what_tls13_needs() {
        let (groups, schemes, session, share) = (10, 13, 41, 51);
        let lacks = |extensions: &[u16]| {
            Offered::new(&Hello {
                extensions: extensions.to_vec(),
                ..Hello::default()
            })
            .lacks_an_extension_of_tls13()
        };
        assert!(!lacks(&[share, schemes, groups]) && !lacks(&[session]));
        for hello in [
            &[][..],
            &[groups, schemes],
            &[share, schemes],
            &[groups, share],
        ] {
            assert!(lacks(hello), "{hello:?}");
        }
        assert!(lacks(&[groups, session]) && lacks(&[share, session]));
        assert!(!lacks(&[groups, share, session]));
    }

    #[test]
    fn the_published_example() {
        let offered = Offered::new(&chrome());
        let value = |name: &str| offered.value(name).unwrap();
        assert_eq!(value("JA4"), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        assert_eq!(
            value("JA4_R"),
            "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_\
             0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_\
             0403,0804,0401,0503,0805,0501,0806,0601"
        );
        assert_eq!(value("CLIENTHELLO_VERSIONS"), "1a1a,0304,0303");
        assert_eq!(value("CLIENTHELLO_GROUPS"), "5a5a,001d,0017,0018");
        assert_eq!(value("CLIENTHELLO_ALPN"), "h2,http/1.1");
        assert!(offered.value("CLIENTHELLO").is_none());
    }

    #[test]
    fn a_hello_without_signature_algorithms_as_published() {
        let mut hello = chrome();
        hello.signature_schemes.clear();
        let value = Offered::new(&hello).value("JA4").unwrap();
        assert_eq!(value, "t13d1516h2_8daaf6152771_6d807ffa2a79");
    }

    /// The table of JA4.md, what its text says besides, and that GREASE is no protocol of its own here.
    #[test]
    fn first_and_last_letter_of_the_first_protocol() {
        let published: [(&[u8], &str); 12] = [
            (b"h2", "h2"),
            (b"http/1.1", "h1"),
            (b"", "00"),
            (b"h", "hh"),
            (b"\xab", "ab"),
            (b"\xab\xcd", "ad"),
            (b"\x30\xab", "3b"),
            (b"\x30\x31\xab\xcd", "3d"),
            (b"\x30\xab\xcd\x31", "01"),
            (b"\x0a\x0a", "0a"),
            (b"~", "7e"),
            ("\u{e9}t\u{e9}".as_bytes(), "c9"),
        ];
        for (protocol, expected) in published {
            let mut hello = chrome();
            hello.alpn[0] = protocol.to_vec();
            let value = Offered::new(&hello).value("JA4").unwrap();
            assert_eq!(
                value.get(..10).unwrap(),
                format!("t13d1516{expected}"),
                "{protocol:02x?}"
            );
        }
        let mut hello = chrome();
        hello.alpn.clear();
        assert!(
            Offered::new(&hello)
                .value("JA4")
                .unwrap()
                .starts_with("t13d151600_")
        );
    }

    #[test]
    fn the_newest_version_counts_even_where_nobody_knows_it() {
        let of = |versions: &[u16], legacy: u16| {
            let hello = Hello {
                versions: versions.to_vec(),
                legacy_version: legacy,
                ..chrome()
            };
            let value = Offered::new(&hello).value("JA4").unwrap();
            value.get(..3).unwrap().to_owned()
        };
        assert_eq!(of(&[0x0303, 0x0305, 0x0304], 0x0303), "t00");
        assert_eq!(of(&[0xfafa], 0x0303), "t00", "GREASE alone is none");
        assert_eq!(of(&[0x0303, 0xfafa, 0x0304, 0x0a0a], 0x0301), "t13");
        for (legacy, expected) in [
            (0x0303, "t12"),
            (0x0302, "t11"),
            (0x0301, "t10"),
            (0x0300, "ts3"),
            (0x0002, "ts2"),
            (0x7f1c, "t00"),
        ] {
            assert_eq!(of(&[], legacy), expected);
        }
    }

    #[test]
    fn lists_that_are_empty_and_lists_that_are_long() {
        let nothing = Hello {
            legacy_version: 0x0303,
            suites: vec![0x0a0a, 0xfafa],
            extensions: vec![0x1a1a, SERVER_NAME, ALPN],
            signature_schemes: vec![0x2a2a],
            alpn: vec![b"h2".to_vec()],
            ..Hello::default()
        };
        let offered = Offered::new(&nothing);
        assert_eq!(offered.value("JA4_R").unwrap(), "t12d0002h2__");
        assert_eq!(
            offered.value("JA4").unwrap(),
            "t12d0002h2_000000000000_000000000000"
        );
        let many = Hello {
            suites: (0x0a00..0x0b00).collect(),
            extensions: (0x1000..0x1100).collect(),
            ..chrome()
        };
        let offered = Offered::new(&many);
        let value = offered.value("JA4_R").unwrap();
        assert!(
            value.starts_with("t13i9999h2_0a00,0a01,") && !value.contains("0a0a"),
            "{value}"
        );
        assert_eq!(value.split(['_', ',']).count(), 1 + 255 + 256 + 8);
        // What is no suite but stands among them counts (the signals of RFC 5746 and RFC 7507).
        let signals = Hello {
            suites: vec![0x1301, 0x00ff, 0x5600],
            ..chrome()
        };
        assert!(
            Offered::new(&signals)
                .value("JA4_R")
                .unwrap()
                .starts_with("t13d0316h2_00ff,1301,5600_")
        );
    }

    #[test]
    fn what_is_missing_or_odd() {
        let mut hello = chrome();
        hello.alpn = vec![vec![0xab, b'x', 0xcd]];
        hello.extensions.retain(|kind| *kind != SERVER_NAME);
        hello.versions.clear();
        hello.signature_schemes.clear();
        let offered = Offered::new(&hello);
        assert!(
            offered
                .value("JA4")
                .unwrap()
                .starts_with("t12i1515ad_8daaf6152771_")
        );
        assert_eq!(offered.value("CLIENTHELLO_ALPN").unwrap(), "0xab78cd");
        let nothing = Offered::new(&Hello::default());
        assert_eq!(
            nothing.value("JA4").unwrap(),
            "t00i000000_000000000000_000000000000"
        );
        assert_eq!(nothing.value("CLIENTHELLO_CIPHERS").unwrap(), "");
    }
}
