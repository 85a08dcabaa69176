// SPDX-License-Identifier: Apache-2.0
// The cross-field rules of config/policy/checks.hpp over httpd's servers.
#pragma once

#include "apr/httpd.hpp"

namespace tls::server {

// Logs every problem that the rules find. False where one of them must stop the start. Call after the policies are
// computed; in the parent, while the configuration is read.
bool check_settings(server_rec* main_server);

}  // namespace tls::server
