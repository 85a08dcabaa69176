// SPDX-License-Identifier: Apache-2.0
#include "server/fetching.hpp"

#include <ap_mpm.h>
#include <mpm_common.h>
#include <unistd.h>

#include <exception>
#include <string>

#include "apr/hook.hpp"
#include "apr/httpd.hpp"
#include "apr/mpm.hpp"
#include "apr/to_rust.hpp"
#include "log/log.hpp"
#include "mod_tls_bridge/src/fetch/boundary.rs.h"
#include "server/agent.hpp"
#include "server/fetch_settings.hpp"
#include "server/other_child.hpp"
#include "server/policies.hpp"

namespace tls::server {
namespace {

// What is fetched is kept there over a stop of httpd (DefaultRuntimeDir).
constexpr const char* state_directory = "tls-fetched";

void log_notice(server_rec* s, const rs::FetchNotice& notice) {
  const std::string text(notice.text);
  switch (notice.event) {
    case rs::FetchEvent::Stapled:
      TLS_LOG_S(s, StapleFetched, text.c_str());
      break;
    case rs::FetchEvent::StapleLost:
      TLS_LOG_S(s, StapleNotFetched, text.c_str());
      break;
    case rs::FetchEvent::NoVerdict:
      TLS_LOG_S(s, VerdictNotFetched, text.c_str());
      break;
    case rs::FetchEvent::List:
      TLS_LOG_S(s, ListFetched, text.c_str());
      break;
    case rs::FetchEvent::ListLost:
      TLS_LOG_S(s, ListNotFetched, text.c_str());
      break;
    case rs::FetchEvent::Replaced:
      TLS_LOG_S(s, FetchReplaced, text.c_str());
      break;
    default:
      TLS_LOG_S(s, FetchTrouble, text.c_str());
      break;
  }
}

void look_after(server_rec* s);

constinit OtherChild fetcher(look_after);

void look_after(server_rec* s) {
  for (const rs::FetchNotice& notice : rs::fetch_look_after()) log_notice(s, notice);
  fetcher.watch(rs::fetch_pid());
}

int monitor(apr_pool_t* /*pool*/, server_rec* s) {
  look_after(s);
  return DECLINED;
}

void child_status(server_rec* s, pid_t pid, ap_generation_t /*generation*/, int /*slot*/, mpm_child_status status) {
  if (status == MPM_CHILD_STARTED && pid != getpid() && rs::fetch_child_began(pid)) look_after(s);
  if (status == MPM_CHILD_EXITED) rs::fetch_child_ended(pid);
}

void child_init(apr_pool_t* /*pool*/, server_rec* /*main*/) { rs::fetch_become_child(); }

// Not the agent's, whose process it could else signal. One for the life of this httpd.
std::uint32_t fetcher_id(apr_pool_t* pool) {
  static std::uint32_t chosen = 0;
  if (chosen == 0) chosen = unused_id(pool, agent_id(pool));
  return chosen;
}

// mod_proxy's sections are complete only when mod_proxy's own hook has run: what their backends want comes last.
int fetch_for_sections(apr_pool_t* pool, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/, server_rec* main) {
  if (apr::is_one_process() || apr::is_first_reading() || !rs::lists_are_wanted()) return OK;
  try {
    rs::fetch_configure_lists(fetcher_id(pool));
    fetcher.watch(rs::fetch_pid());
  } catch (const std::exception& e) {
    TLS_LOG_S(main, FetchFailed, e.what());
  }
  return OK;
}

}  // namespace

void begin_fetching(apr_pool_t* pool) { rs::fetch_begin(apr::exact(ap_runtime_dir_relative(pool, state_directory))); }

void fetch_for(server_rec* main, const std::vector<server_rec*>& hosts, const rs::Credentials& credentials,
               const Staplable& staplable, const ClientVerifiers& clients) {
  if (apr::is_one_process()) return;
  apr_pool_t* const pool = main->process->pconf;
  rs::FetchSettings settings;
  settings.threads = mpm_number(AP_MPMQ_MAX_THREADS);
  settings.children = mpm_number(AP_MPMQ_HARD_LIMIT_DAEMONS);
  settings.directory = apr::exact(ap_runtime_dir_relative(pool, state_directory));
  settings.local = effective(main).fetch_local;
  collect_settings(settings, hosts, staplable, clients);
  if (!settings.rules.empty() || rs::lists_are_wanted()) settings.id = fetcher_id(pool);
  try {
    rs::fetch_configure(credentials, settings);
    fetcher.watch(rs::fetch_pid());
  } catch (const std::exception& e) {
    TLS_LOG_S(main, FetchFailed, e.what());
  }
}

void renew_fetching(server_rec* main, const ClientVerifiers& clients) {
  if (apr::is_one_process() || !clients.foresee(effective(main).agent.reload)) return;
  try {
    rs::fetch_renew(fetcher_id(main->process->pconf), clients.ocsp_rules());
    fetcher.watch(rs::fetch_pid());
  } catch (const std::exception& e) {
    TLS_LOG_S(main, FetchTrouble, e.what());
  }
}

void prepare_fetcher() {
  if (apr::begins_to_serve()) rs::fetch_prepare();
}

void register_fetcher_hooks() {
  ap_hook_post_config(apr::hook<fetch_for_sections, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                      APR_HOOK_REALLY_LAST);
  ap_hook_monitor(apr::hook<monitor, DECLINED>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_status(apr::hook<child_status>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_init(apr::hook<child_init>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
}

}  // namespace tls::server
