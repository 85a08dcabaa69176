// SPDX-License-Identifier: Apache-2.0
//! Resumption of sessions, as C++ sees it, and the session cache, as Rust sees it.

use super::processes::{resumption_become_child, resumption_child_began, resumption_child_ended};
use super::{resumption_check, resumption_prepare, resumption_setup, resumption_tick};

/// What C++ sees of the Rust side, and Rust of C++.
#[allow(
    missing_docs,
    unreachable_pub,
    reason = "fields explain themselves or name the type of the core that documents them; cxx writes pub"
)]
#[cxx::bridge(namespace = "tls::rs")]
pub mod ffi {
    /// How the whole server resumes sessions.
    #[derive(Debug)]
    struct ResumptionSetup {
        /// Path of the secret that ticket keys are made of; empty: random keys.
        secret: String,
        /// Seconds that one key made of the secret is the newest; 0: the default.
        interval: u32,
        /// The secret is taken even where everybody may read it.
        open_to_others: bool,
        /// Seconds of the longest lifetime of all virtual hosts.
        retention: u32,
        /// There is a session cache behind `cache_put` and the others.
        cached: bool,
        /// It may be on another machine, and keep us waiting.
        remote: bool,
    }

    /// What became of the secret file.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum SecretState {
        Same,
        Replaced,
        /// It cannot be used; the secret that was read from it before stays in force.
        Refused,
        /// It cannot be used, and there is no secret of before.
        Unusable,
    }

    /// What looking at the secret file came to; `problem` where it cannot be used.
    #[derive(Debug)]
    struct SecretNews {
        state: SecretState,
        problem: String,
    }

    /// What the session cache answers.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum CacheAnswer {
        /// Stored, or found.
        Done,
        /// Not stored (no room, say), or not there.
        Refused,
        /// The cache does not work.
        Failed,
    }

    // Thread-safe; called by any thread of a child in a handshake.
    unsafe extern "C++" {
        include!("server/session_cache.hpp");
        #[namespace = "tls::server"]
        fn cache_put(id: &[u8], entry: &[u8], expiry: u64) -> CacheAnswer;
        #[namespace = "tls::server"]
        fn cache_get(id: &[u8], entry: &mut [u8], length: &mut usize) -> CacheAnswer;
        #[namespace = "tls::server"]
        fn cache_take(id: &[u8], entry: &mut [u8], length: &mut usize) -> CacheAnswer;
        #[namespace = "tls::server"]
        fn cache_report(failures: u64);
    }

    extern "Rust" {
        /// Makes the shared memory of resumption, once per parent process. Parent only, in the second pass of post_config:
        /// httpd has detached then, and a process forked later does not have the memory. Throws a sentence.
        fn resumption_prepare() -> Result<()>;
        /// Reads the secret file and makes ready what policies are built with. Parent, in post_config, before the first
        /// policy. A restart keeps the secret of before where the same file cannot be used; `Unusable`, with a sentence,
        /// where sessions cannot be resumed as configured.
        fn resumption_setup(setup: &ResumptionSetup) -> SecretNews;
        /// What is wrong with the secret file; empty when nothing is. For `-t`.
        fn resumption_check(setup: &ResumptionSetup) -> String;
        /// Looks at the secret file, publishes keys that are due and erases old ones. Parent, every few seconds.
        fn resumption_tick() -> SecretNews;
        /// The MPM has just forked the child `pid`, which gets the keys to read and memory to count in; restarts before it
        /// are its `generation`. Parent only, in child_status.
        fn resumption_child_began(pid: i32, generation: i32);
        /// The MPM has waited for the child `pid`. Parent only, in child_status.
        fn resumption_child_ended(pid: i32);
        /// Takes what the parent gave this child; in child_init, before any thread serves. False when nothing came: the
        /// child then resumes no sessions.
        fn resumption_become_child() -> bool;
    }
}
