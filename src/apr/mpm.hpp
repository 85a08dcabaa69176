// SPDX-License-Identifier: Apache-2.0
// What httpd and its MPM say of the process.
#pragma once

#include "apr/httpd.hpp"

namespace tls::apr {

// True once this child has been told to end, gracefully or not.
inline bool child_is_ending() noexcept {
  int state = 0;
  return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

// True while the configuration is read for the first of two times at start: what is no error is said the second time.
inline bool is_first_reading() noexcept {
  return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG &&
         ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST;
}

// True for httpd -X: one process, which serves without forking.
inline bool is_one_process() noexcept {
  return ap_exists_config_define("DEBUG") != 0 || ap_exists_config_define("ONE_PROCESS") != 0;
}

// True where processes of the parent's are made: as soon as the module is loaded at a start that is to serve.
inline bool begins_to_serve() noexcept {
  return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG &&
         ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_NORMAL && !is_one_process();
}

}  // namespace tls::apr
