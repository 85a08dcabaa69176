// SPDX-License-Identifier: Apache-2.0
// The policies of all virtual hosts are computed from what httpd has read, and what is wrong with them is found.
#pragma once

#include "apr/httpd.hpp"

namespace tls::server {

// The check_config hook: computes the policy of every server. httpd runs it after reading the configuration and before
// post_config, at every start, restart, -t and -k.
int check_config(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main_server);

// The post_config hook that goes before all others: fails where check_config found what must stop the start. Not
// check_config itself, which also runs for -k stop: a fault must not keep a server from being stopped.
int refuse_faults(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main_server);

// The last check_config hook: under -t, which runs no post_config, it fails for the same reasons, after all others have
// said what they found.
int refuse_faults_in_test(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main_server);

}  // namespace tls::server
