// SPDX-License-Identifier: Apache-2.0
//! Protocol logic of mod_tls: everything that reads foreign bytes, and every decision of the TLS protocol.
//!
//! httpd's side (hooks, filters, directives) is C++ and reaches this crate only through `rust/bridge`.
#![forbid(unsafe_code)]

pub mod agent;
pub mod backend;
mod base64;
pub mod compress;
pub mod credentials;
pub mod creds;
pub mod ech;
pub mod fetch;
mod hex;
pub mod metrics;
pub mod ocsp;
pub mod status;
pub mod system;
pub mod ticket;
pub mod tls;
pub mod verify;
pub mod x509;

/// Name and version of the TLS engine.
pub const ENGINE_VERSION: &str = "rustls/0.23.46";

/// Draws a random number. The first one of a process costs about 20 ms of CPU, for aws-lc's entropy source has to
/// start; a child calls this before it serves, so that no client waits.
pub fn warm_up() {
    let mut byte = [0u8; 1];
    // A failing generator shows itself in the first handshake, with an alert.
    let _ = rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut byte);
}
