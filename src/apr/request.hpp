// SPDX-License-Identifier: Apache-2.0
// What belongs to a request, and what to the one that the client made.
#pragma once

#include "apr/httpd.hpp"

namespace tls::apr {

// The request that the client made; a subrequest's, and theirs. Internal redirects share its pool.
template <typename Request>
Request* root_of(Request* r) noexcept {
  while (r->main != nullptr) r = r->main;
  return r;
}

// The request's headers, to be changed: a subrequest's may be its main request's, who goes on with them.
inline apr_table_t* own_headers(request_rec* r) {
  if (r->main != nullptr && r->headers_in == r->main->headers_in) {
    r->headers_in = apr_table_copy(r->pool, r->headers_in);
  }
  return r->headers_in;
}

}  // namespace tls::apr
