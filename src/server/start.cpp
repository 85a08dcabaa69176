#include "server/start.hpp"

#include <exception>

#include "apr/pool.hpp"
#include "report/log.hpp"
#include "server/engine.hpp"
#include "server/policies.hpp"

namespace tls::server {
namespace {

apr_status_t withdraw(void*) noexcept {
  publish(nullptr);
  return APR_SUCCESS;
}

void build(apr_pool_t* pool, server_rec* main_server) {
  std::vector<HostConfig> hosts;
  rust::Vec<rust::String> certificates;
  rust::Vec<rust::String> keys;
  for (server_rec* s = main_server; s != nullptr; s = s->next) {
    const config::EffectivePolicy& settings = effective(s);
    if (!settings.enabled || settings.certificates.empty()) continue;
    hosts.push_back({s, &settings, static_cast<std::uint32_t>(certificates.size())});
    const auto& pair = settings.certificates.front();
    certificates.push_back(pair.certificate);
    keys.push_back(pair.key.empty() ? pair.certificate : pair.key);
  }
  rust::Box<rs::Credentials> credentials =
      rs::load_pairs({certificates.data(), certificates.size()}, {keys.data(), keys.size()});
  publish(apr::pool_new<Engine>(pool, main_server, hosts, std::move(credentials)));
  apr_pool_cleanup_register(pool, nullptr, withdraw, apr_pool_cleanup_null);
}

}  // namespace

int post_config(apr_pool_t* pool, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/,
                server_rec* main_server) noexcept {
  try {
    build(pool, main_server);
    const rust::String version = rs::engine_version();
    TLS_LOG_S(main_server, EngineStarted, "0.1.0", std::string(version).c_str());
    return OK;
  } catch (const std::exception& e) {
    TLS_LOG_S(main_server, ConfigFailed, e.what());
    return HTTP_INTERNAL_SERVER_ERROR;
  }
}

}  // namespace tls::server
