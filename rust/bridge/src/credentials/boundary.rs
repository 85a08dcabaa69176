// SPDX-License-Identifier: Apache-2.0
//! Certificates and keys, as C++ sees them.

use super::{CredentialStore, Credentials, new_credential_store};

/// What C++ sees of the Rust side.
#[allow(
    missing_docs,
    unreachable_pub,
    reason = "fields explain themselves or name the type of the core that documents them; cxx writes pub"
)]
#[cxx::bridge(namespace = "tls::rs")]
pub mod ffi {
    /// See `mod_tls_core::context::Offer`.
    #[derive(Clone, Debug)]
    struct StapleOffer {
        id: Vec<u8>,
        response: Vec<u8>,
    }

    /// What there is to say of one certificate and OCSP.
    #[derive(Debug)]
    struct StapleFacts {
        /// What other modules are to know it by.
        id: Vec<u8>,
        /// Certificate and issuer; empty where no issuer stands behind it.
        pem: String,
        names: String,
        /// It demands a response.
        must: bool,
        /// It names a responder.
        responder: bool,
        /// It has a response from a file.
        stapled: bool,
    }

    /// See `mod_tls_core::creds::PairRequest`; an empty name is no file.
    #[derive(Clone, Debug)]
    struct CertificatePair {
        certificate: String,
        key: String,
        place: String,
        key_place: String,
    }

    /// See `mod_tls_core::creds::FileAt`.
    #[derive(Clone, Debug, Default)]
    struct FileAt {
        path: String,
        place: String,
    }

    /// See `mod_tls_core::creds::LoadRequest`. With `staples` a response may lie beside each certificate, in a file of its
    /// name and `.ocsp`.
    #[derive(Clone, Debug)]
    struct LoadRequest {
        host: String,
        names: Vec<String>,
        passphrase: String,
        pairs: Vec<CertificatePair>,
        spare_keys: Vec<FileAt>,
        chain: FileAt,
        authorities: String,
        strict: bool,
        staples: bool,
        placeholder: bool,
        signatures: Vec<u16>,
        /// `file:line` of that list.
        signatures_place: String,
        tls12: bool,
        tls13: bool,
        /// See `mod_tls_core::creds::signatures::Suites12`.
        suites_rsa: bool,
        suites_ecdsa: bool,
        /// `file:line` of the suites.
        suites_place: String,
    }

    /// See `mod_tls_core::creds::Severity`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Severity {
        Notice,
        Warning,
        Kept,
        Error,
    }

    /// See `mod_tls_core::creds::Problem`.
    #[derive(Clone, Debug)]
    struct Problem {
        severity: Severity,
        request: usize,
        place: String,
        text: String,
    }

    /// What a report says of one certificate.
    #[derive(Clone, Debug)]
    struct CertificateFacts {
        key: String,
        subject: String,
        names: String,
        not_after: String,
        days_left: i64,
        chain_length: usize,
    }

    extern "Rust" {
        type CredentialStore;
        /// Remembers parsed files over restarts. Owned by the process pool; parent only.
        fn new_credential_store() -> Box<CredentialStore>;
        /// Loads what the requests name. Faults of files are problems of the result; throws only after a panic.
        /// `ask` is false where nobody may be asked for a pass phrase.
        fn load(
            self: &mut CredentialStore,
            requests: &[LoadRequest],
            ask: bool,
        ) -> Result<Box<Credentials>>;
        type Credentials;
        /// What is wrong, in the order of the requests.
        fn problems(self: &Credentials) -> Vec<Problem>;
        /// The certificates of a request in the order in which they are tried.
        fn describe(self: &Credentials, index: usize) -> Vec<CertificateFacts>;
        /// The certificates of a request, for stapling.
        fn staple_facts(self: &Credentials, index: usize) -> Vec<StapleFacts>;
        /// Whether a request has a placeholder now. Any thread.
        fn is_placeholder(self: &Credentials, index: usize) -> bool;
        /// Compresses the certificates of these requests, as many as a short time allows; the others are compressed when
        /// a client has asked for them. Before children are forked.
        fn compress(self: &Credentials, indices: &[u32]);
        /// What is less separate than it should be, each with the reason; empty where keys are in this process.
        fn weaknesses(self: &Credentials) -> Vec<String>;
    }

    // C++ builds the lists.
    impl Vec<LoadRequest> {}
    impl Vec<StapleOffer> {}
}
