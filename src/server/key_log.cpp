// SPDX-License-Identifier: Apache-2.0
#include "server/key_log.hpp"

#include <ap_mpm.h>

#include <cstdlib>
#include <string>

#include "apr/hook.hpp"
#include "apr/mpm.hpp"
#include "apr/to_rust.hpp"
#include "log/log.hpp"
#include "mod_tls_bridge/src/lib.rs.h"
#include "server/module_config.hpp"

namespace tls::server {
namespace {

constexpr const char* environment = "SSLKEYLOGFILE";

const char* file_of(const config::Source& where) { return where.file != nullptr ? where.file : environment; }

// What a configuration wants; an empty path: none.
struct Wanted {
  config::PathAt log;
  std::string fault;  // two files are named
  config::Source fault_at;
};

Wanted wanted(const server_rec* main_server) {
  Wanted found;
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    const config::PathAt& own = effective(s).key_log;
    if (own.path.empty() || own.path == found.log.path) continue;
    if (found.log.path.empty()) {
      found.log = own;
    } else {
      found.fault = "a server has one, and " + found.log.path + " is named too: name the same file everywhere, or off";
      found.fault_at = own.where;
    }
  }
  return found;
}

void say_fault(server_rec* s, const std::string& fault, const config::Source& where) {
  TLS_LOG_S(s, KeyLogFailed, fault.c_str(), file_of(where), static_cast<int>(where.line));
}

// True at a graceful restart, where httpd would end with what stops a start, and all its clients with it.
bool is_restart() {
  int generation = 0;
  return ap_mpm_query(AP_MPMQ_GENERATION, &generation) == APR_SUCCESS && generation > 0;
}

// Under -t only: post_config says the same.
int test_config(apr_pool_t* /*pool*/, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/, server_rec* main_server) {
  if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST) return OK;
  const Wanted want = wanted(main_server);
  if (!want.fault.empty()) say_fault(main_server, want.fault, want.fault_at);
  std::string fault;
  if (!want.log.path.empty()) fault = std::string(rs::key_log_check(apr::exact(want.log.path)));
  if (!fault.empty()) say_fault(main_server, fault, want.log.where);
  return want.fault.empty() && fault.empty() ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

}  // namespace

void take_environment(config::EffectivePolicy& policy) {
  const char* const named = std::getenv(environment);
  const bool written = policy.key_log.where.file != nullptr;
  if (written || named == nullptr || *named == '\0' || !apr::is_one_process()) return;
  policy.key_log.path = named;
  policy.negotiated.key_log = true;
}

bool prepare_key_log(server_rec* main_server) {
  const Wanted want = wanted(main_server);
  if (want.log.path.empty()) {
    rs::key_log_close();
    return true;
  }
  const bool named = want.log.where.file != nullptr;
  std::string fault = want.fault;
  if (fault.empty()) fault = std::string(rs::key_log_open(apr::exact(want.log.path)));
  if (fault.empty()) {
    if (apr::is_first_reading()) return true;
    TLS_LOG_S(main_server, KeyLogOn, want.log.path.c_str(), named ? "TLSKeyLogFile" : environment,
              file_of(want.log.where), static_cast<int>(want.log.where.line));
    return true;
  }
  const config::Source& where = want.fault.empty() ? want.log.where : want.fault_at;
  if (named && !is_restart()) {
    say_fault(main_server, fault, where);
    return false;
  }
  rs::key_log_close();
  if (!apr::is_first_reading()) {
    TLS_LOG_S(main_server, KeyLogWithout, fault.c_str(), file_of(where), static_cast<int>(where.line));
  }
  return true;
}

void register_key_log_hooks() {
  ap_hook_check_config(apr::hook<test_config, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
}

}  // namespace tls::server
