// SPDX-License-Identifier: Apache-2.0
//! Every field of every certificate of the corpus, letter for letter as Debian's mod_ssl printed it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is how it fails"
)]

use std::collections::BTreeMap;

use mod_tls_core::x509::{DnStyle, Identity, Side};
use rustls_pki_types::CertificateDer;

const CORPUS: &str = include_str!("corpus.txt");
/// Its first line.
const WRITTEN_BY: &str = "# Written by tests/harness/record_corpus.py";
const NOW: i64 = 1_790_000_000;

struct Recorded {
    name: &'static str,
    der: Vec<u8>,
    fields: Vec<(DnStyle, &'static str, Vec<u8>)>,
}

fn corpus() -> Vec<Recorded> {
    let mut all: Vec<Recorded> = Vec::new();
    let mut lines = CORPUS.lines();
    assert_eq!(lines.next(), Some(WRITTEN_BY));
    for line in lines {
        let mut words = line.splitn(3, ' ');
        let (kind, name, value) = (
            words.next().unwrap(),
            words.next().unwrap(),
            words.next().unwrap_or(""),
        );
        let style = match kind {
            "cert" => {
                all.push(Recorded {
                    name,
                    der: base64(value),
                    fields: Vec::new(),
                });
                continue;
            }
            "legacy" => DnStyle::Legacy,
            _ => DnStyle::Rfc2253,
        };
        all.last_mut()
            .unwrap()
            .fields
            .push((style, name, unquote(value)));
    }
    all
}

fn base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
            .iter()
            .position(|d| *d == c)
    };
    let digits: Vec<usize> = text.bytes().filter_map(digit).collect();
    let groups = digits.chunks(4).flat_map(|group| {
        let bits = (0..4).fold(0, |sum, i| sum << 6 | group.get(i).copied().unwrap_or(0));
        (0..group.len() - 1).map(move |i| (bits >> (16 - 8 * i)) as u8)
    });
    groups.collect()
}

fn unquote(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(&after[..2]).unwrap();
            out.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &after[2..];
        } else {
            out.push(first);
            rest = after;
        }
    }
    out
}

fn identity(der: &[u8]) -> Identity {
    Identity::new(None, vec![CertificateDer::from(der.to_vec())])
}

type Fields = BTreeMap<String, String>;

fn show(value: &[u8]) -> String {
    value.escape_ascii().to_string()
}

/// What the recording says and what we say, of one certificate in one form.
fn compare(recorded: &Recorded, style: DnStyle) -> (Fields, Fields) {
    let identity = identity(&recorded.der);
    let mut theirs = Fields::new();
    let mut ours = Fields::new();
    for (_, name, value) in recorded.fields.iter().filter(|(form, ..)| *form == style) {
        theirs.insert((*name).to_owned(), show(value));
        if let Some(asked) = name.strip_prefix("ASKED_SSL_CLIENT_") {
            let answer = identity
                .field(Side::Client, asked, style, NOW)
                .unwrap_or_default();
            ours.insert((*name).to_owned(), show(&answer));
        }
    }
    for (name, value) in identity.exported(Side::Client, style, NOW) {
        if name != "V_REMAIN" {
            ours.insert(format!("SSL_CLIENT_{name}"), show(&value));
        }
    }
    (theirs, ours)
}

#[test]
fn every_field_is_as_mod_ssl_prints_it() {
    let corpus = corpus();
    assert!(corpus.len() >= 150, "only {} certificates", corpus.len());
    let mut differences = Vec::new();
    for recorded in &corpus {
        for style in [DnStyle::Rfc2253, DnStyle::Legacy] {
            let (theirs, ours) = compare(recorded, style);
            for name in theirs.keys().chain(ours.keys()) {
                let (theirs, ours) = (theirs.get(name), ours.get(name));
                if theirs != ours {
                    differences.push(format!(
                        "{} {style:?} {name}: {theirs:?} {ours:?}",
                        recorded.name
                    ));
                }
            }
        }
    }
    differences.dedup();
    assert!(
        differences.is_empty(),
        "mod_ssl's and ours:\n{}",
        differences.join("\n")
    );
}

/// A small generator of its own: the same flips on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn ten_thousand_damaged_certificates_do_no_harm() {
    let corpus = corpus();
    let mut numbers = Numbers(1);
    for round in 0..10_000 {
        let mut der = corpus[round % corpus.len()].der.clone();
        for _ in 0..=numbers.below(3) {
            let place = numbers.below(der.len());
            der[place] ^= 1 << numbers.below(8);
        }
        if numbers.below(4) == 0 {
            der.truncate(numbers.below(der.len()));
        }
        let identity = identity(&der);
        for style in [DnStyle::Rfc2253, DnStyle::Legacy] {
            std::hint::black_box(identity.exported(Side::Client, style, NOW));
        }
        for name in [
            "S_DN_CN_RAW",
            "SAN_DNS_0",
            "CERT",
            "CERT_CHAIN_0",
            "I_DN_OU_3",
            "SAN_OTHER_msUPN_0",
        ] {
            std::hint::black_box(identity.field(Side::Client, name, DnStyle::Rfc2253, NOW));
        }
        for extension in [
            "2.5.29.17",
            "2.5.29.37",
            "2.5.29.15",
            "2.5.29.19",
            "2.5.29.35",
            "1.3.6.1.5.5.7.1.1",
        ] {
            std::hint::black_box(identity.extensions(Side::Client, extension));
        }
    }
}
