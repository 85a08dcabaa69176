#include "server/scopes.hpp"

#include "config/all_rows.hpp"
#include "server/arena.hpp"
#include "server/policies.hpp"

namespace tls::server {
namespace {

bool ssl_record_lent = false;

apr_status_t take_back(void*) noexcept {
  ssl_record_lent = false;
  ssl_module.module_index = -1;
  return APR_SUCCESS;
}

// The record whose vocabulary `s` is written in.
const module_struct& record_of(const server_rec* s) noexcept {
  if (!is_loaded(tls_module)) return ssl_module;
  if (!is_loaded(ssl_module)) return tls_module;
  return effective(s).words == config::Vocabulary::Ssl ? ssl_module : tls_module;
}

}  // namespace

void* create_server_scope(apr_pool_t* pool, server_rec* /*s*/) noexcept {
  return ::new (apr_palloc(pool, sizeof(ServerScope))) ServerScope{};
}

void* merge_server_scopes(apr_pool_t* pool, void* base, void* add) noexcept {
  const auto& inner = *static_cast<const ServerScope*>(add);
  auto* out = ::new (apr_palloc(pool, sizeof(ServerScope))) ServerScope{};
  PoolArena arena(pool);
  config::merge<config::ServerSettings>(config::all_server_rows, arena, out->settings,
                                        static_cast<const ServerScope*>(base)->settings, inner.settings);
  out->first_directive = inner.first_directive;
  out->first_written = inner.first_written;
  return out;
}

void* create_directory_scope(apr_pool_t* pool, char* /*directory*/) noexcept {
  return ::new (apr_palloc(pool, sizeof(DirectoryScope))) DirectoryScope{};
}

void* merge_directory_scopes(apr_pool_t* pool, void* base, void* add) noexcept {
  const auto& outer = *static_cast<const DirectoryScope*>(base);
  const auto& inner = *static_cast<const DirectoryScope*>(add);
  auto* out = ::new (apr_palloc(pool, sizeof(DirectoryScope))) DirectoryScope{};
  PoolArena arena(pool);
  config::merge<config::DirectorySettings>(config::all_directory_rows, arena, out->settings, outer.settings,
                                           inner.settings);
  config::merge<config::ProxySettings>(config::all_proxy_rows, arena, out->proxy, outer.proxy, inner.proxy);
  out->client_policy = inner.client_policy != nullptr ? inner.client_policy : outer.client_policy;
  return out;
}

bool is_loaded(const module_struct& record) noexcept {
  return record.module_index >= 0 && !(ssl_record_lent && &record == &ssl_module);
}

void lend_ssl_record(apr_pool_t* pool, int index) noexcept {
  ssl_record_lent = true;
  ssl_module.module_index = index;
  apr_pool_cleanup_register(pool, nullptr, take_back, apr_pool_cleanup_null);
}

const module_struct& primary_record() noexcept { return is_loaded(tls_module) ? tls_module : ssl_module; }

ServerScope& scope_of(const server_rec* s, const module_struct& record) noexcept {
  return *static_cast<ServerScope*>(ap_get_module_config(s->module_config, &record));
}

const config::DirectorySettings& directory_settings(const request_rec* r) noexcept {
  return directory_scope(r->server, r->per_dir_config)->settings;
}

DirectoryScope* directory_scope(const server_rec* s, const ap_conf_vector_t* per_directory) noexcept {
  return static_cast<DirectoryScope*>(ap_get_module_config(per_directory, &record_of(s)));
}

config::Options options_of(const request_rec* r) noexcept {
  const auto& settings = directory_settings(r);
  return settings.options ? *settings.options : config::Options{};
}

}  // namespace tls::server
