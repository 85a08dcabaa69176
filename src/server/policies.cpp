#include "server/policies.hpp"

#include <exception>
#include <vector>

#include "config/defaults.hpp"
#include "config/tls_rows.hpp"
#include "report/log.hpp"
#include "server/arena.hpp"
#include "server/scopes.hpp"

namespace tls::server {
namespace {

using config::EffectivePolicy;
using config::Listener;
using config::ServerSettings;

Listener listener_of(const apr_sockaddr_t* address) {
  const auto* bytes = static_cast<const std::uint8_t*>(address->ipaddr_ptr);
  return {config::make_address({bytes, static_cast<std::size_t>(address->ipaddr_len)}), address->port};
}

// What a virtual host is written for; empty for the main server.
std::vector<Listener> addresses_of(const server_rec* s) {
  std::vector<Listener> all;
  if (s->is_virtual == 0) return all;
  for (const server_addr_rec* a = s->addrs; a != nullptr; a = a->next) {
    Listener listener = listener_of(a->host_addr);
    listener.port = a->host_port;
    all.push_back(listener);
  }
  return all;
}

ServerScope& scope_of(const server_rec* s) {
  return *static_cast<ServerScope*>(ap_get_module_config(s->module_config, &tls_module));
}

void compute_policies(apr_pool_t* pool, server_rec* main_server) {
  PoolArena arena(pool);
  const auto defaults = config::read_defaults<ServerSettings>(config::tls_server_rows, arena);
  for (server_rec* s = main_server; s != nullptr; s = s->next) {
    ServerScope& scope = scope_of(s);
    ServerSettings complete;
    config::merge<ServerSettings>(config::tls_server_rows, arena, complete, defaults, scope.settings);
    scope.policy = arena.keep(config::effective_policy(complete, config::Vocabulary::Tls, addresses_of(s)));
  }
}

}  // namespace

int check_config(apr_pool_t* pool, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/,
                 server_rec* main_server) noexcept {
  try {
    compute_policies(pool, main_server);
    return OK;
  } catch (const std::exception& e) {
    TLS_LOG_S(main_server, ConfigFailed, e.what());
    return HTTP_INTERNAL_SERVER_ERROR;
  }
}

const EffectivePolicy& effective(const server_rec* s) noexcept { return *scope_of(s).policy; }

bool engine_on(const server_rec* s, const apr_sockaddr_t* local) noexcept {
  return effective(s).engine.on_at(listener_of(local));
}

}  // namespace tls::server
