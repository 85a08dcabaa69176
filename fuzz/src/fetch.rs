// SPDX-License-Identifier: Apache-2.0
//! What the fetcher reads: answers of HTTP servers and of name servers, and addresses.

use mod_tls_core::fetch::address;
use mod_tls_core::fetch::http::{Answer, Fault, LONGEST_HEAD, Reader};
use mod_tls_core::fetch::resolve::{self, Kind, MOST_ADDRESSES};
use mod_tls_core::fetch::url::Url;

const MOST: usize = 1000;

/// In whatever pieces an answer comes, it is the same, and within bounds.
pub fn http(data: &[u8]) {
    let whole = answer(data.chunks(data.len().max(1)));
    for size in [1, 2, 7, 64] {
        assert_eq!(answer(data.chunks(size)), whole, "in pieces of {size}");
    }
    if let Ok(answer) = whole {
        assert!(answer.content.len() <= MOST && (200..1000).contains(&answer.status));
        let location = answer.location.unwrap_or_default();
        assert!(location.len() <= LONGEST_HEAD);
        let base = Url::parse("http://a.example/b/c?d").expect("an address");
        if let Ok(url) = base.join(&location) {
            address_of(&url.to_string());
        }
    }
    address_of(&String::from_utf8_lossy(data));
}

fn answer<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Answer, Fault> {
    let mut reader = Reader::new(MOST);
    for piece in pieces {
        if reader.read(piece)? {
            break;
        }
    }
    reader.finish()
}

/// What is followed means the same when it is written and read again, and holds nothing that ends a line.
fn address_of(text: &str) {
    let Ok(url) = Url::parse(text) else {
        return;
    };
    let written = url.to_string();
    assert!(written.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(Url::parse(&written), Ok(url));
}

/// An answer of a name server to one question, or to its own.
pub fn names(data: &[u8]) {
    let question = resolve::question(0x1234, "www.example", Kind::A).expect("a name");
    let mut message = question.clone();
    message[2..4].copy_from_slice(&[0x81, 0x80]);
    message[7] = data.first().copied().unwrap_or_default();
    message.extend_from_slice(data.get(1..).unwrap_or_default());
    for (asked, answered) in [
        (&question[..], &message[..]),
        (&question, data),
        (data, data),
    ] {
        for kind in [Kind::A, Kind::Aaaa] {
            if let Ok(found) = resolve::answer(asked, answered, kind) {
                assert!(found.len() <= MOST_ADDRESSES);
                found.into_iter().for_each(|found| {
                    let _ = address::refused(found);
                });
            }
        }
    }
}
