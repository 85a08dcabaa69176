// SPDX-License-Identifier: Apache-2.0
// The two module records and the registration of their hooks.
#include <mpm_common.h>

#include "access/access.hpp"
#include "apr/hook.hpp"
#include "config/policy/oldest_httpd.hpp"
#include "conn/connection.hpp"
#include "log/log.hpp"
#include "module/commands.hpp"
#include "module/ssl_names.hpp"
#include "report/client_fields.hpp"
#include "report/dump.hpp"
#include "report/dump_ech.hpp"
#include "report/origin_svcb.hpp"
#include "report/status.hpp"
#include "report/variables.hpp"
#include "server/agent.hpp"
#include "server/check_config.hpp"
#include "server/credentials.hpp"
#include "server/ech.hpp"
#include "server/fetching.hpp"
#include "server/key_log.hpp"
#include "server/limits.hpp"
#include "server/metrics.hpp"
#include "server/module_config.hpp"
#include "server/policies.hpp"
#include "server/proxy_policies.hpp"
#include "server/refresher.hpp"
#include "server/resumption.hpp"
#include "server/start.hpp"

const int* aplog_module_index = &tls_module.module_index;

namespace {

using tls::apr::hook;

// httpd loads objects so that the first one's symbols stand for all of that name, and we stay mapped when all others
// are loaded anew: the code of the real mod_ssl then finds our ssl_module in the place of its own. All that it takes
// from it is the index, so that it gets the right one from ours as well.
int lend_record(apr_pool_t* pool, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/) {
  const module_struct* const other = ap_find_linked_module("mod_ssl.c");
  if (other != nullptr && other != &ssl_module) tls::server::lend_ssl_record(pool, other->module_index);
  return OK;
}

// httpd itself compares only the major number of its module interface.
int refuse_old_httpd(apr_pool_t* pool, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/) {
  ap_version_t now{};
  ap_get_server_revision(&now);
  if (!tls::config::is_old({now.major, now.minor, now.patch})) return OK;
  const auto& [major, minor, patch] = tls::config::oldest_httpd;
  TLS_LOG_P(pool, HttpdTooOld, now.major, now.minor, now.patch, major, minor, patch);
  return HTTP_INTERNAL_SERVER_ERROR;
}

// Said of any other failure: what it was, in the words for faults of the configuration.
int lost_start(const char* why, apr_pool_t* /*pool*/, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/,
               server_rec* main_server) noexcept {
  TLS_LOG_S(main_server, ConfigFailed, why);
  return HTTP_INTERNAL_SERVER_ERROR;
}

// Whether all hooks are there: httpd asks nobody whether registering them went well, and with some of them missing
// what looks like TLS would not be.
bool registered = false;

int refuse_incomplete(apr_pool_t* /*pool*/, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/) {
  return registered ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

// Hooks of the engine, once for each reading of the configuration, whichever records are loaded.
void register_hooks(apr_pool_t* pool) {
  constexpr const char* key = "mod_tls: hooks registered";
  aplog_module_index = &tls::server::primary_record().module_index;
  void* done = nullptr;
  apr_pool_userdata_get(&done, key, pool);
  if (done != nullptr) return;
  apr_pool_userdata_setn(key, key, apr_pool_cleanup_null, pool);

  registered = false;
  ap_hook_pre_config(hook<refuse_incomplete, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
  // mod_proxy loads the client side's settings in its post_config, so the engine comes before it.
  static const char* const after[] = {"mod_proxy.c", nullptr};
  ap_hook_check_config(tls::apr::hook<tls::module::say_notes, OK>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
  ap_hook_check_config(hook<tls::server::check_config, lost_start>, nullptr, nullptr, APR_HOOK_FIRST);
  ap_hook_check_config(hook<tls::server::refuse_faults_in_test, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                       APR_HOOK_REALLY_LAST);
  ap_hook_post_config(hook<tls::server::refuse_faults, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                      APR_HOOK_REALLY_FIRST);
  ap_hook_check_config(hook<tls::server::check_files, lost_start>, nullptr, nullptr, APR_HOOK_LAST);
  // Before files are judged, which ends the run where one is bad.
  ap_hook_check_config(hook<tls::report::dump_policies, DECLINED>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_test_config(hook<tls::report::dump_ech>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_post_config(hook<tls::server::post_config, lost_start>, nullptr, after, APR_HOOK_MIDDLE);
  ap_hook_pre_config(hook<refuse_old_httpd, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
  ap_hook_pre_config(hook<lend_record, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
  ap_hook_monitor(hook<tls::server::watch_lists, DECLINED>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_init(hook<tls::server::start_refresher>, nullptr, nullptr, APR_HOOK_LAST);
  tls::server::register_proxy_section_hooks();
  tls::server::register_resumption_hooks();
  tls::server::register_limit_hooks();
  tls::server::register_ech_hooks();
  tls::server::register_key_log_hooks();
  tls::server::register_agent_hooks();
  tls::server::register_fetcher_hooks();
  tls::server::count_lost();
  tls::server::prepare_agent();
  tls::server::prepare_fetcher();
  tls::conn::register_hooks(pool);
  tls::report::register_hooks(pool);
  tls::report::register_status_hooks();
  tls::report::register_origin_svcb_hook();
  tls::report::register_client_field_hooks();
  tls::access::register_hooks(pool);
  registered = true;
}

void register_ssl_hooks(apr_pool_t* pool) {
  register_hooks(pool);
  tls::module::register_ssl_names();
}

}  // namespace

// Both merge always: a virtual host without words of its own must not share the scope of the main server, since the
// policies of the two may differ by their addresses.
// module_struct and not module: clang takes a line that begins with "module" for a C++20 module.
module_struct tls_module = {
    .version = MODULE_MAGIC_NUMBER_MAJOR,
    .minor_version = MODULE_MAGIC_NUMBER_MINOR,
    .module_index = -1,
    .name = "mod_tls.c",
    .dynamic_load_handle = nullptr,
    .next = nullptr,
    .magic = MODULE_MAGIC_COOKIE,
    .rewrite_args = nullptr,
    .create_dir_config = hook<tls::server::create_directory_scope, tls::server::lost_directory_scope>,
    .merge_dir_config = hook<tls::server::merge_directory_scopes, tls::server::lost_directory_merge>,
    .create_server_config = hook<tls::server::create_server_scope, tls::server::lost_server_scope>,
    .merge_server_config = hook<tls::server::merge_server_scopes, tls::server::lost_server_merge>,
    .cmds = tls::module::tls_commands,
    .register_hooks = hook<register_hooks>,
    .flags = AP_MODULE_FLAG_ALWAYS_MERGE,
};

// What configurations, other modules and tools know as mod_ssl.
module_struct ssl_module = {
    .version = MODULE_MAGIC_NUMBER_MAJOR,
    .minor_version = MODULE_MAGIC_NUMBER_MINOR,
    .module_index = -1,
    .name = "mod_ssl.c",
    .dynamic_load_handle = nullptr,
    .next = nullptr,
    .magic = MODULE_MAGIC_COOKIE,
    .rewrite_args = nullptr,
    .create_dir_config = hook<tls::server::create_directory_scope, tls::server::lost_directory_scope>,
    .merge_dir_config = hook<tls::server::merge_directory_scopes, tls::server::lost_directory_merge>,
    .create_server_config = hook<tls::server::create_server_scope, tls::server::lost_server_scope>,
    .merge_server_config = hook<tls::server::merge_server_scopes, tls::server::lost_server_merge>,
    .cmds = tls::module::ssl_commands,
    .register_hooks = hook<register_ssl_hooks>,
    .flags = AP_MODULE_FLAG_ALWAYS_MERGE,
};
