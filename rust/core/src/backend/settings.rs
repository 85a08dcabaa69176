// SPDX-License-Identifier: Apache-2.0
//! What connections to backends are made with, as the configuration settled it.

use super::server_verifier::BackendMode;
use crate::tls::policy::Versions;
use crate::tls::settings::{Reader, Value, settings};
use crate::verify::RevocationDepth;

settings! {
    /// The members of src/config/policy/backend.def in their order. Paths may name files or directories.
    pub struct Settings {
        /// What is offered.
        versions: Versions,
        /// IANA numbers of cipher suites, most preferred first.
        suites: Vec<u16>,
        /// IANA numbers of key exchange groups; a share is sent for the first.
        groups: Vec<u16>,
        /// Those are post-quantum, all: backends without any are not spoken to.
        needs_post_quantum: bool,
        /// How much trust a backend has to prove.
        verify: BackendMode,
        /// Certificates that may stand above the backend's own.
        depth: u32,
        /// The CAs of the system are trusted, too.
        system_roots: bool,
        /// Trusted CAs.
        authorities: Vec<String>,
        /// Revocation lists.
        revocation_lists: Vec<String>,
        /// Lists are fetched besides.
        fetch_lists: bool,
        /// Certificates that no list is about pass while one of those cannot be had.
        lists_allow: bool,
        /// Addresses of lists that the administrator names.
        list_addresses: Vec<String>,
        /// The proxy over which they are fetched; empty for none.
        list_proxy: String,
        /// What is looked up in them.
        revocation: Lookup,
        /// Certificates with their keys together.
        machine_files: Vec<String>,
        /// Those of all these that may be empty.
        directories: Vec<String>,
        /// Certificates and their keys; an empty key file is the certificate's.
        machine_pairs: Vec<(String, String)>,
        /// CA certificates to send along; empty for none.
        machine_chain: String,
        /// The backend's own certificate must be valid today, whatever `verify` says.
        check_dates: bool,
        /// The name that the request is for must stand in subjectAltName.
        check_name: bool,
        /// Any common name is as good.
        common_names: bool,
        /// An authority that did not sign itself ends no chain.
        roots_only: bool,
        /// Secrets of connections are written to the key log.
        key_log: bool,
    }
}

settings! {
    value
    /// What is looked up in revocation lists.
    pub struct Lookup {
        /// Of which certificates.
        depth: RevocationDepth,
        /// A list that is missing is no fault.
        missing_ok: bool,
    }
}

impl Value for BackendMode {
    /// As `tls::config::VerifyClient` is numbered.
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        match u8::read(from)? {
            0 => Some(Self::None),
            2 => Some(Self::Required),
            3 => Some(Self::OptionalNoCa),
            _ => None,
        }
    }
}

impl Value for RevocationDepth {
    /// As `tls::config::RevocationCheck::Depth` is numbered.
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        match u8::read(from)? {
            0 => Some(Self::None),
            1 => Some(Self::Leaf),
            2 => Some(Self::Chain),
            _ => None,
        }
    }
}
