// SPDX-License-Identifier: Apache-2.0
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;

use super::*;

/// A ServerHello message with this random.
fn hello(random: [u8; 32]) -> Vec<u8> {
    [
        &[2, 0, 0, 44, 3, 3][..],
        &random,
        &[0, 0x13, 1, 0, 0, 4, 0, 43, 0, 0],
    ]
    .concat()
}

fn hash(seam: &mut Seam, message: &[u8]) -> Option<Vec<u8>> {
    let suite = TLS13_AES_128_GCM_SHA256.tls13().unwrap();
    let transcript = suite.common.hash_provider.start();
    seam.hash(message, &*transcript, suite.hkdf_provider, 0)
}

fn accepting() -> Seam {
    let mut seam = Seam::accepting([3; 32], 0);
    seam.limit = 50;
    seam
}

fn refusing() -> Seam {
    let mut seam = Seam::refusing(Arc::from(&b"list"[..]));
    seam.limit = 16_384;
    seam
}

const EXTENSIONS: [u8; 6] = [8, 0, 0, 2, 0, 0];

#[test]
fn eight_bytes_of_a_server_hello_are_replaced_in_both_places() {
    let mut seam = accepting();
    let from = hello([9; 32]);
    let to = hash(&mut seam, &from).unwrap();
    assert_eq!((&to[..30], &to[38..]), (&from[..30], &from[38..]));
    assert_ne!(to[30..38], from[30..38]);
    assert!(seam.is_waiting() && seam.is_broken(), "not sent yet");
    let mut sent = [&b"before"[..], &records(&from, 10), &[20, 3, 3, 0, 1, 1]].concat();
    seam.mend(&mut sent, 6);
    assert_eq!(
        sent,
        [&b"before"[..], &records(&to, 50), &[20, 3, 3, 0, 1, 1]].concat()
    );
    assert!(!seam.is_broken());
    assert_eq!(hash(&mut seam, &from), None, "once");
}

/// A transcript that differs from what is sent would let client and server disagree about what was said.
#[test]
fn what_is_not_found_ends_the_connection() {
    let mut seam = accepting();
    assert!(
        seam.is_broken(),
        "rustls has said something, and hashed nothing"
    );
    hash(&mut seam, &hello([9; 32]));
    seam.mend(&mut records(&hello([8; 32]), 100), 0);
    assert!(seam.is_broken(), "another message is sent");
    let mut seam = accepting();
    let halves = hello([9; 32]);
    assert_eq!(hash(&mut seam, &halves[..40]), None);
    assert!(seam.is_broken(), "a message is hashed in pieces");
    let mut seam = refusing();
    assert_eq!(hash(&mut seam, &hello([9; 32])), None);
    assert!(!seam.is_broken());
    assert!(hash(&mut seam, &EXTENSIONS).is_some());
    assert!(seam.is_broken(), "not sent yet");
    assert_eq!(seam.extend(&[8, 0, 0, 3, 0, 0, 0]), None);
    assert!(seam.is_broken(), "another flight");
}

#[test]
fn a_retry_is_no_answer_and_says_as_much_to_both() {
    let lengths = [accepting(), refusing()].map(|mut seam| {
        let to = hash(&mut seam, &hello(RETRY)).unwrap();
        let mut sent = records(&hello(RETRY), 100);
        seam.mend(&mut sent, 0);
        assert_eq!(sent, records(&to, seam.limit));
        assert!(!seam.is_broken() && !seam.answered);
        assert_eq!(to[to.len() - 12..to.len() - 8], [0xfe, 0x0d, 0, 8]);
        assert_ne!(to[to.len() - 8..], [0; 8]);
        to.len()
    });
    assert_eq!(lengths[0], lengths[1]);
}

#[test]
fn a_list_goes_with_the_first_record_where_it_has_room() {
    let mut seam = refusing();
    hash(&mut seam, &hello([9; 32]));
    let to = hash(&mut seam, &EXTENSIONS).unwrap();
    assert_eq!(
        to,
        [&[8, 0, 0, 10, 0, 8, 0xfe, 0x0d, 0, 4][..], b"list"].concat()
    );
    assert_eq!(
        (seam.next_key(), seam.next_key()),
        (Some(Rewrite::Extend), None)
    );
    let flight = [&EXTENSIONS[..], b"certificate"].concat();
    assert_eq!(
        seam.extend(&flight).unwrap(),
        [&to[..], b"certificate"].concat()
    );
    assert!(!seam.is_broken());
    for change in [
        |seam: &mut Seam| seam.limit = 512,
        |seam: &mut Seam| seam.authorities = 20_000,
        |seam: &mut Seam| seam.answer = Answer::Refused(Arc::default()),
    ] {
        let mut seam = refusing();
        change(&mut seam);
        hash(&mut seam, &hello([9; 32]));
        assert_eq!(hash(&mut seam, &EXTENSIONS), None);
        assert!(!seam.is_broken());
    }
}
