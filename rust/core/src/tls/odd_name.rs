// SPDX-License-Identifier: Apache-2.0
//! Clients that ask for a name that is none of DNS: `joe-.shop.test`, `_x.test:443`, `1234`.
//!
//! rustls ends such a handshake (0.23: server/hs.rs), while httpd has virtual hosts of such names, and others answer
//! with the first one. So server_name is hidden from rustls under a type that it does not know, and what both sides
//! hash is restored: the transcript is the client's, to the byte (RFC 8446 4.4.1).

use std::borrow::Cow;

use super::context;
use super::hello::Hidden;

const CLIENT_HELLO: u8 = 1;
const MESSAGE_HEADER: usize = 4;

/// Messages as the client has them, of which rustls has hidden ones: a client signs the messages themselves in TLS 1.2
/// (RFC 5246 7.4.8), and their hash in TLS 1.3.
pub fn restored(messages: &[u8]) -> Cow<'_, [u8]> {
    let Some(at) = place(messages) else {
        return Cow::Borrowed(messages);
    };
    let mut own = messages.to_vec();
    if let Some(kind) = own.get_mut(at..at + 2) {
        kind.fill(0);
    }
    Cow::Owned(own)
}

/// Where the substitute of this connection stands in `data`.
fn place(data: &[u8]) -> Option<usize> {
    let hidden = context::with(|context| context.hidden).flatten();
    hidden.and_then(|hidden| find(data, hidden))
}

/// Where the substitute stands among the messages of `data`.
fn find(data: &[u8], hidden: Hidden) -> Option<usize> {
    let mut start = 0;
    while let Some([kind, high, mid, low]) = data.get(start..)?.first_chunk::<MESSAGE_HEADER>() {
        if *kind == CLIENT_HELLO {
            let at = start + hidden.offset;
            return (data.get(at..at + 2)? == hidden.substitute).then_some(at);
        }
        let length = usize::from(*high) << 16 | usize::from(*mid) << 8 | usize::from(*low);
        start += MESSAGE_HEADER + length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_type_is_found_behind_other_messages() {
        let hello = [1, 0, 0, 6, 9, 9, 0xff, 0x80, 7, 7];
        let hidden = Hidden {
            offset: 6,
            substitute: [0xff, 0x80],
        };
        assert_eq!(find(&hello, hidden), Some(6));
        let retry = [&[254, 0, 0, 1, 5][..], &[2, 0, 0, 2, 1, 1], &hello].concat();
        assert_eq!(find(&retry, hidden), Some(5 + 6 + 6));
        assert_eq!(find(&hello[..8], hidden), Some(6), "cut before its binders");
        for other in [&hello[..7], &[20, 0, 0, 0], &[1, 0], &[]] {
            assert_eq!(find(other, hidden), None);
        }
    }

    #[test]
    fn what_a_client_signs_is_what_it_sent() {
        let messages = [
            &[1, 0, 0, 4, 0xff, 0x80, 7, 7][..],
            &[2, 0, 0, 2, 0xff, 0x80],
        ]
        .concat();
        let sent = [&[1, 0, 0, 4, 0, 0, 7, 7][..], &[2, 0, 0, 2, 0xff, 0x80]].concat();
        let of = |hidden| {
            let mut context = Some(Box::new(context::Context {
                hidden,
                ..context::Context::default()
            }));
            context::enter(&mut context, || restored(&messages).into_owned())
        };
        let hidden = Hidden {
            offset: 4,
            substitute: [0xff, 0x80],
        };
        assert_eq!(of(Some(hidden)), sent);
        assert_eq!(of(None), messages);
    }
}
