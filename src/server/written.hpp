// SPDX-License-Identifier: Apache-2.0
// The configuration as it was read, directive by directive, of all modules.
#pragma once

#include <functional>

#include "apr/httpd.hpp"

namespace tls::server {

// Calls `visit` for each directive outside of .htaccess files, with the virtual host in which it stands, or the main
// server. Sections are directives too ("<Location"). From check_config on.
using VisitDirective = std::function<void(const ap_directive_t& directive, server_rec* s)>;
void visit_directives(server_rec* main_server, const VisitDirective& visit);

}  // namespace tls::server
