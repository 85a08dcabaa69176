// SPDX-License-Identifier: Apache-2.0
// Virtual hosts by their policies, and by the addresses that they are written for.
#pragma once

#include <vector>

#include "apr/httpd.hpp"
#include "config/policy/effective.hpp"
#include "server/module_config.hpp"

namespace tls::server {

// What a virtual host is written for; empty for the main server, which gets what no other takes.
std::vector<config::Listener> addresses_of(const server_rec* s);

// An address of httpd's as configuration writes it.
config::Listener listener_of(const apr_sockaddr_t* address);

// Whether a connection to `local` speaks TLS, where httpd has given it to `s` (the first of the address's virtual
// hosts).
bool engine_on(const server_rec* s, const apr_sockaddr_t* local);

// All servers and virtual hosts that may speak TLS, in configuration order.
[[nodiscard]] std::vector<server_rec*> hosts_with_tls(server_rec* main);

}  // namespace tls::server
