// SPDX-License-Identifier: Apache-2.0
#include "server/agent.hpp"

#include <ap_mpm.h>
#include <apr_thread_proc.h>
#include <mpm_common.h>
#include <unistd.h>
#include <unixd.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <string>

#include "apr/hook.hpp"
#include "apr/mpm.hpp"
#include "log/log.hpp"
#include "mod_tls_bridge/src/agent/boundary.rs.h"
#include "mod_tls_bridge/src/fetch/boundary.rs.h"
#include "server/other_child.hpp"
#include "server/policies.hpp"

namespace tls::server {
namespace {

// What the process retains of an agent, for a module of another build that replaces this one at a graceful restart, as
// an upgrade does. Children of the build before still end their work, and have it signed by the agent of that build:
// `retire` ends that agent once the last of them has ended, and is called until it says so. This keeps its form for
// ever; the code stays mapped (-z nodelete).
struct Trace {
  bool (*retire)();
  Trace* before;
};
constexpr const char* trace_key = "mod_tls: key agents";

bool retire_ours() {
  rs::fetch_end();
  return rs::agent_retire();
}
constexpr auto ours = apr::hook<retire_ours, true>;

// The build that serves, and those before it whose agents have not ended.
Trace* traces() { return static_cast<Trace*>(ap_retained_data_get(trace_key)); }

void tend_builds_before() {
  Trace* const serving = traces();
  if (serving == nullptr) return;
  for (Trace** link = &serving->before; *link != nullptr;) {
    // A build that comes back goes on with the agent that it has.
    if ((*link)->retire == ours || (*link)->retire()) {
      *link = (*link)->before;
    } else {
      link = &(*link)->before;
    }
  }
}

void take_over() {
  Trace* serving = traces();
  if (serving == nullptr) serving = static_cast<Trace*>(ap_retained_data_create(trace_key, sizeof(Trace)));
  if (serving->retire != nullptr && serving->retire != ours) {
    auto* before = static_cast<Trace*>(apr_palloc(ap_pglobal, sizeof(Trace)));
    *before = *serving;
    serving->before = before;
  }
  serving->retire = ours;
}

// Said once a start: whoever comes from mod_ssl need not expect that certificates can renew by themselves.
void explain_reload(server_rec* main) {
  const config::EffectivePolicy& policy = effective(main);
  if (policy.words == config::Vocabulary::Ssl && !policy.agent.reload_written) TLS_LOG_S(main, ReloadOff);
}

void log_notice(server_rec* s, const rs::AgentNotice& notice) {
  const std::string text(notice.text);
  switch (notice.event) {
    case rs::AgentEvent::SignerReplaced:
      TLS_LOG_S(s, SignerReplaced, text.c_str());
      break;
    case rs::AgentEvent::ClientRefused:
      TLS_LOG_S(s, ClientRefused, text.c_str());
      break;
    case rs::AgentEvent::Reloaded:
      TLS_LOG_S(s, Reloaded, text.c_str());
      break;
    case rs::AgentEvent::ReloadRefused:
      TLS_LOG_S(s, ReloadRefused, text.c_str());
      break;
    default:
      TLS_LOG_S(s, AgentTrouble, text.c_str());
      break;
  }
}

void look_after(server_rec* s);

constinit OtherChild supervisor(look_after);

void look_after(server_rec* s) {
  for (const rs::AgentNotice& notice : rs::agent_look_after()) log_notice(s, notice);
  supervisor.watch(rs::agent_pid());
}

int monitor(apr_pool_t* /*pool*/, server_rec* s) {
  look_after(s);
  tend_builds_before();
  return DECLINED;
}

// Who is a child is what the MPM says, right after it forked one.
void child_status(server_rec* s, pid_t pid, ap_generation_t /*generation*/, int /*slot*/, mpm_child_status status) {
  if (status == MPM_CHILD_STARTED && pid != getpid() && rs::agent_child_began(pid)) look_after(s);
  if (status == MPM_CHILD_EXITED) rs::agent_child_ended(pid);
}

// A child without a way to the agent could shake no hands. It ends, and httpd makes another in its place: after a
// second, so that these do not follow each other without a pause, and not by APEXIT_CHILDSICK, for the first child
// after a restart that ends so ends httpd (AH02324).
void child_init(apr_pool_t* /*pool*/, server_rec* s) {
  if (rs::agent_become_child(mpm_number(AP_MPMQ_MAX_THREADS))) return;
  TLS_LOG_S(s, NoWayInChild);
  ::sleep(1);
  ::_exit(EXIT_FAILURE);
}

// An MPM detaches in its pre_config hook of a start's second reading (server/mpm/event/event.c, event_pre_config, which
// comes "really first"), so that hooks around it tell that fork from all others.
constexpr int before_the_mpm = APR_HOOK_REALLY_FIRST - 10;
constexpr int after_the_mpm = APR_HOOK_REALLY_FIRST + 1;

int before_detaching(apr_pool_t* /*pool*/, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/) {
  static bool detached = false;
  if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG || detached) return OK;
  detached = true;
  rs::forks_detach(true);
  return OK;
}

int after_detaching(apr_pool_t* /*pool*/, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/) {
  rs::forks_detach(false);
  return OK;
}

}  // namespace

