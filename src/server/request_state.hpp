// SPDX-License-Identifier: Apache-2.0
// What the module keeps for a request. Subrequests and redirects have their own.
#pragma once

#include <new>

#include "apr/httpd.hpp"
#include "server/module_config.hpp"

namespace tls::facts {
struct ClientFields;
}

namespace tls::server {

struct RequestState {
  const ap_conf_vector_t* filled_for = nullptr;  // the section whose client stands in the request's environment
  const facts::ClientFields* fields = nullptr;   // what became of the fields that it came with; nullptr: not looked at
};

// nullptr where nothing is kept yet. The thread that works for the request.
inline RequestState* known_state(const request_rec* r) {
  return static_cast<RequestState*>(ap_get_module_config(r->request_config, &primary_record()));
}

inline RequestState& state_of(const request_rec* r) {
  if (RequestState* const known = known_state(r)) return *known;
  auto* const made = ::new (apr_palloc(r->pool, sizeof(RequestState))) RequestState{};
  ap_set_module_config(r->request_config, &primary_record(), made);
  return *made;
}

}  // namespace tls::server
