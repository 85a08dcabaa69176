#include "server/scopes.hpp"

#include "config/tls_rows.hpp"
#include "server/arena.hpp"

namespace tls::server {

void* create_server_scope(apr_pool_t* pool, server_rec* /*s*/) noexcept {
  return ::new (apr_palloc(pool, sizeof(ServerScope))) ServerScope{};
}

void* merge_server_scopes(apr_pool_t* pool, void* base, void* add) noexcept {
  auto* out = ::new (apr_palloc(pool, sizeof(ServerScope))) ServerScope{};
  PoolArena arena(pool);
  config::merge<config::ServerSettings>(config::tls_server_rows, arena, out->settings,
                                        static_cast<const ServerScope*>(base)->settings,
                                        static_cast<const ServerScope*>(add)->settings);
  return out;
}

void* create_directory_scope(apr_pool_t* pool, char* /*directory*/) noexcept {
  return ::new (apr_palloc(pool, sizeof(DirectoryScope))) DirectoryScope{};
}

void* merge_directory_scopes(apr_pool_t* pool, void* base, void* add) noexcept {
  auto* out = ::new (apr_palloc(pool, sizeof(DirectoryScope))) DirectoryScope{};
  PoolArena arena(pool);
  config::merge<config::DirectorySettings>(config::tls_directory_rows, arena, out->settings,
                                           static_cast<const DirectoryScope*>(base)->settings,
                                           static_cast<const DirectoryScope*>(add)->settings);
  return out;
}

config::Options options_of(const request_rec* r) noexcept {
  const auto* scope = static_cast<const DirectoryScope*>(ap_get_module_config(r->per_dir_config, &tls_module));
  return scope->settings.options ? *scope->settings.options : config::Options{};
}

}  // namespace tls::server