// Two httpd that start at one moment begin to look at different places.
std::uint32_t unused_id(apr_pool_t* pool, std::uint32_t other) {
  constexpr std::uint32_t first = 65'533;
  constexpr std::uint32_t count = 133;
  const auto used = rs::ids_in_use();
  const auto begin = static_cast<std::uint32_t>(getpid());
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t id = first - (begin + i) % count;
    char* name = nullptr;
    const bool user = id == ap_unixd_config.user_id || apr_uid_name_get(&name, id, pool) == APR_SUCCESS;
    const bool group = id == ap_unixd_config.group_id || apr_gid_name_get(&name, id, pool) == APR_SUCCESS;
    const bool running = std::find(used.begin(), used.end(), id) != used.end();
    if (!user && !group && !running && id != other) return id;
  }
  return other == first ? first - 1 : first;
}

// An id that nobody has, so that no other process may signal the agent: not User's, not root's, no account's, and no
// other httpd's agent, for which it is looked for among those that run now. One for the life of this httpd.
std::uint32_t agent_id(apr_pool_t* pool) {
  static std::uint32_t chosen = 0;
  if (chosen == 0) chosen = unused_id(pool, 0);
  return chosen;
}

std::uint32_t mpm_number(int what) {
  int answer = 0;
  if (ap_mpm_query(what, &answer) != APR_SUCCESS || answer < 1) return 1;
  return static_cast<std::uint32_t>(answer);
}

bool uses_agent(server_rec* main, bool first_pass) {
  const char* why = nullptr;
  if (!effective(main).agent.isolation) {
    why = "TLSKeyIsolation is off";
  } else if (apr::is_one_process()) {
    why = "httpd -X is one process";
  }
  if (why != nullptr && !first_pass) TLS_LOG_S(main, KeysNotIsolated, why);
  return why == nullptr;
}

rust::Box<rs::Credentials> load_by_agent(server_rec* main, rust::Slice<const rs::LoadRequest> requests,
                                         bool first_pass) {
  take_over();
  rs::AgentSettings settings;
  settings.serve = !first_pass;
  settings.id = agent_id(main->process->pconf);
  settings.reload_seconds = effective(main).agent.reload.interval_s;
  settings.threads = mpm_number(AP_MPMQ_MAX_THREADS);
  settings.children = mpm_number(AP_MPMQ_HARD_LIMIT_DAEMONS);
  try {
    auto credentials = rs::agent_load(requests, settings);
    if (first_pass) return credentials;
    supervisor.watch(rs::agent_pid());
    explain_reload(main);
    for (const rust::String& weakness : credentials->weaknesses()) {
      TLS_LOG_S(main, AgentWeak, std::string(weakness).c_str());
    }
    return credentials;
  } catch (const std::exception& e) {
    TLS_LOG_S(main, AgentFailed, e.what());
    throw;
  }
}

void release_processes() {
  rs::agent_release();
  rs::fetch_release();
}

void end_agent() { rs::agent_retire(); }

void prepare_agent() {
  rs::forks_register();
  if (apr::begins_to_serve()) rs::agent_prepare();
}

void register_agent_hooks() {
  ap_hook_pre_config(apr::hook<before_detaching, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, before_the_mpm);
  ap_hook_pre_config(apr::hook<after_detaching, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, after_the_mpm);
  ap_hook_monitor(apr::hook<monitor, DECLINED>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_status(apr::hook<child_status>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_init(apr::hook<child_init>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
}

}  // namespace tls::server
