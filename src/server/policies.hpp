// The effective policies of all virtual hosts, computed once from what httpd has read.
#pragma once

#include "apr/httpd.hpp"
#include "config/effective.hpp"

namespace tls::server {

// The check_config hook: computes the policy of every server. httpd runs it after reading the configuration and before
// post_config, at every start, restart, -t and -k.
int check_config(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main_server) noexcept;

// The policy of a server or virtual host; valid from check_config until the configuration pool ends.
const config::EffectivePolicy& effective(const server_rec* s) noexcept;

// Whether a connection to `local` speaks TLS, where httpd has given it to `s` (the first of the address's virtual
// hosts).
bool engine_on(const server_rec* s, const apr_sockaddr_t* local) noexcept;

}  // namespace tls::server
