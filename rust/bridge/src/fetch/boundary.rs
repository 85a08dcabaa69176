// SPDX-License-Identifier: Apache-2.0
//! The fetcher, as C++ sees it.

use super::{
    fetch_become_child, fetch_begin, fetch_child_began, fetch_child_ended, fetch_configure,
    fetch_configure_lists, fetch_end, fetch_look_after, fetch_pid, fetch_prepare, fetch_release,
    fetch_renew, fetch_rule_id, lists_are_wanted, refresh_lists,
};

/// What C++ sees of the Rust side.
#[allow(
    missing_docs,
    unreachable_pub,
    reason = "fields explain themselves or name the type of the core that documents them; cxx writes pub"
)]
#[cxx::bridge(namespace = "tls::rs")]
pub mod ffi {
    /// A virtual host whose certificates' responses are to be fetched; `fetch::wants::StapleWant`.
    #[derive(Debug)]
    struct FetchStaple {
        /// Index of its certificates.
        host: u32,
        /// Index of its rule.
        rule: u32,
        /// Seconds.
        refresh: u32,
        /// Seconds.
        retry: u32,
    }

    /// What a configuration wants of the fetcher; `fetch::parent::Settings`.
    #[derive(Debug)]
    struct FetchSettings {
        id: u32,
        threads: u32,
        children: u32,
        /// Where what was fetched is kept; empty for nowhere.
        directory: String,
        /// Certificates' addresses may lead to this machine.
        local: bool,
        /// Of the staples, and of the questions that children will put.
        rules: Vec<FetchRule>,
        staples: Vec<FetchStaple>,
    }

    /// What the fetcher has to say.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum FetchEvent {
        Stapled,
        StapleLost,
        NoVerdict,
        Trouble,
        Replaced,
        List,
        ListLost,
    }

    /// A line that the fetcher wants logged; printable ASCII.
    #[derive(Debug)]
    struct FetchNotice {
        event: FetchEvent,
        text: String,
    }

    unsafe extern "C++" {
        include!("mod_tls_bridge/src/credentials/boundary.rs.h");
        type Credentials = crate::credentials::Credentials;
        include!("mod_tls_bridge/src/verifier/boundary.rs.h");
        type Der = crate::verifier::boundary::ffi::Der;
        type FetchRule = crate::verifier::boundary::ffi::FetchRule;
    }

    extern "Rust" {
        /// Makes the process that fetches, while httpd's parent is small: forks, so parent only, before any thread. Not
        /// being able to is no error yet.
        fn fetch_prepare();
        /// Has it fetch what a configuration wants, and makes it where there is none; ends it where that is nothing. Forks,
        /// so parent only, in post_config. Throws a sentence when it cannot be made.
        fn fetch_configure(credentials: &Credentials, settings: &FetchSettings) -> Result<()>;
        /// By which id children name a rule in their questions.
        fn fetch_rule_id(rule: &FetchRule) -> Vec<u8>;
        /// A configuration is about to be read; what is fetched is kept in `directory`. Parent only.
        fn fetch_begin(directory: &str);
        /// Has lists fetched that have come to be wanted since `fetch_configure`, by a process of uid and gid `id` where
        /// none runs yet. As that.
        fn fetch_configure_lists(id: u32) -> Result<()>;
        /// Has lists fetched, and responders asked by `rules`, as changed files say. As `fetch_configure_lists`.
        fn fetch_renew(id: u32, rules: Vec<FetchRule>) -> Result<()>;
        /// Whether verifiers of this process want lists that are fetched.
        fn lists_are_wanted() -> bool;
        /// Takes lists that were fetched since the last call, in all verifiers of this process. Waits for nothing; for one
        /// thread of a process, which serves nobody meanwhile.
        fn refresh_lists();
        /// Takes the lines that the fetcher wants logged, keeps in files what it fetched, and replaces it where it died or
        /// does not answer: forks, parent only.
        fn fetch_look_after() -> Vec<FetchNotice>;
        /// The fetcher's pid; 0 where there is none.
        fn fetch_pid() -> i32;
        /// Gives up what belongs to the parent; in child_init, before any thread serves.
        fn fetch_become_child();
        /// The MPM has just forked the child `pid`, which gets its way to the fetcher. Parent only, in child_status. Says
        /// whether `fetch_look_after` should be called now.
        fn fetch_child_began(pid: i32) -> bool;
        /// The MPM has waited for the child `pid`. Parent only, in child_status.
        fn fetch_child_ended(pid: i32);
        /// As `agent_release`.
        fn fetch_release();
        /// Ends the fetcher. Parent only.
        fn fetch_end();
    }
}
