// SPDX-License-Identifier: Apache-2.0
// The file that secrets of connections are written to (TLSKeyLogFile), for the search of faults.
#pragma once

#include "apr/httpd.hpp"
#include "config/policy/effective.hpp"

namespace tls::server {

// Under httpd -X the environment's SSLKEYLOGFILE stands in where the configuration says nothing.
void take_environment(config::EffectivePolicy& policy);

// Opens the file for the policies to come, and warns of it. Parent only, in post_config, before the first policy. False
// where it cannot be had and the server must not start with that; it has been logged. A restart goes on without.
bool prepare_key_log(server_rec* main_server);

void register_key_log_hooks();

}  // namespace tls::server
