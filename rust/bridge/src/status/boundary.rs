// SPDX-License-Identifier: Apache-2.0
//! What the server tells of itself, as C++ sees it.

use super::{host_number, status};

/// What C++ sees of the Rust side.
#[allow(
    missing_docs,
    unreachable_pub,
    reason = "fields explain themselves or name the type of the core that documents them; cxx writes pub"
)]
#[cxx::bridge(namespace = "tls::rs")]
pub mod ffi {
    /// In what form the server tells of itself.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum StatusForm {
        Page,
        Json,
        Prometheus,
        /// The block on mod_status' page.
        Block,
        /// Its lines in `?auto`.
        Lines,
    }

    /// A virtual host that speaks TLS.
    #[derive(Debug)]
    struct StatusHost {
        /// `ServerName:port`.
        name: String,
        /// `file:line` of where it is written.
        place: String,
        certificates: u32,
        /// Among those that are counted apart; `u32::MAX` for none.
        number: u32,
        /// Its certificates come from another module.
        managed: bool,
        /// As in `ChosenHost`.
        staples: Vec<StapleOffer>,
        fetched: bool,
        staple_url: String,
    }

    /// What is to be told.
    #[derive(Debug)]
    struct StatusRequest {
        form: StatusForm,
        /// Seconds after which a browser loads the page again; 0 for never.
        refresh: u32,
        version: String,
        /// The server's name.
        server: String,
        /// Keys are to be in processes of their own.
        isolated: bool,
        hosts: Vec<StatusHost>,
    }

    unsafe extern "C++" {
        include!("mod_tls_bridge/src/credentials/boundary.rs.h");
        type Credentials = crate::credentials::Credentials;
        type StapleOffer = crate::credentials::boundary::ffi::StapleOffer;
    }

    extern "Rust" {
        /// The number that a virtual host is counted by, the same over restarts. Parent only, in post_config.
        fn host_number(name: &str) -> u32;
        /// What the server tells of itself: the metrics' sums, and the certificates of these virtual hosts. Empty where
        /// nothing is counted. Any thread.
        fn status(credentials: &Credentials, request: &StatusRequest) -> String;
    }
}
