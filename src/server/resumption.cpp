// SPDX-License-Identifier: Apache-2.0
#include "server/resumption.hpp"

#include <ap_mpm.h>
#include <mpm_common.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "apr/hook.hpp"
#include "apr/to_rust.hpp"
#include "log/log.hpp"
#include "mod_tls_bridge/src/lib.rs.h"
#include "mod_tls_bridge/src/resumption/boundary.rs.h"
#include "server/policies.hpp"
#include "server/session_cache.hpp"

namespace tls::server {
namespace {

// Keys of sessions lie in memory that this process alone writes: children of now and later see the same ones, no file
// holds them. Kept out of core dumps; swap is avoided where the limits allow it.
void make_memory(server_rec* s) {
  try {
    rs::resumption_prepare();
  } catch (const std::exception& e) {
    TLS_LOG_S(s, NoTicketMemory, e.what());
  }
}

bool shared_by_machines(const config::SessionCacheName& cache) {
  return cache.provider == "redis" || cache.provider == "memcache" || cache.provider == "dc";
}

// What keeps sessions from being resumed as configured, and the line that asks for it.
struct ResumptionProblem {
  std::string text;
  config::Source where;
};

// What all virtual hosts share, whichever vocabulary says it.
struct Shared {
  const config::EffectivePolicy* cache = nullptr;   // the first with a cache
  const config::EffectivePolicy* secret = nullptr;  // the first with a secret
  std::uint32_t longest_lifetime_s = 0;
  ResumptionProblem problem;
};

Shared shared_by_all(const server_rec* main_server) {
  Shared shared;
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    const config::EffectivePolicy& policy = effective(s);
    const config::ResumptionPolicy& r = policy.resumption;
    if (!r.cache.provider.empty() && shared.cache == nullptr) shared.cache = &policy;
    if (!r.cache.provider.empty() && r.cache != shared.cache->resumption.cache) {
      shared.problem = {"TLSSessionCache and SSLSessionCache name two caches; a server has one", r.cache_written};
    }
    if (!r.secret.empty() && shared.secret == nullptr) shared.secret = &policy;
    if (!policy.enabled) continue;
    const config::Lifetimes& lifetime = policy.negotiated.lifetime;
    shared.longest_lifetime_s = std::max({shared.longest_lifetime_s, lifetime.tls13_s, lifetime.tls12_s});
  }
  return shared;
}

// mod_ssl takes a secret for each virtual host; ours is one, for the sessions of all are bound to their hosts anyway.
void warn_of_other_secrets(server_rec* main_server, const Shared& shared) {
  for (server_rec* s = main_server; s != nullptr; s = s->next) {
    const std::string& secret = effective(s).resumption.secret;
    if (secret.empty() || secret == shared.secret->resumption.secret) continue;
    TLS_LOG_S(s, OtherTicketSecret, secret.c_str(), shared.secret->resumption.secret.c_str());
  }
}

rs::ResumptionSetup setup_of(apr_pool_t* pool, const Shared& shared) {
  rs::ResumptionSetup setup{};
  if (shared.secret != nullptr) {
    const char* const file = shared.secret->resumption.secret.c_str();
    const char* const full = ap_server_root_relative(pool, file);
    setup.secret = apr::exact(full != nullptr ? full : file);
    setup.interval = shared.secret->resumption.secret_interval_s;
    setup.open_to_others = shared.secret->words == config::Vocabulary::Ssl;
  }
  setup.cached = shared.cache != nullptr;
  setup.remote = setup.cached && shared_by_machines(shared.cache->resumption.cache);
  setup.retention = shared.longest_lifetime_s;
  return setup;
}

// What can be said without opening a file.
ResumptionProblem problem_of(const Shared& shared) {
  if (!shared.problem.text.empty() || shared.cache == nullptr) return shared.problem;
  const config::SessionCacheName& cache = shared.cache->resumption.cache;
  ResumptionProblem problem{cache_problem(cache), shared.cache->resumption.cache_written};
  if (problem.text.empty() && shared_by_machines(cache) && shared.secret == nullptr) {
    const bool ssl = shared.cache->words == config::Vocabulary::Ssl;
    problem.text = "a " + cache.provider +
                   " session cache is shared by machines, which must share a secret to read each other's sessions: "
                   "add \"" +
                   (ssl ? "SSLSessionTicketKeyFile PATH" : "TLSSessionTickets file:PATH") +
                   "\" with the same file on each of them";
  }
  return problem;
}

// The same at a start and under -t. False where there is a problem.
bool say(server_rec* s, const ResumptionProblem& problem) {
  if (problem.text.empty()) return true;
  const char* file = problem.where.file != nullptr ? problem.where.file : "the configuration";
  TLS_LOG_S(s, ResumptionFailed, problem.text.c_str(), file, static_cast<int>(problem.where.line));
  return false;
}

// What the secret's file is found to be.
ResumptionProblem of_secret(const Shared& shared, std::string text) {
  return {std::move(text), shared.secret != nullptr ? shared.secret->resumption.secret_written : config::Source{}};
}

// mod_ssl starts with a file that others may read, and warns; our own words refuse it.
void warn_of_open_secret(server_rec* s, const Shared& shared) {
  if (shared.secret == nullptr || shared.secret->words != config::Vocabulary::Ssl) return;
  const config::ResumptionPolicy& r = shared.secret->resumption;
  struct stat about {};
  constexpr unsigned others = 07;
  if (::stat(r.secret.c_str(), &about) != 0 || (about.st_mode & others) == 0) return;
  TLS_LOG_S(s, TicketSecretOpen, r.secret.c_str(), about.st_mode & 07777U, r.secret.c_str(),
            r.secret_written.file_or_nothing(), static_cast<int>(r.secret_written.line));
}

int pre_config(apr_pool_t* pool, apr_pool_t*, apr_pool_t*) {
  register_cache_mutex(pool);
  return OK;
}

// Under -t only. At a start post_config says the same; a fault here must not keep a server from being stopped.
int test_config(apr_pool_t* pool, apr_pool_t*, apr_pool_t*, server_rec* main_server) {
  if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST) return OK;
  const Shared shared = shared_by_all(main_server);
  if (!say(main_server, problem_of(shared))) return HTTP_INTERNAL_SERVER_ERROR;
  warn_of_open_secret(main_server, shared);
  const ResumptionProblem problem = of_secret(shared, std::string(rs::resumption_check(setup_of(pool, shared))));
  return say(main_server, problem) ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

// Who is a child is what the MPM says, right after it forked one.
void child_status(server_rec* /*s*/, pid_t pid, ap_generation_t generation, int /*slot*/, mpm_child_status status) {
  if (status == MPM_CHILD_STARTED && pid != getpid()) rs::resumption_child_began(pid, generation);
  if (status == MPM_CHILD_EXITED) rs::resumption_child_ended(pid);
}

void child_init(apr_pool_t* pool, server_rec* s) {
  open_cache_in_child(pool, s);
  if (!rs::resumption_become_child()) TLS_LOG_S(s, NoKeysInChild);
}

void report(const server_rec* s, const rs::SecretNews& news) {
  if (news.state == rs::SecretState::Replaced) TLS_LOG_S(s, TicketSecretReplaced);
  if (news.state == rs::SecretState::Refused) TLS_LOG_S(s, TicketSecretRefused, std::string(news.problem).c_str());
}

int monitor(apr_pool_t*, server_rec* s) {
  report(s, rs::resumption_tick());
  return DECLINED;
}

}  // namespace

