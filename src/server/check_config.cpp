// SPDX-License-Identifier: Apache-2.0
#include "server/check_config.hpp"

#include <ap_listen.h>

#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "config/vocabulary/all_rows.hpp"
#include "config/vocabulary/defaults.hpp"
#include "server/arena.hpp"
#include "server/checks.hpp"
#include "server/key_log.hpp"
#include "server/policies.hpp"

namespace tls::server {
namespace {

// What the last check_config found; of the parent, which reads configurations one after the other.
bool faulty = false;

using config::EffectivePolicy;
using config::Listener;
using config::ServerSettings;

// httpd's protocol of a server, as it comes out when listeners are opened, which is after this (server/listen.c,
// ap_setup_listeners): what Protocol says, or the first of its addresses for which there is a Listen of exactly that
// one.
bool speaks_https(const server_rec* s) {
  const char* protocol = ap_get_server_protocol(const_cast<server_rec*>(s));
  for (const server_addr_rec* a = s->addrs; protocol == nullptr && a != nullptr; a = a->next) {
    for (const ap_listen_rec* l = ap_listeners; protocol == nullptr && l != nullptr; l = l->next) {
      if (l->bind_addr->port != a->host_port || apr_sockaddr_equal(l->bind_addr, a->host_addr) == 0) continue;
      protocol = l->protocol;
    }
  }
  return protocol != nullptr && std::string_view(protocol) == "https";
}

// Whether httpd listens at one of these; where it does not, the main server has nothing to serve there.
bool listens(const std::vector<Listener>& listeners) {
  for (const ap_listen_rec* l = ap_listeners; l != nullptr; l = l->next) {
    if (config::overlaps(listeners, listener_of(l->bind_addr))) return true;
  }
  return false;
}

// The policies of one vocabulary over all servers.
class PolicyBuilder {
 public:
  PolicyBuilder(config::Vocabulary words, const module_struct& record, PoolArena& arena)
      : words_(words), record_(record), arena_(arena), defaults_(config::server_defaults(words, arena)) {}

  EffectivePolicy build(const server_rec* s, std::span<const Listener> addresses) {
    if (scope_of(s, record_).lost) throw std::runtime_error("the settings of a server could not be made");
    ServerSettings complete;
    config::merge(config::server_merges, arena_, complete, defaults_, scope_of(s, record_).settings);
    EffectivePolicy policy = config::effective_policy(complete, words_, addresses, speaks_https(s));
    take_environment(policy);
    const bool listed = policy.engine.mode == config::EngineRule::Mode::ByListener;
    if (s->is_virtual == 0 && listed) policy.enabled = listens(*policy.engine.listeners);
    return policy;
  }

 private:
  config::Vocabulary words_;
  const module_struct& record_;
  PoolArena& arena_;
  ServerSettings defaults_;
};

// Where both records are loaded, a virtual host is of the vocabulary that turns its TLS on.
void compute_policies(apr_pool_t* pool, server_rec* main_server) {
  PoolArena arena(pool);
  std::optional<PolicyBuilder> tls;
  std::optional<PolicyBuilder> ssl;
  if (is_loaded(tls_module)) tls.emplace(config::Vocabulary::Tls, tls_module, arena);
  if (is_loaded(ssl_module)) ssl.emplace(config::Vocabulary::Ssl, ssl_module, arena);
  for (server_rec* s = main_server; s != nullptr; s = s->next) {
    const auto addresses = addresses_of(s);
    EffectivePolicy policy = tls ? tls->build(s, addresses) : ssl->build(s, addresses);
    if (tls && ssl && !policy.enabled) {
      EffectivePolicy other = ssl->build(s, addresses);
      if (other.enabled) policy = std::move(other);
    }
    scope_of(s, primary_record()).policy = arena.keep(std::move(policy));
  }
}

}  // namespace

int check_config(apr_pool_t* pool, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/, server_rec* main_server) {
  compute_policies(pool, main_server);
  faulty = !check_settings(main_server);
  return OK;
}

int refuse_faults(apr_pool_t* /*pool*/, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/,
                  server_rec* /*main_server*/) {
  return faulty ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

int refuse_faults_in_test(apr_pool_t* /*pool*/, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/,
                          server_rec* /*main_server*/) {
  return faulty && ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

}  // namespace tls::server
