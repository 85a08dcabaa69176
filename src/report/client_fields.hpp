// SPDX-License-Identifier: Apache-2.0
// The client's certificate in the fields of RFC 9440, for backends and whoever else answers a request.
#pragma once

#include "apr/httpd.hpp"

namespace tls::report {

// Registers the hooks that take out what visitors send in these fields, and put in what a request's section has found.
void register_client_field_hooks();

}  // namespace tls::report
