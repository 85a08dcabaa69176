// SPDX-License-Identifier: Apache-2.0
use super::super::pem::{PemError, blocks};
use super::{Random, data};
use crate::base64::decode as decode_base64;

fn labels(text: &[u8]) -> Vec<String> {
    blocks(text)
        .map(|b| b.map_or_else(|e| format!("{e:?}"), |b| b.label.to_owned()))
        .collect()
}

#[test]
fn finds_blocks_amid_text() {
    let text = "\u{feff}subject=x\r\n-----BEGIN DH PARAMETERS-----\r\nAAAA\r\n-----END DH PARAMETERS-----  \r\n\
                noise -----BEGIN NOTHING-----\n-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----";
    let found: Vec<_> = blocks(text.as_bytes()).map(Result::unwrap).collect();
    assert_eq!(
        found.iter().map(|b| (b.label, b.line)).collect::<Vec<_>>(),
        [("DH PARAMETERS", 2), ("CERTIFICATE", 6)]
    );
    assert_eq!(*found[1].decode().unwrap(), [1, 2, 3]);
}

#[test]
fn reads_headers() {
    let file = data("rsa.des3.proc.pem");
    let block = blocks(&file).next().unwrap().unwrap();
    assert_eq!(block.header("proc-type"), Some("4,ENCRYPTED"));
    assert!(
        block
            .header("DEK-Info")
            .unwrap()
            .starts_with("DES-EDE3-CBC,")
    );
    assert_eq!(block.decode().unwrap().len() % 8, 0);
    let crlf = String::from_utf8(file).unwrap().replace('\n', "\r\n");
    let block = blocks(crlf.as_bytes()).next().unwrap().unwrap();
    assert_eq!(block.header("Proc-Type"), Some("4,ENCRYPTED"));
    assert!(block.decode().is_ok());
}

#[test]
fn says_where_a_block_is_damaged() {
    assert_eq!(labels(b"\n-----BEGIN X-----\nAAAA\n"), ["NoEnd(2)"]);
    assert_eq!(
        labels(b"-----BEGIN X-----\nAAAA\n-----END Y-----\n"),
        ["NoEnd(1)"]
    );
    assert_eq!(
        labels(b"-----BEGIN X-----\nAA\n-----BEGIN X-----\nAA==\n-----END X-----\n")
            .first()
            .unwrap(),
        "NoEnd(1)"
    );
    let block = blocks(b"-----BEGIN X-----\nA$AA\n-----END X-----\n")
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(block.decode().unwrap_err(), PemError::NotBase64(1));
}

#[test]
fn base64() {
    for (text, expected) in [
        ("", Some(&b""[..])),
        ("Zg==", Some(b"f")),
        ("Zm8=", Some(b"fo")),
        ("Zm9v", Some(b"foo")),
        (" Z m\t9\r\nvYg==\n", Some(b"foob")),
        ("+/+/", Some(b"\xfb\xff\xbf")),
        ("Zg=", None),
        ("Zg", None),
        ("Zg===", None),
        ("Z===", None),
        ("=", None),
        ("Zg==Zg==", None),
        ("Zm9v-_", None),
        ("Zm9v\0", None),
    ] {
        assert_eq!(
            decode_base64(text.as_bytes())
                .map(|v| v.to_vec())
                .as_deref(),
            expected,
            "{text:?}"
        );
    }
}

/// Every digit value against a plain table, since the mapping is arithmetic.
#[test]
fn every_digit() {
    let table = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for byte in (0..=255u8).filter(|b| *b != b'=') {
        let decoded = decode_base64(&[b'A', b'A', b'A', byte]);
        match table.iter().position(|t| *t == byte) {
            Some(value) => assert_eq!(decoded.unwrap().last().copied(), u8::try_from(value).ok()),
            None => assert!(decoded.is_none() || byte.is_ascii_whitespace(), "{byte}"),
        }
    }
}

#[test]
fn the_buffer_is_never_moved() {
    for length in 0..200 {
        let text = "QUFB".repeat(length);
        let decoded = decode_base64(text.as_bytes()).unwrap();
        assert!(
            decoded.len() <= decoded.capacity() && decoded.capacity() <= text.len() / 4 * 3 + 3
        );
    }
}

#[test]
fn mutated_files_do_no_harm() {
    let seeds: Vec<_> = ["p256.text.crt.pem", "rsa.des3.proc.pem", "p256.sec1.pem"]
        .map(data)
        .into();
    let mut random = Random(0x1234_5678_9abc_def1);
    for _ in 0..5_000 {
        let mut file = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(4) {
            let at = random.below(file.len());
            match random.below(3) {
                0 => file[at] = u8::try_from(random.below(256)).unwrap(),
                1 => file.truncate(at.max(1)),
                _ => drop(file.splice(at..at, *b"\n-----")),
            }
        }
        for block in blocks(&file).flatten() {
            let _ = (block.decode(), block.header("DEK-Info"));
        }
    }
}
