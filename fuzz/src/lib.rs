// SPDX-License-Identifier: Apache-2.0
//! What the fuzz targets run and the replay of their seeds (rust/core/tests/corpus.rs): one function for each parser of
//! foreign bytes, which must neither panic nor contradict itself.

mod brotli;
mod connection;
mod ech;
mod fetch;
mod lists;
mod orders;
mod path;
mod resumption;
mod ticket_keys;
mod x509;

pub use brotli::brotli;
pub use connection::connection;
pub use ech::ech;
pub use fetch::{http, names};
pub use lists::lists;
pub use orders::orders;
pub use path::path;
pub use resumption::ticket;
pub use x509::certificate;

use std::sync::atomic::AtomicU32;

use mod_tls_core::agent::channel::words::Words;
use mod_tls_core::agent::channel::{Layout, slot};
use mod_tls_core::agent::protocol::wire;
use mod_tls_core::agent::signer::message_check;
use mod_tls_core::creds::passphrase::{Answer, Passphrases, Question};
use mod_tls_core::creds::{certificate, decrypt, key, pem};
use mod_tls_core::ocsp;
use mod_tls_core::tls::hello::{Parsed, parse};

/// A prefix of a hello says nothing yet, or what the whole says.
pub fn hello(data: &[u8]) {
    let whole = parse(data);
    for cut in [data.len() / 4, data.len() / 2, data.len().saturating_sub(1)] {
        let prefix = parse(data.get(..cut).unwrap_or_default());
        assert!(
            prefix == Parsed::NeedMore || prefix == whole,
            "cut at {cut}"
        );
    }
}

/// Every block decodes within its capacity.
pub fn pem(data: &[u8]) {
    for block in pem::blocks(data).flatten() {
        let _ = block.header("Proc-Type");
        if let Ok(decoded) = block.decode() {
            assert!(decoded.len() <= data.len());
        }
    }
    let _ = certificate::find_certificates("file", data, &mut certificate::KnownIssuers::new());
}

/// Keys as PEM or DER, encrypted ones with one short phrase.
pub fn key(data: &[u8]) {
    if let Ok(key::FoundKey::Encrypted(sealed)) = key::find_key("file", data) {
        let _ = decrypt::decrypt_key(sealed, &Question::default(), &mut OnePhrase);
    }
    let _ = key::read_key("file", data);
}

/// A frame of a child or of the signer, and a channel's memory whose first bytes are these. What parses is exactly one
/// encoding, no message has a shape in both roles, and nothing that is read of the memory exceeds its bounds.
pub fn agent(data: &[u8]) {
    if let Ok(number) = wire::parse_probe(data) {
        assert_eq!(wire::probe(number), data);
    }
    if let Ok(request) = wire::Request::parse(data) {
        let mut again = request.head().to_vec();
        again.extend_from_slice(request.message);
        assert_eq!(again, data);
        let roles = [wire::Role::Server, wire::Role::ProxyClient];
        let shapes = roles.map(|role| message_check::allowed(role, request.message));
        assert_ne!(shapes, [true, true]);
    }
    if let Ok(reply) = wire::Reply::parse(data) {
        let mut again = reply.head().to_vec();
        again.extend_from_slice(reply.signature);
        assert_eq!(again, data);
    }
    channel_memory(data);
}

