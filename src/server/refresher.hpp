// SPDX-License-Identifier: Apache-2.0
// The thread of a child that reads revocation lists and CAs again when their files have changed.
#pragma once

struct apr_pool_t;
struct server_rec;

namespace tls::server {

// The child_init hook: starts the thread where the configuration has such files, and has it ended and waited for when
// `child_pool` is destroyed. A thread of our own under every MPM, prefork too: no file is touched by a thread that
// serves, since files may lie where reading takes its time, and lists are large.
void start_refresher(apr_pool_t* child_pool, server_rec* s);

}  // namespace tls::server
