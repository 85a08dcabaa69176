// SPDX-License-Identifier: Apache-2.0
//! Whether a message is what a TLS handshake signs, so that a captured child cannot use a key for anything else.

use crate::agent::protocol::wire::Role;

const SPACES: usize = 64;
const SERVER_CONTEXT: &[u8] = b"TLS 1.3, server CertificateVerify\0";
const CLIENT_CONTEXT: &[u8] = b"TLS 1.3, client CertificateVerify\0";
const RANDOMS: usize = 64;
const NAMED_CURVE: u8 = 3;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CLIENT_KEY_EXCHANGE: u8 = 16;

/// Whether a key of `role` may sign `message`.
///
/// RFC 8446 4.4.3 for TLS 1.3 in both roles; RFC 5246 7.4.3 with RFC 8422 5.4 for a TLS 1.2 server, 7.4.8 for a
/// TLS 1.2 client. DHE parameters are refused: the engine does not negotiate them.
pub fn allowed(role: Role, message: &[u8]) -> bool {
    match role {
        Role::Server => certificate_verify(SERVER_CONTEXT, message) || ecdh_params(message),
        Role::ProxyClient => certificate_verify(CLIENT_CONTEXT, message) || transcript(message),
    }
}

/// RFC 8446 4.4.3: 64 spaces, the context string, a zero, the transcript hash (SHA-256 or SHA-384).
fn certificate_verify(context: &[u8], message: &[u8]) -> bool {
    let Some((spaces, rest)) = message.split_at_checked(SPACES) else {
        return false;
    };
    let Some(hash) = rest.strip_prefix(context) else {
        return false;
    };
    spaces.iter().all(|byte| *byte == b' ') && matches!(hash.len(), 32 | 48)
}

/// RFC 5246 7.4.3: both randoms, then RFC 8422 5.4's ServerECDHParams with a named curve.
fn ecdh_params(message: &[u8]) -> bool {
    let Some((randoms, params)) = message.split_at_checked(RANDOMS) else {
        return false;
    };
    let [NAMED_CURVE, curve_high, curve_low, length, point @ ..] = params else {
        return false;
    };
    // 64 spaces are TLS 1.3's mark (RFC 8446 4.4.3); no honest client sends them as its random.
    if randoms.iter().all(|byte| *byte == b' ') || point.len() != usize::from(*length) {
        return false;
    }
    match u16::from_be_bytes([*curve_high, *curve_low]) {
        23 => uncompressed(point, 65),  // secp256r1
        24 => uncompressed(point, 97),  // secp384r1
        25 => uncompressed(point, 133), // secp521r1
        29 => point.len() == 32,        // x25519
        30 => point.len() == 56,        // x448
        _ => false,
    }
}

fn uncompressed(point: &[u8], length: usize) -> bool {
    point.len() == length && point.first() == Some(&4)
}

/// RFC 5246 7.4.8: every handshake message so far, from ClientHello to ClientKeyExchange, without a gap.
fn transcript(message: &[u8]) -> bool {
    let mut rest = message;
    let mut position = 0usize;
    let mut last = 0u8;
    while !rest.is_empty() {
        let [kind, l0, l1, l2, body @ ..] = rest else {
            return false;
        };
        let length = u32::from_be_bytes([0, *l0, *l1, *l2]) as usize;
        let Some((_, next)) = body.split_at_checked(length) else {
            return false;
        };
        let in_place = match position {
            0 => *kind == CLIENT_HELLO,
            1 => *kind == SERVER_HELLO,
            _ => !matches!(*kind, CLIENT_HELLO | SERVER_HELLO) && last != CLIENT_KEY_EXCHANGE,
        };
        if !in_place {
            return false;
        }
        last = *kind;
        position = position.saturating_add(1);
        rest = next;
    }
    last == CLIENT_KEY_EXCHANGE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::{Random, server_message};

    fn params(curve: u16, point: &[u8]) -> Vec<u8> {
        let mut message = (0..64).collect::<Vec<u8>>();
        message.push(NAMED_CURVE);
        message.extend_from_slice(&curve.to_be_bytes());
        message.push(point.len() as u8);
        message.extend_from_slice(point);
        message
    }

    fn handshake(kinds: &[u8]) -> Vec<u8> {
        kinds
            .iter()
            .flat_map(|kind| [*kind, 0, 0, 3, 1, 2, 3])
            .collect()
    }

    #[test]
    fn tls13_by_role() {
        let server = server_message(32);
        let mut client = server.clone();
        client[64..64 + 34].copy_from_slice(CLIENT_CONTEXT);
        assert!(allowed(Role::Server, &server));
        assert!(allowed(Role::Server, &server_message(48)));
        assert!(allowed(Role::ProxyClient, &client));
        assert!(!allowed(Role::Server, &client));
        assert!(!allowed(Role::ProxyClient, &server));
        for hash in [0, 20, 31, 33, 47, 49, 64] {
            assert!(
                !allowed(Role::Server, &server_message(hash)),
                "hash of {hash} bytes"
            );
        }
        for position in 0..98 {
            let mut bad = server.clone();
            bad[position] ^= 1;
            assert!(!allowed(Role::Server, &bad), "byte {position}");
        }
    }

    #[test]
    fn tls12_server_parameters() {
        let mut p256 = vec![4; 65];
        assert!(allowed(Role::Server, &params(23, &p256)));
        assert!(allowed(Role::Server, &params(29, &[9; 32])));
        assert!(!allowed(Role::ProxyClient, &params(29, &[9; 32])));
        assert!(!allowed(Role::Server, &params(29, &[9; 33])));
        assert!(!allowed(Role::Server, &params(22, &[9; 32])));
        p256[0] = 2;
        assert!(!allowed(Role::Server, &params(23, &p256)));
        let mut long = params(29, &[9; 32]);
        long.push(0);
        assert!(!allowed(Role::Server, &long));
        let mut spaces = params(29, &[9; 32]);
        spaces[..64].fill(b' ');
        assert!(!allowed(Role::Server, &spaces));
    }

    #[test]
    fn tls12_client_transcript() {
        assert!(allowed(
            Role::ProxyClient,
            &handshake(&[1, 2, 11, 12, 13, 14, 11, 16])
        ));
        assert!(!allowed(
            Role::Server,
            &handshake(&[1, 2, 11, 12, 13, 14, 11, 16])
        ));
        for wrong in [
            &[2, 1, 16][..],
            &[1, 16],
            &[1, 2],
            &[1, 2, 16, 20],
            &[1, 2, 1, 16],
            &[],
        ] {
            assert!(!allowed(Role::ProxyClient, &handshake(wrong)), "{wrong:?}");
        }
        let mut cut = handshake(&[1, 2, 16]);
        cut.pop();
        assert!(!allowed(Role::ProxyClient, &cut));
    }

    #[test]
    fn random_bytes_are_never_signed() {
        let mut random = Random::new(2);
        for _ in 0..100_000 {
            let length = random.below(512);
            let bytes = random.bytes(length);
            assert!(!allowed(Role::Server, &bytes));
            assert!(!allowed(Role::ProxyClient, &bytes));
        }
    }
}
