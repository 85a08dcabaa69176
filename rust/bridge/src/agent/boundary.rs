// SPDX-License-Identifier: Apache-2.0
//! The key agent, as C++ sees it.

use super::{
    agent_become_child, agent_child_began, agent_child_ended, agent_load, agent_look_after,
    agent_pid, agent_prepare, agent_release, agent_retire, ids_in_use,
};

/// What C++ sees of the Rust side.
#[allow(
    missing_docs,
    unreachable_pub,
    reason = "fields explain themselves or name the type of the core that documents them; cxx writes pub"
)]
#[cxx::bridge(namespace = "tls::rs")]
pub mod ffi {
    /// What a configuration wants of the key agent.
    #[derive(Debug)]
    struct AgentSettings {
        /// False in the first pass of post_config: load and check, serve later.
        serve: bool,
        /// Uid and gid to run under, where httpd is root; used when the agent is first made.
        id: u32,
        /// Seconds between two looks at the files; 0 for never.
        reload_seconds: u32,
        /// Threads of one child.
        threads: u32,
        /// Most children at a time.
        children: u32,
    }

    /// What a line of the agent is about.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum AgentEvent {
        SignerReplaced,
        ClientRefused,
        Reloaded,
        ReloadRefused,
        Trouble,
    }

    /// A line that the agent wants logged; printable ASCII.
    #[derive(Debug)]
    struct AgentNotice {
        event: AgentEvent,
        text: String,
    }

    unsafe extern "C++" {
        include!("mod_tls_bridge/src/credentials/boundary.rs.h");
        type Credentials = crate::credentials::Credentials;
        type LoadRequest = crate::credentials::boundary::ffi::LoadRequest;
    }

    extern "Rust" {
        /// Every uid and gid that a process of this machine runs under now.
        fn ids_in_use() -> Vec<u32>;
        /// Has the key agent load what the requests name, and makes it where there is none that answers: forks, so
        /// parent only, in post_config. Throws a sentence when there is no agent to be had.
        fn agent_load(
            requests: &[LoadRequest],
            settings: &AgentSettings,
        ) -> Result<Box<Credentials>>;
        /// Makes the agent's first process, while httpd's parent is small: forks, so parent only, before any thread. Not
        /// being able to is no error yet: `agent_load` tries again and says why.
        fn agent_prepare();
        /// Takes the lines that the agent wants logged, and replaces a supervisor that died: forks, parent only.
        fn agent_look_after() -> Vec<AgentNotice>;
        /// The supervisor's pid; 0 where there is none.
        fn agent_pid() -> i32;
        /// Gives up what belongs to the parent; in child_init, before any thread serves. False where there is an agent to
        /// which the parent has given this process no way.
        fn agent_become_child(threads: usize) -> bool;
        /// The MPM has just forked the child `pid`, which gets its way to the signer. Parent only, in child_status. Says
        /// whether `agent_look_after` should be called now.
        fn agent_child_began(pid: i32) -> bool;
        /// The MPM has waited for the child `pid`. Parent only, in child_status.
        fn agent_child_ended(pid: i32);
        /// The configuration is given up, for another one or, where the module leaves httpd, for none: the agent then ends by
        /// itself, some time after the last child. Parent only.
        fn agent_release();
        /// Ends the agent, where a configuration has no use for it any more, as soon as the last child that it signs for
        /// has ended. Says whether that has been; else it is called again, or `agent_look_after` is. Parent only.
        fn agent_retire() -> bool;
    }
}
