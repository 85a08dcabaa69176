#include "server/resumption.hpp"

#include <mpm_common.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string>

#include "apr/guarded.hpp"
#include "mod_tls_bridge/src/lib.rs.h"
#include "report/log.hpp"
#include "server/policies.hpp"
#include "server/session_cache.hpp"

namespace tls::server {
namespace {

// Anonymous and shared: children of now and later see the same keys, no file holds them. Kept out of core dumps; swap
// is avoided where the limits allow it.
void make_memory(server_rec* s) {
  static bool made = false;  // the module is never unloaded, so this lives as long as the process
  if (made) return;
  const std::size_t size = rs::resumption_memory();
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    TLS_LOG_S(s, NoTicketMemory, size, errno);
    return;
  }
  (void)madvise(memory, size, MADV_DONTDUMP);
  (void)mlock(memory, size);
  made = rs::resumption_attach(static_cast<std::uint8_t*>(memory));
  if (!made) TLS_LOG_S(s, NoTicketMemory, size, 0);
}

bool shared_by_machines(const config::SessionCacheName& cache) {
  return cache.provider == "redis" || cache.provider == "memcache" || cache.provider == "dc";
}

rs::ResumptionSetup setup_of(apr_pool_t* pool, server_rec* main_server) {
  const config::ResumptionPolicy& r = effective(main_server).resumption;
  rs::ResumptionSetup setup{};
  if (!r.secret.empty()) setup.secret = ap_server_root_relative(pool, r.secret.c_str());
  setup.interval = r.secret_interval_s;
  setup.cached = !r.cache.provider.empty();
  setup.remote = shared_by_machines(r.cache);
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    const config::EffectivePolicy& policy = effective(s);
    if (!policy.enabled) continue;
    const config::Lifetimes& lifetime = policy.resumption.lifetime;
    setup.retention = std::max({setup.retention, lifetime.tls13_s, lifetime.tls12_s});
  }
  return setup;
}

// What can be said without opening a file.
std::string problem_of(server_rec* main_server) {
  const config::ResumptionPolicy& r = effective(main_server).resumption;
  std::string problem = cache_problem(r.cache);
  if (problem.empty() && shared_by_machines(r.cache) && r.secret.empty()) {
    problem = "a " + r.cache.provider +
              " session cache is shared by machines, which must share a secret to read each other's sessions: add "
              "\"TLSSessionTickets file:PATH\" with the same file on each of them";
  }
  return problem;
}

int pre_config(apr_pool_t* pool, apr_pool_t*, apr_pool_t*) noexcept {
  register_cache_mutex(pool);
  return OK;
}

// Under -t only. At a start post_config says the same; a fault here must not keep a server from being stopped.
int test_config(apr_pool_t* pool, apr_pool_t*, apr_pool_t*, server_rec* main_server) noexcept {
  if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST) return OK;
  return apr::guarded<int>(HTTP_INTERNAL_SERVER_ERROR, [&] {
    std::string problem = problem_of(main_server);
    if (problem.empty()) problem = std::string(rs::resumption_check(setup_of(pool, main_server)));
    if (problem.empty()) return OK;
    TLS_LOG_S(main_server, ResumptionFailed, problem.c_str());
    return HTTP_INTERNAL_SERVER_ERROR;
  });
}

void child_init(apr_pool_t* pool, server_rec* s) noexcept {
  open_cache_in_child(pool, s);
  rs::resumption_forget_secret();
}

int monitor(apr_pool_t*, server_rec* s) noexcept {
  return apr::guarded<int>(DECLINED, [&] {
    const rs::SecretNews news = rs::resumption_tick();
    if (news.state == rs::SecretState::Replaced) TLS_LOG_S(s, TicketSecretReplaced);
    if (news.state == rs::SecretState::Refused) TLS_LOG_S(s, TicketSecretRefused, std::string(news.problem).c_str());
    return DECLINED;
  });
}

}  // namespace

void register_resumption_hooks() noexcept {
  // After the policies have been computed (APR_HOOK_FIRST).
  ap_hook_pre_config(pre_config, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_check_config(test_config, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_init(child_init, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_monitor(monitor, nullptr, nullptr, APR_HOOK_MIDDLE);
}

void prepare_resumption(apr_pool_t* pool, apr_pool_t* temp_pool, server_rec* main_server) {
  const std::string problem = problem_of(main_server);
  if (!problem.empty()) throw std::runtime_error(problem);
  make_memory(main_server);
  // httpd throws the first configuration of a start away at once, a cache with it.
  if (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG) {
    open_cache(pool, temp_pool, main_server, effective(main_server).resumption.cache);
  }
  rs::resumption_setup(setup_of(pool, main_server));
}

}  // namespace tls::server
