// SPDX-License-Identifier: Apache-2.0
use super::*;

fn negotiated() -> Negotiated {
    Negotiated {
        versions: Versions {
            tls12: true,
            tls13: true,
        },
        suites: vec![0x1301, 0x1303, 0xc02b, 0xcca9],
        groups: vec![0x11ec, 29],
        honor_client_order: true,
        ..Negotiated::default()
    }
}

fn spec_of(negotiated: Negotiated) -> Spec {
    Spec {
        negotiated,
        ..Spec::default()
    }
}

fn spec() -> Spec {
    spec_of(negotiated())
}

#[test]
fn chacha_only_where_listed_before_aes() {
    assert!(prefers_chacha(&[0x1303, 0x1301]));
    assert!(prefers_chacha(&[0x0a0a, 0xc013, 0x1303, 0x1301])); // GREASE and CBC do not count
    assert!(!prefers_chacha(&[0x1301, 0x1303]));
    assert!(!prefers_chacha(&[]));
}

#[test]
fn order_of_suites_and_groups_is_the_configured_one() {
    let policy = Policy::build(&spec_of(Negotiated {
        honor_client_order: false,
        ..negotiated()
    }))
    .unwrap();
    let suites = |c: &ServerConfig| -> Vec<u16> {
        c.crypto_provider()
            .cipher_suites
            .iter()
            .map(|s| s.suite().into())
            .collect()
    };
    assert_eq!(
        suites(&policy.config(b"", false, &[])),
        [0x1301, 0x1303, 0xc02b, 0xcca9]
    );
    assert_eq!(
        suites(&policy.config(b"", true, &[])),
        [0x1303, 0xcca9, 0x1301, 0xc02b]
    );
}

#[test]
fn alpn_answers_share_the_rest() {
    let policy = Policy::build(&spec()).unwrap();
    assert_eq!(
        policy.config(b"h2", false, &[]).alpn_protocols,
        [b"h2".to_vec()]
    );
    assert_eq!(
        policy.config(b"acme-tls/1", false, &[]).alpn_protocols,
        [b"acme-tls/1".to_vec()]
    );
    assert!(policy.config(b"", false, &[]).alpn_protocols.is_empty());
}

#[test]
fn nothing_compressed_is_taken_from_clients() {
    for compress in [true, false] {
        let policy = Policy::build(&spec_of(Negotiated {
            compress_certificates: compress,
            ..negotiated()
        }))
        .unwrap();
        let config = policy.config(b"", false, &[]);
        assert!(config.cert_decompressors.is_empty());
        assert_eq!(config.cert_compressors.is_empty(), !compress);
    }
}

#[test]
fn nothing_left_is_an_error() {
    assert!(
        Policy::build(&spec_of(Negotiated {
            suites: vec![],
            ..negotiated()
        }))
        .is_err()
    );
    assert!(
        Policy::build(&spec_of(Negotiated {
            versions: Versions {
                tls12: true,
                tls13: false
            },
            suites: vec![0x1301],
            ..negotiated()
        }))
        .is_err()
    );
}
