// SPDX-License-Identifier: Apache-2.0
// Limits for floods of handshakes (TLSHandshakeRate, TLSHandshakesUnderWay).
#pragma once

#include "apr/httpd.hpp"

namespace tls::server {

// Sets them for the processes to come, and says where the MPM makes them say less than they seem to. Parent only, in
// post_config.
void set_handshake_limits(server_rec* main_server);

// What they refuse is a line a minute in the error log, of the whole server.
void register_limit_hooks();

}  // namespace tls::server
