// SPDX-License-Identifier: Apache-2.0
// Client policies: what outgoing connections of a server or a <Proxy> section are made with.
#pragma once

#include <string>
#include <vector>

#include "apr/httpd.hpp"
#include "config/policy/describe.hpp"
#include "mod_tls_bridge/src/lib.rs.h"
#include "server/credential_report.hpp"

namespace tls::server {

// Builds the policies of all servers that speak TLS to backends. False when one cannot be built; that has been logged.
// Parent, in post_config, as root.
bool build_backend_policies(apr_pool_t* pool, server_rec* main_server);

// Calls `print` for all that is wrong with the files that those policies and the ones of <Proxy> sections name, and
// with the policies themselves. False when one cannot be built. In a process of its own, for `httpd -t`.
bool report_backend_problems(apr_pool_t* pool, server_rec* main_server, const PrintProblem& print);

// Whether TLS to backends is on for `s`, or in one of its <Proxy> sections. From check_config on.
bool has_tls_to_backends(const server_rec* s);

// What connections to backends of one server are made with: outside of <Proxy> sections, or in one.
struct BackendReport {
  const server_rec* server;
  std::string section;  // empty: outside
  std::vector<config::Described> settings;
};

// Of all servers and sections in which TLS to backends is on, inherited sections for each server. For `httpd -t`.
std::vector<BackendReport> report_backends(apr_pool_t* pool, const server_rec* main_server);

// Asks mod_proxy to be told of each <Proxy> section, whose settings then stand over those of its server.
void register_proxy_section_hooks();

// The policy for a connection with these settings; nullptr where TLS to backends is off. `s` owns the connection,
// `per_directory` are the settings of the request or worker, or nullptr for those of the server.
const rs::BackendPolicy* backend_policy(const server_rec* s, const ap_conf_vector_t* per_directory);

}  // namespace tls::server
