// What the MPM says of the process.
#pragma once

#include "apr/httpd.hpp"

namespace tls::apr {

// True once this child has been told to end, gracefully or not.
inline bool child_is_ending() noexcept {
  int state = 0;
  return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

}  // namespace tls::apr
