// SPDX-License-Identifier: Apache-2.0
//! Suites, groups and versions by their numbers.

use super::hybrid;
use ::aws_lc_rs::digest;
use rustls::crypto::{SupportedKxGroup, aws_lc_rs};
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

/// The versions that are on.
pub(crate) fn versions(tls12: bool, tls13: bool) -> Vec<&'static SupportedProtocolVersion> {
    [(tls13, &TLS13), (tls12, &TLS12)]
        .into_iter()
        .filter_map(|(on, v)| on.then_some(v))
        .collect()
}

/// The suites of these numbers that exist here, in this order.
pub(crate) fn suites(ids: &[u16]) -> Vec<SupportedCipherSuite> {
    ids.iter()
        .filter_map(|id| {
            aws_lc_rs::ALL_CIPHER_SUITES
                .iter()
                .find(|s| u16::from(s.suite()) == *id)
                .copied()
        })
        .collect()
}

/// The groups of these numbers that exist here, in this order.
pub(crate) fn groups(ids: &[u16]) -> Vec<&'static dyn SupportedKxGroup> {
    ids.iter()
        .filter_map(|id| {
            aws_lc_rs::ALL_KX_GROUPS
                .iter()
                .chain([&hybrid::GROUP])
                .find(|g| u16::from(g.name()) == *id)
                .copied()
        })
        .collect()
}

/// SHA-256 of a canonical encoding.
pub fn digest(encoded: &[u8]) -> [u8; 32] {
    let hash = digest::digest(&digest::SHA256, encoded);
    let mut id = [0; 32];
    id.iter_mut()
        .zip(hash.as_ref())
        .for_each(|(to, from)| *to = *from);
    id
}

/// Whether the client wants ChaCha20: it is offered, and before every suite with AES that we know.
pub fn prefers_chacha(offered: &[u16]) -> bool {
    offered
        .iter()
        .find(|id| {
            aws_lc_rs::ALL_CIPHER_SUITES
                .iter()
                .any(|s| u16::from(s.suite()) == **id)
        })
        .is_some_and(|id| is_chacha(*id))
}

pub(super) fn is_chacha(id: u16) -> bool {
    // TLS_CHACHA20_POLY1305_SHA256 (RFC 8446 B.4), ECDHE_RSA and ECDHE_ECDSA with it (RFC 7905 2)
    matches!(id, 0x1303 | 0xcca8 | 0xcca9)
}
