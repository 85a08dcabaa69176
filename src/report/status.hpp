// SPDX-License-Identifier: Apache-2.0
// The handler tls-status, and what mod_status' page says of TLS.
#pragma once

#include "apr/httpd.hpp"

namespace tls::report {

// Registers the handler and mod_status' optional hook.
void register_status_hooks();

}  // namespace tls::report