void register_resumption_hooks() {
  // After the policies have been computed (APR_HOOK_FIRST).
  ap_hook_pre_config(apr::hook<pre_config, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_check_config(apr::hook<test_config, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_status(apr::hook<child_status>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_init(apr::hook<child_init>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_monitor(apr::hook<monitor, DECLINED>, nullptr, nullptr, APR_HOOK_MIDDLE);
}

bool prepare_resumption(apr_pool_t* pool, apr_pool_t* temp_pool, server_rec* main_server) {
  const Shared shared = shared_by_all(main_server);
  if (!say(main_server, problem_of(shared))) return false;
  // httpd throws the first configuration of a start away at once, a cache with it.
  if (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG) {
    int children = 0;
    if (ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children) == APR_SUCCESS && children > 0) {
      rs::expect_children(static_cast<std::uint32_t>(children));
    }
    make_memory(main_server);
    warn_of_other_secrets(main_server, shared);
    warn_of_open_secret(main_server, shared);
    open_cache(pool, temp_pool, main_server,
               shared.cache == nullptr ? config::SessionCacheName{} : shared.cache->resumption.cache);
  }
  const rs::SecretNews news = rs::resumption_setup(setup_of(pool, shared));
  report(main_server, news);
  return news.state != rs::SecretState::Unusable || say(main_server, of_secret(shared, std::string(news.problem)));
}

}  // namespace tls::server
