// SPDX-License-Identifier: Apache-2.0
#include "server/start.hpp"

#include <unistd.h>

#include "apr/mpm.hpp"
#include "apr/pool.hpp"
#include "log/log.hpp"
#include "mod_tls_bridge/src/fetch/boundary.rs.h"
#include "server/agent.hpp"
#include "server/credentials.hpp"
#include "server/ech.hpp"
#include "server/engine.hpp"
#include "server/fetching.hpp"
#include "server/key_log.hpp"
#include "server/limits.hpp"
#include "server/managed.hpp"
#include "server/policies.hpp"
#include "server/proxy_policies.hpp"
#include "server/resumption.hpp"
#include "server/stapling.hpp"

namespace tls::server {
namespace {

// Who builds configurations. Others that were forked destroy httpd's pools too, when they exit.
pid_t builder = 0;

apr_status_t withdraw(void*) {
  publish(nullptr);
  if (getpid() == builder) release_processes();
  return APR_SUCCESS;
}

// False where something is wrong that the server must not start with; it has been logged.
bool build(apr_pool_t* pool, apr_pool_t* temp_pool, server_rec* main_server) {
  rs::begin_configuration();
  begin_fetching(pool);
  const bool resumption_ok = prepare_resumption(pool, temp_pool, main_server);
  const bool ech_ok = prepare_ech(main_server);
  const bool key_log_ok = prepare_key_log(main_server);
  set_handshake_limits(main_server);
  const std::vector<server_rec*> servers = hosts_with_tls(main_server);
  collect_managed(pool, servers);
  LoadedCredentials loaded = load_credentials(main_server, servers);
  ClientVerifiers clients;
  const bool clients_ok = clients.load(servers);
  const bool backends_ok = build_backend_policies(pool, main_server);
  if (!resumption_ok || !ech_ok || !key_log_ok || !loaded.ok || !clients_ok || !backends_ok) return false;
  Staplable staplable = staplable_certificates(pool, servers, *loaded.credentials);
  if (!apr::is_first_reading()) fetch_for(main_server, servers, *loaded.credentials, staplable, clients);
  std::vector<HostConfig> hosts;
  hosts.reserve(servers.size());
  for (const server_rec* s : servers) {
    hosts.push_back({s, &effective(s), static_cast<std::uint32_t>(hosts.size())});
  }
  publish(apr::pool_new<Engine>(pool, main_server, hosts, std::move(loaded.credentials), std::move(clients),
                                std::move(staplable)));
  builder = getpid();
  apr_pool_cleanup_register(pool, nullptr, apr::hook<withdraw, APR_EGENERAL>, apr_pool_cleanup_null);
  return true;
}

}  // namespace

int watch_lists(apr_pool_t* /*pool*/, server_rec* s) {
  rs::refresh_lists();
  const Engine* running = engine();
  if (running == nullptr) return DECLINED;
  if (running->clients().refresh({})) TLS_LOG_S(s, ClientListsReplaced);
  renew_fetching(s, running->clients());
  return DECLINED;
}

int post_config(apr_pool_t* pool, apr_pool_t* /*log_pool*/, apr_pool_t* temp_pool, server_rec* main_server) {
  if (!build(pool, temp_pool, main_server)) return HTTP_INTERNAL_SERVER_ERROR;
  TLS_LOG_S(main_server, EngineStarted, TLS_VERSION, library_version().c_str());
  return OK;
}

}  // namespace tls::server
