// SPDX-License-Identifier: Apache-2.0
//! Reading a key leaves nothing of it behind: neither the text of its file nor the decoded bytes nor the pass phrase.
//! The whole memory of this process is searched, so this is the only test in it, and it never holds what it looks for:
//! needles are read byte by byte and kept inverted.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is how it fails"
)]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use mod_tls_core::creds::{Dialog, LoadRequest, PairRequest, load, pem, read};
use mod_tls_core::system::file::Limit;

fn path(name: &str) -> String {
    format!("{}/testdata/creds/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The file's bytes, inverted.
fn inverted(name: &str) -> Vec<u8> {
    let mut file = File::open(path(name)).unwrap();
    let mut out = Vec::new();
    let mut byte = [0u8; 1];
    while file.read(&mut byte).unwrap() == 1 {
        out.push(!byte[0]);
    }
    out
}

/// 16 digits of base64 from a line of the file's last block, where its private part is.
fn text_needle(inverted: &[u8], line: usize, from: usize) -> Vec<u8> {
    let lines: Vec<&[u8]> = inverted.split(|b| *b == !b'\n').collect();
    let begin = lines
        .iter()
        .rposition(|line| line.starts_with(&[!b'-'; 5]) && line[5..].starts_with(&[!b'B', !b'E']));
    lines[begin.unwrap() + 1 + line][from..from + 16].to_vec()
}

/// What those digits encode, from a multiple of four on: 12 octets, inverted.
fn der_needle(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for four in text.chunks_exact(4) {
        let word = four.iter().fold(0u32, |word, digit| {
            let value = match !digit {
                d @ b'A'..=b'Z' => d - b'A',
                d @ b'a'..=b'z' => d - b'a' + 26,
                d @ b'0'..=b'9' => d - b'0' + 52,
                b'+' => 62,
                _ => 63,
            };
            word << 6 | u32::from(value)
        });
        out.extend(word.to_be_bytes()[1..].iter().map(|b| !b));
    }
    out
}

/// How often the bytes stand in writable memory, not counting the buffers of the search itself.
fn occurrences(needle: &[u8]) -> usize {
    let maps = BufReader::new(File::open("/proc/self/maps").unwrap());
    let ranges: Vec<(u64, u64)> = maps
        .lines()
        .map(Result::unwrap)
        .filter(|line| line.contains(" rw") && !line.contains("[v"))
        .map(|line| {
            let (start, rest) = line.split_once('-').unwrap();
            let end = rest.split_once(' ').unwrap().0;
            (
                u64::from_str_radix(start, 16).unwrap(),
                u64::from_str_radix(end, 16).unwrap(),
            )
        })
        .collect();
    let mut memory = File::open("/proc/self/mem").unwrap();
    // Kept inverted as well, so that a search does not find what an earlier one has read.
    let mut window = vec![0u8; 1 << 20];
    let mut found = 0;
    for (start, end) in ranges {
        let mut at = start;
        while at < end {
            let length = usize::try_from((end - at).min(window.len() as u64)).unwrap();
            memory.seek(SeekFrom::Start(at)).unwrap();
            let got = memory.read(&mut window[..length]).unwrap_or(0);
            window[..got].iter_mut().for_each(|b| *b = !*b);
            found += window[..got]
                .windows(needle.len())
                .filter(|part| *part == needle)
                .count();
            window.fill(0);
            at += length as u64;
        }
    }
    found
}

fn request(certificate: &str, key: &str, passphrase: &str) -> LoadRequest {
    let pair = PairRequest {
        certificate: path(certificate),
        key: Some(path(key)),
        ..PairRequest::default()
    };
    LoadRequest {
        passphrase: passphrase.to_owned(),
        pairs: vec![pair],
        strict: true,
        ..LoadRequest::default()
    }
}

#[test]
fn nothing_of_a_key_stays_in_memory() {
    // Line and column of digits that encode the secret.
    for (certificate, key, line, from) in [
        ("p256.crt.pem", "p256.pkcs8.pem", 0, 48),
        ("rsa.crt.pem", "rsa.pkcs1.pem", 7, 8),
        ("p521.crt.pem", "p521.sec1.pem", 0, 16),
        ("ed25519.crt.pem", "ed25519.pkcs8.pem", 0, 24),
    ] {
        let text = text_needle(&inverted(key), line, from);
        let der = der_needle(&text);
        {
            let file = read(&path(key), Limit::CREDENTIAL).unwrap();
            let block = pem::blocks(&file).map(Result::unwrap).last().unwrap();
            let decoded = block.decode().unwrap();
            assert!(
                occurrences(&text) > 0 && occurrences(&der) > 0,
                "{key}: the search finds both"
            );
            drop(decoded);
        }
        let report = load(&[request(certificate, key, "")], &mut Dialog::default());
        assert!(report.sets[0].is_some(), "{:?}", report.problems);
        assert_eq!(
            occurrences(&text),
            0,
            "{key}: its text, while the key lives"
        );
        drop(report);
        assert_eq!(occurrences(&der), 0, "{key}: its bytes, after the key");
    }

    let der = der_needle(&text_needle(&inverted("rsa.pkcs8.pem"), 8, 8));
    let phrase: Vec<u8> = b"test"
        .iter()
        .chain(b" phrase from a file")
        .map(|b| !b)
        .collect();
    let file = std::env::temp_dir().join(format!("mod_tls-wipe-{}", std::process::id()));
    std::fs::copy(path("phrase"), &file).unwrap();
    let source = format!("file:{}", file.display());
    for key in ["rsa.aes256.phrase.pem", "rsa.scrypt.phrase.pem"] {
        let report = load(
            &[request("rsa.crt.pem", key, &source)],
            &mut Dialog::default(),
        );
        assert!(report.sets[0].is_some(), "{:?}", report.problems);
        assert_eq!(
            occurrences(&phrase),
            0,
            "{key}: the pass phrase, while the key lives"
        );
        drop(report);
        assert_eq!(occurrences(&der), 0, "{key}: its bytes, after the key");
    }
    std::fs::remove_file(&file).unwrap();
}
