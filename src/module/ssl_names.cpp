// SPDX-License-Identifier: Apache-2.0
#include "module/ssl_names.hpp"

#include <util_mutex.h>

#include <array>

#include "apr/hook.hpp"
#include "module/migration.hpp"
#include "server/policies.hpp"

namespace tls::module {
namespace {

int register_mutexes(apr_pool_t* pool, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/) {
  // No lock is taken under the last two: one process at a time fetches a staple, and knows so without them.
  constexpr std::array<const char*, 3> names = {"ssl-cache", "ssl-stapling", "ssl-stapling-refresh"};
  for (const char* name : names) {
    if (ap_mutex_register(pool, name, nullptr, APR_LOCK_DEFAULT, 0) != APR_SUCCESS) return HTTP_INTERNAL_SERVER_ERROR;
  }
  return OK;
}

// `-t -D DUMP_CERTS`: the certificate files of every virtual host, in mod_ssl's form.
void dump_certificates(apr_pool_t* pool, server_rec* main_server) {
  if (ap_exists_config_define("DUMP_CERTS") == 0) return;
  apr_file_t* out = nullptr;
  if (apr_file_open_stdout(&out, pool) != APR_SUCCESS) return;
  apr_file_printf(out, "Server certificates:\n");
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    const config::EffectivePolicy& policy = server::effective(s);
    if (!policy.enabled) continue;
    for (const config::CertificateFiles& files : policy.certificates) {
      apr_file_printf(out, "  %s\n", files.certificate.c_str());
    }
  }
}

}  // namespace

void register_ssl_names() {
  ap_hook_pre_config(apr::hook<register_mutexes, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_test_config(apr::hook<dump_certificates>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_check_config(apr::hook<list_differences, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_FIRST + 1);
  ap_hook_check_config(apr::hook<judge_differences, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                       APR_HOOK_REALLY_LAST);
}

}  // namespace tls::module
