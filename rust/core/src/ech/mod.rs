// SPDX-License-Identifier: Apache-2.0
//! Encrypted ClientHello (RFC 9849), the server's side in shared mode: who decrypts the inner hello also answers it.
//!
//! rustls 0.23 knows the client's side alone. Ours needs nothing of its inside: an inner hello is opened and rebuilt
//! before rustls has seen anything ([`offer`], [`inner`]), so that rustls answers a plain ClientHello; and what the
//! server says about it is put into the transcript as rustls hashes it, and into the same message as it goes out
//! ([`seam`]). That rests on habits of rustls that its documents do not promise, each with a test of its own
//! (`session/rustls_facts_tests.rs`; `docs/ech.md` has the table).
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod config;
pub mod fault;
mod files;
pub mod inner;
pub mod keeper;
pub mod key_sources;
pub mod keys;
mod message;
pub mod offer;
pub mod pem;
pub mod seam;
pub mod shared_keys;
pub mod state;

pub use keys::{Key, Keys};
pub use offer::{Offer, Outcome, Source};

/// What the names of files of keys end with.
const SUFFIX: &str = "ech";

/// Version of the ECHConfigs of RFC 9849; the same number as the extension's.
pub const EXTENSION: u16 = crate::tls::hello::ENCRYPTED_CLIENT_HELLO;

/// Type of the extension `ech_outer_extensions`, which only an inner hello has (RFC 9849 5.1).
pub const OUTER_EXTENSIONS: u16 = 0xfd00;

/// The HPKE cipher suite of a ciphertext (RFC 9180 7.2, 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Number of the key derivation function.
    pub kdf: u16,
    /// Number of the cipher.
    pub aead: u16,
}