/// Both ends over memories that somebody has scribbled on: the signer's first, then the child's.
fn channel_memory(data: &[u8]) {
    let layout = Layout::new([1, 2, 3, 33].get(data.len() % 4).copied().unwrap_or(1));
    let memory = |bytes: usize| -> Vec<AtomicU32> {
        let memory: Vec<AtomicU32> = (0..bytes / 4).map(|_| AtomicU32::new(0)).collect();
        memory.as_slice().write(0, data);
        memory
    };
    let (requests, replies) = (memory(layout.request_bytes()), memory(layout.reply_bytes()));
    let (requests, replies) = (requests.as_slice(), replies.as_slice());
    let waiting = slot::waiting(requests, layout);
    assert!(waiting.len() <= layout.slots());
    let mut frame = Vec::new();
    for (slot, number) in waiting {
        assert!(slot < layout.slots() && number < slot::NUMBERS);
        assert_eq!(slot::wanted(requests, layout, slot), Some(number));
        for most in [wire::SHORT_REQUEST, wire::MAX_REQUEST, usize::MAX] {
            slot::take(requests, layout, slot, most, &mut frame);
            assert!(frame.len() <= most.min(wire::MAX_REQUEST));
        }
        let _ = slot::answer(replies, layout, slot, 5, number, &[7; 80]);
    }
    for slot in 0..layout.slots() {
        assert!(slot::reply(replies, layout, slot).len() <= wire::MAX_REPLY);
    }
    // Whoever was said to own a slot is gone: the child can use each of them.
    for _ in 0..layout.slots() {
        let slot = slot::claim(requests, replies, layout, 9, |_| false).unwrap_or(usize::MAX);
        let mut number = slot::ask(requests, layout, slot, |_| vec![1, 2, 3]);
        if slot::is_answered(replies, layout, slot, number)
            || !slot::answer(replies, layout, slot, 6, number, &[1])
        {
            // What stood there was that number's by chance.
            number = slot::ask(requests, layout, slot, |_| vec![1, 2, 3]);
            assert!(slot::answer(replies, layout, slot, 6, number, &[1]));
        }
        assert_eq!(slot::wanted(requests, layout, slot), Some(number));
        slot::take(requests, layout, slot, wire::SHORT_REQUEST, &mut frame);
        assert_eq!(frame, [1, 2, 3]);
        assert_eq!(
            slot::progress(replies, layout, slot, number),
            slot::Progress::Done
        );
        assert_eq!(slot::reply(replies, layout, slot), [1]);
    }
    assert_eq!(slot::claim(requests, replies, layout, 9, |_| false), None);
}

const LEAF: &[u8] = include_bytes!("../ocsp/leaf.der");
const ISSUER: &[u8] = include_bytes!("../ocsp/issuer.der");

/// A response that a client would believe is sent as it came, while it is good; the certificates are foreign bytes too.
pub fn ocsp(data: &[u8]) {
    if let Ok(staple) = judge_ocsp(data) {
        assert_eq!(staple.der, data);
        assert!(staple.from < staple.until);
        assert!(staple.is_of_use(now()) && !staple.is_of_use(staple.until));
    }
    let rules = ocsp::Rules {
        max_age: Some(60),
        responders: vec![ISSUER.to_vec(), data.to_vec()],
        ..ocsp::Rules::default()
    };
    if let Ok(answer) = ocsp::judge(data, LEAF, ISSUER, Some(data), &rules, now()) {
        panic!("the response repeats what is longer than itself: {answer:?}");
    }
    let response = include_bytes!("../corpus/ocsp/good");
    let _ = ocsp::judge(response, data, ISSUER, None, &rules, now());
    if let Some(request) = ocsp::request(data, ISSUER, Some(data)) {
        assert!(
            ocsp::key(data, ISSUER).is_some()
                && !ocsp::get_path(&request).contains(['+', '/', '='])
        );
    }
    let _ = ocsp::responder(data);
    let _ = ocsp::check(response, data, ISSUER, now());
    let _ = ocsp::check(response, LEAF, data, now());
}

/// What is said of a response about the certificate that the seeds are about, at the time when they were made.
pub fn judge_ocsp(response: &[u8]) -> Result<ocsp::Staple, ocsp::Refusal> {
    ocsp::check(response, LEAF, ISSUER, now())
}

fn now() -> i64 {
    include_str!("../ocsp/now").trim().parse().unwrap_or(0)
}

struct OnePhrase;

impl Passphrases for OnePhrase {
    fn ask(&mut self, question: &Question<'_>) -> Answer {
        match question.attempt {
            0 => Answer::Phrase(b"test phrase".to_vec().into()),
            _ => Answer::None(String::new()),
        }
    }
}
