// SPDX-License-Identifier: Apache-2.0
// The key agent: private keys outside the processes that talk to the network.
#pragma once

#include "mod_tls_bridge/src/lib.rs.h"

struct apr_pool_t;
struct server_rec;

namespace tls::server {

// Whether this start isolates its keys: as configured, and not under httpd -X, which is one process for a debugger.
// Where it does not, the second pass of post_config says so.
[[nodiscard]] bool uses_agent(server_rec* main, bool first_pass);

// Has the agent load `requests`, and makes the agent where there is none. In the first pass of post_config it only
// loads, since httpd detaches between the passes. Parent only, in post_config. Throws after logging that and why the
// agent cannot work.
[[nodiscard]] rust::Box<rs::Credentials> load_by_agent(server_rec* main, rust::Slice<const rs::LoadRequest> requests,
                                                       bool first_pass);

// An id under which no process runs and which no account has, but `other`: not User's, not root's. Parent only.
[[nodiscard]] std::uint32_t unused_id(apr_pool_t* pool, std::uint32_t other);

// What the MPM says of a number: 1 where it does not.
[[nodiscard]] std::uint32_t mpm_number(int what);

// The id that the agent runs under. Parent only.
[[nodiscard]] std::uint32_t agent_id(apr_pool_t* pool);

// The configuration is given up: agent and fetcher, which serve its children as long as they live, end some time after
// the last of them unless another configuration wants them. Parent only.
void release_processes();

// Ends an agent that the configuration has no use for, once no child is left that it signs for. Parent only.
void end_agent();

// Makes the agent's first process, at start and where httpd runs to serve. The agent keeps what it inherits of this
// process's memory, so this is called as soon as the module is loaded, before the configuration of perhaps 10,000
// virtual hosts is read. Whether the agent is wanted turns out in post_config.
void prepare_agent();

// What the agent needs of httpd: the monitor hook for its messages and for its life, child_init to give up what is the
// parent's.
void register_agent_hooks();

}  // namespace tls::server
