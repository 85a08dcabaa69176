// SPDX-License-Identifier: Apache-2.0
//! Certificates of a connection, as C++ sees them.

use super::{Identity, is_client_field, without_client_fields};

/// What C++ sees of the Rust side.
#[allow(
    missing_docs,
    unreachable_pub,
    reason = "fields explain themselves or name the type of the core that documents them; cxx writes pub"
)]
#[cxx::bridge(namespace = "tls::rs")]
pub mod ffi {
    /// One field of a certificate.
    #[derive(Debug)]
    struct CertificateField {
        found: bool,
        value: Vec<u8>,
    }

    /// A field with its name.
    #[derive(Debug)]
    struct NamedField {
        name: Vec<u8>,
        value: Vec<u8>,
    }

    unsafe extern "C++" {
        include!("mod_tls_bridge/src/verifier/boundary.rs.h");
        type ClientVerifier = crate::verifier::ClientVerifier;
        type ClientMode = crate::verifier::boundary::ffi::ClientMode;
        type Verdict = crate::verifier::boundary::ffi::Verdict;
    }

    extern "Rust" {
        type Identity;
        /// What the client's hello says of the variable `name`, without its `SSL_`: JA4, CLIENTHELLO_CIPHERS and so on.
        fn hello(self: &Identity, name: &[u8]) -> CertificateField;
        /// How many certificates the client sent, its own included. All of `Identity` may be called from any thread.
        fn client_certificates(self: &Identity) -> usize;
        /// The field `name`, as in `S_DN_CN`, of the client's certificate or the server's. `legacy` chooses the form of
        /// distinguished names, `now` is in seconds since 1970.
        fn field(
            self: &Identity,
            client: bool,
            name: &[u8],
            legacy: bool,
            now: i64,
        ) -> CertificateField;
        /// All fields of one side that StdEnvVars exports.
        fn exported(self: &Identity, client: bool, legacy: bool, now: i64) -> Vec<NamedField>;
        /// The client's certificate as the field Client-Cert has it, or (`chain`) those behind it as Client-Cert-Chain
        /// does (RFC 9440); empty where there are none.
        fn http_field(self: &Identity, chain: bool) -> Vec<u8>;
        /// The same connection with the client whom a proxy has told of in these fields; empty ones are none. Throws a
        /// clause that says what is wrong with them.
        fn forwarded(self: &Identity, certificate: &[u8], chain: &[u8]) -> Result<Box<Identity>>;
        /// Whether somebody behind us may take a field of this name for Client-Cert or Client-Cert-Chain.
        fn is_client_field(name: &[u8]) -> bool;
        /// A Connection field without those names; not `found` where it has none of them.
        fn without_client_fields(connection: &[u8]) -> CertificateField;
        /// Whether variables of the client's certificate were left out since they are too many or too long; true once.
        fn tells_cut(self: &Identity) -> bool;
        /// Judges the client's certificate by the CAs and lists of `verifier`, and by mode and depth of a section.
        fn judge(
            self: &Identity,
            verifier: &ClientVerifier,
            section_mode: ClientMode,
            depth: u32,
        ) -> Verdict;
        /// The values of all extensions `name` of one side's certificate, as text.
        fn extensions(self: &Identity, client: bool, name: &[u8]) -> Vec<NamedField>;
    }
}
