// SPDX-License-Identifier: Apache-2.0
// Lines of other modules that need something of this one.
#pragma once

#include <vector>

#include "apr/httpd.hpp"
#include "config/policy/checks.hpp"

namespace tls::server {

// Whether another module beside this one may bring TLS, to clients and to backends, with variables of its own.
bool others_speak_tls();

void check_written(server_rec* main_server, std::vector<config::PolicyProblem>& problems);

}  // namespace tls::server
