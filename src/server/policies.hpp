// SPDX-License-Identifier: Apache-2.0
// The effective policies of all virtual hosts, computed once from what httpd has read.
#pragma once

#include <vector>

#include "apr/httpd.hpp"
#include "config/policy/effective.hpp"

namespace tls::server {

// The check_config hook: computes the policy of every server. httpd runs it after reading the configuration and before
// post_config, at every start, restart, -t and -k.
int check_config(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main_server);

// What a virtual host is written for; empty for the main server, which gets what no other takes.
std::vector<config::Listener> addresses_of(const server_rec* s);

// An address of httpd's as configuration writes it.
config::Listener listener_of(const apr_sockaddr_t* address);

// The post_config hook that goes before all others: fails where check_config found what must stop the start. Not
// check_config itself, which also runs for -k stop: a fault must not keep a server from being stopped.
int refuse_faults(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main_server);

// The last check_config hook: under -t, which runs no post_config, it fails for the same reasons, after all others have
// said what they found.
int refuse_faults_in_test(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main_server);

// The policy of a server or virtual host; valid from check_config until the configuration pool ends.
const config::EffectivePolicy& effective(const server_rec* s);

// Whether a connection to `local` speaks TLS, where httpd has given it to `s` (the first of the address's virtual
// hosts).
bool engine_on(const server_rec* s, const apr_sockaddr_t* local);

}  // namespace tls::server
