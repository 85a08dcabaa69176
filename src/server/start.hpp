// SPDX-License-Identifier: Apache-2.0
// From the configuration to what serves: runs in post_config, as root, before the fork.
#pragma once

struct apr_pool_t;
struct server_rec;

namespace tls::server {

// The post_config hook: loads certificates, builds policies, publishes the engine. httpd calls it twice at start and
// once per restart; each time for a configuration pool of its own.
// The monitor hook: the parent too reads revocation lists that have changed, so that a restart which finds them broken
// goes on with the newest good ones.
int watch_lists(apr_pool_t* pool, server_rec* s);

int post_config(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main_server);

}  // namespace tls::server
