// SPDX-License-Identifier: Apache-2.0
// `httpd -t -D DUMP_TLS_ECH`: what DNS has to say so that clients hide the names of virtual hosts.
#pragma once

#include <string>
#include <vector>

struct apr_pool_t;
struct server_rec;

namespace tls::report {

// What `s` speaks over TLS, as ALPN names it, in the order of Protocols.
std::vector<std::string> offered_protocols(const server_rec* s);

// The test_config hook: prints, to standard output, an HTTPS record for each name.
void dump_ech(apr_pool_t* pool, server_rec* main);

}  // namespace tls::report
