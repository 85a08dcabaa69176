#include "server/fetching.hpp"

#include <ap_mpm.h>
#include <apr_thread_proc.h>
#include <mpm_common.h>
#include <unistd.h>

#include <exception>
#include <string>

#include "apr/hook.hpp"
#include "apr/httpd.hpp"
#include "apr/to_rust.hpp"
#include "log/log.hpp"
#include "server/agent.hpp"
#include "server/fetch_wishes.hpp"
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
    case rs::FetchEvent::Replaced:
      TLS_LOG_S(s, FetchReplaced, text.c_str());
      break;
    default:
      TLS_LOG_S(s, FetchTrouble, text.c_str());
      break;
  }
}

void watch();

void look_after(server_rec* s) {
  const std::int32_t before = rs::fetch_pid();
  for (const rs::FetchNotice& notice : rs::fetch_look_after()) log_notice(s, notice);
  if (rs::fetch_pid() != before) watch();
}

// httpd reaps the children of its parent within a second and tells whoever registered one, long before the monitor
// hook is due. What was forked before httpd detached is nobody's child; the monitor hook finds that one.
void on_end(int reason, void* data, int /*status*/) {
  if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST) return;
  apr_proc_other_child_unregister(data);
  if (ap_server_conf == nullptr) return;
  look_after(ap_server_conf);
}

void watch() {
  static std::int32_t watched = 0;
  const std::int32_t pid = rs::fetch_pid();
  if (pid <= 0 || pid == watched) return;
  watched = pid;
  auto* process = static_cast<apr_proc_t*>(apr_pcalloc(ap_pglobal, sizeof(apr_proc_t)));
  process->pid = pid;
  apr_proc_other_child_register(process, apr::hook<on_end>, process, nullptr, ap_pglobal);
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

}  // namespace

void fetch_for(server_rec* main, const std::vector<server_rec*>& hosts, const rs::Credentials& credentials,
               const Staplable& staplable, const ClientVerifiers& clients) {
  if (one_process()) return;
  apr_pool_t* const pool = main->process->pconf;
  rs::FetchWish wish;
  wish.threads = mpm_number(AP_MPMQ_MAX_THREADS);
  wish.children = mpm_number(AP_MPMQ_HARD_LIMIT_DAEMONS);
  wish.directory = apr::exact(ap_runtime_dir_relative(pool, state_directory));
  collect_wishes(wish, hosts, staplable, clients);
  if (!wish.rules.empty()) wish.id = fetcher_id(pool);
  try {
    rs::fetch_wish(credentials, wish);
    watch();
  } catch (const std::exception& e) {
    TLS_LOG_S(main, FetchFailed, e.what());
  }
}

void prepare_fetcher() {
  const bool first = ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
  if (first && ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_NORMAL && !one_process()) rs::fetch_prepare();
}

void register_fetcher_hooks() {
  ap_hook_monitor(apr::hook<monitor, DECLINED>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_status(apr::hook<child_status>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_init(apr::hook<child_init>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
}

}  // namespace tls::server
