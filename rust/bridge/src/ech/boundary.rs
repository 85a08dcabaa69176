// SPDX-License-Identifier: Apache-2.0
//! Keys of Encrypted ClientHello, as C++ sees them.

use super::{ech_check, ech_held_list, ech_keys, ech_list, ech_prepare, ech_tick};

/// What C++ sees of them.
#[allow(
    missing_docs,
    unreachable_pub,
    reason = "fields explain themselves or name the type of the core that documents them; cxx writes pub"
)]
#[cxx::bridge(namespace = "tls::rs")]
pub mod ffi {
    /// Where the keys of Encrypted ClientHello are; see `mod_tls_core::ech::key_sources::KeySources`. Empty names are nothing.
    #[derive(Clone, Debug)]
    struct EchKeySources {
        files: Vec<String>,
        directory: String,
        public_name: String,
        state_directory: String,
        longest_name: u8,
        padding: u16,
    }

    /// What looking for keys came to.
    #[derive(Debug)]
    struct EchNews {
        /// How many are in use.
        keys: u32,
        /// They are others than before.
        replaced: bool,
        /// Those of before stay in use, where there are problems.
        kept: bool,
        /// A sentence each.
        problems: Vec<String>,
    }

    /// One key.
    #[derive(Debug)]
    struct EchKey {
        public_name: String,
        config_id: u8,
        /// DNS should name it.
        published: bool,
    }

    extern "Rust" {
        /// What is wrong with the keys of Encrypted ClientHello. Makes none and erases none: for `-t`, and the first
        /// reading of a start.
        fn ech_check(sources: &EchKeySources) -> EchNews;
        /// Reads keys, makes and erases some where it is time, and has children use them. Parent only, in post_config from
        /// the second reading on.
        fn ech_prepare(sources: &EchKeySources) -> EchNews;
        /// The same where files have changed (`look`) or it is time. Parent only, every few seconds.
        fn ech_tick(look: bool) -> EchNews;
        /// Every key that there is; none where something is wrong.
        fn ech_keys(sources: &EchKeySources) -> Vec<EchKey>;
        /// What DNS should say of them, in base64 (RFC 9848 3).
        fn ech_list(sources: &EchKeySources) -> String;
        /// The same of the keys that this process has; empty where there are none. Any thread of any process.
        fn ech_held_list() -> String;
    }
}
