// SPDX-License-Identifier: Apache-2.0
//! What clients encrypt to us, and files of keys.

use mod_tls_core::ech::{config, inner, pem};
use mod_tls_core::tls::hello;

/// Two octets of length, an outer hello of that length as a handshake message, and what was decrypted. What is rebuilt
/// is a hello no longer than both, and says the same when it is rebuilt without an outer one to refer to.
pub fn ech(data: &[u8]) {
    let _ = pem::read(data);
    if let Ok(configs) = config::read_list(data) {
        for config in configs {
            let list = config::list([config.encode().as_slice()]);
            assert_eq!(config::read_list(&list).as_deref(), Ok(&[config][..]));
        }
    }
    let Some((length, rest)) = data.split_first_chunk() else {
        return;
    };
    let length = usize::from(u16::from_be_bytes(*length));
    let (outer, encoded) = rest.split_at(length.min(rest.len()));
    if let Ok(parsed) = hello::read(outer)
        && let Some(place) = parsed.ech.clone()
        && let Ok(sealed) = inner::read(outer, place)
    {
        let aad = inner::authenticated(outer, &sealed);
        assert_eq!(aad.len() + hello::MESSAGE_HEADER, outer.len());
        assert!(inner::check_outer(&parsed).is_err() || parsed.extensions.len() < 129);
    }
    let Ok(message) = inner::rebuild(outer, encoded) else {
        return;
    };
    assert!(message.len() <= outer.len() + encoded.len());
    if let Ok(parsed) = hello::read(&message) {
        let _ = inner::check(&message, &parsed);
        assert!(!parsed.extensions.contains(&0xfd00), "a reference is left");
    }
}
