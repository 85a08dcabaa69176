// SPDX-License-Identifier: Apache-2.0
//! Who judges clients, as C++ sees it.

use super::{ClientVerifier, load_verifier, no_verifier};

/// What C++ sees of the Rust side.
#[allow(
    missing_docs,
    unreachable_pub,
    reason = "fields explain themselves or name the type of the core that documents them; cxx writes pub"
)]
#[cxx::bridge(namespace = "tls::rs")]
pub mod ffi {
    /// What looking at the files of a verifier came to.
    #[derive(Debug, Default)]
    struct ClientNews {
        /// Other CAs judge from now on.
        renewed: bool,
        /// Other revocation lists are in force from now on.
        lists_replaced: bool,
        /// They want revocation lists that nobody fetches before a restart.
        unfetched: bool,
        /// Why what changed is not taken up; empty when nothing is wrong.
        problem: String,
    }

    /// What a certificate of a client has proven; see `mod_tls_core::verify::Outcome`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Outcome {
        None,
        Success,
        Unverified,
        Failed,
    }

    /// What was found of the client's certificate; `number` is OpenSSL's. `advice`: what an administrator can do about a
    /// refusal; may be empty.
    #[derive(Debug)]
    struct Verdict {
        outcome: Outcome,
        reason: String,
        number: u32,
        advice: String,
    }

    /// What is asked of clients; see `mod_tls_core::verify::Mode`. The first four are those of `tls::config::VerifyClient`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum ClientMode {
        None,
        Optional,
        Required,
        OptionalNoCa,
        Any,
        AnyUnverified,
    }

    /// Which certificates of a path are looked up in revocation lists; as `tls::config::RevocationCheck::Depth`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Lookup {
        None,
        Leaf,
        Chain,
    }

    /// See `mod_tls_core::verify::Request`.
    #[derive(Clone, Debug)]
    struct VerifierSpec {
        mode: ClientMode,
        depth: u32,
        only_roots: bool,
        authority_files: Vec<String>,
        authority_directories: Vec<String>,
        name_files: Vec<String>,
        name_directories: Vec<String>,
        list_files: Vec<String>,
        list_directories: Vec<String>,
        /// Lists are fetched besides; see `mod_tls_core::verify::fetched::FetchSettings`.
        list_fetch: bool,
        list_allow: bool,
        list_urls: Vec<String>,
        /// Empty for none.
        list_proxy: String,
        lookup: Lookup,
        missing_ok: bool,
        signatures: Vec<u16>,
        /// Which certificates OCSP responders are asked about, and what passes: see `mod_tls_core::verify::Responders`.
        ocsp_lookup: Lookup,
        ocsp_none_ok: bool,
        ocsp_soft: bool,
        /// How they are asked; `responder_file` has the certificates of `responders`.
        ocsp: FetchRule,
        responder_file: String,
    }

    /// See `mod_tls_core::verify::SourceProblem`.
    #[derive(Clone, Debug)]
    struct VerifierProblem {
        /// The server must not start with it.
        fatal: bool,
        /// A CA or a list is not taken that the file may have been meant to hold, or is taken as it was before.
        loss: bool,
        /// The file or directory as the configuration names it.
        source: String,
        text: String,
    }

    /// A certificate.
    #[derive(Clone, Debug)]
    struct Der {
        der: Vec<u8>,
    }

    /// How a responder is asked and its answer judged; `fetch::wants::Rule`.
    #[derive(Clone, Debug)]
    struct FetchRule {
        /// Empty for none.
        responder: String,
        always: bool,
        /// Empty for none.
        proxy: String,
        timeout_ms: u32,
        nonce: bool,
        /// Seconds.
        skew: i64,
        /// Seconds; -1 for none.
        max_age: i64,
        verify: bool,
        responders: Vec<Der>,
    }

    extern "Rust" {
        type ClientVerifier;
        /// Asks no client for a certificate.
        fn no_verifier() -> Box<ClientVerifier>;
        /// Reads CAs and revocation lists. What is wrong is appended to `problems`; after a fatal one the result judges
        /// nobody. Throws only after a panic.
        fn load_verifier(
            spec: &VerifierSpec,
            problems: &mut Vec<VerifierProblem>,
        ) -> Result<Box<ClientVerifier>>;
        /// What the policy id covers of it.
        fn digest(self: &ClientVerifier) -> [u8; 32];
        /// How OCSP responders are asked about clients: one rule, two where changed files say another, or none where
        /// they are not.
        fn ocsp_rules(self: &ClientVerifier) -> Vec<FetchRule>;
        /// Reads changed files of CAs and responders, whose lists and rules `fetch_renew` then has ordered; whether there
        /// are any. Nobody is judged by them here. Parent only.
        fn foresee(self: &ClientVerifier) -> bool;
        /// Reads the revocation lists again if their files have changed, and the CAs if `authorities_too`. What goes
        /// wrong leaves the old ones. Any thread.
        fn refresh(self: &ClientVerifier, authorities_too: bool) -> ClientNews;
    }
}
