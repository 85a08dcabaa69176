// SPDX-License-Identifier: Apache-2.0
// Names that have nothing to do with TLS but that mod_ssl's lookup has always answered.
#pragma once

#include <string_view>

#include "apr/httpd.hpp"

namespace tls::report {

// The variable `name` of a request (REQUEST_URI, HTTP:header, TIME_YEAR, ENV:x, ...), in `pool` or living as long as
// the request; nullptr for a name that is none or has no value. `r` may be nullptr.
const char* request_variable(apr_pool_t* pool, request_rec* r, std::string_view name);

// Whether request_variable() knows this name.
bool is_request_variable(std::string_view name);

}  // namespace tls::report
