// SPDX-License-Identifier: Apache-2.0
#include "server/module_config.hpp"

#include <stdexcept>

#include "apr/hook.hpp"
#include "config/vocabulary/all_rows.hpp"
#include "server/arena.hpp"

namespace tls::server {
namespace {

bool ssl_record_lent = false;

apr_status_t take_back(void*) {
  ssl_record_lent = false;
  ssl_module.module_index = -1;
  return APR_SUCCESS;
}

// The record whose vocabulary `s` is written in.
const module_struct& record_of(const server_rec* s) {
  if (!is_loaded(tls_module)) return ssl_module;
  if (!is_loaded(ssl_module)) return tls_module;
  return effective(s).words == config::Vocabulary::Ssl ? ssl_module : tls_module;
}

// Settings are lost and not left out: what they refuse would be let through.
template <class Scope>
void* lost(apr_pool_t* pool, const char* function, const char* why) noexcept {
  apr::log_lost({}, function, why);
  auto* scope = ::new (apr_palloc(pool, sizeof(Scope))) Scope{};
  scope->lost = true;
  return scope;
}

}  // namespace

void* create_server_scope(apr_pool_t* pool, server_rec* /*s*/) {
  return ::new (apr_palloc(pool, sizeof(ServerScope))) ServerScope{};
}

void* merge_server_scopes(apr_pool_t* pool, void* base, void* add) {
  const auto& inner = *static_cast<const ServerScope*>(add);
  auto* out = ::new (apr_palloc(pool, sizeof(ServerScope))) ServerScope{};
  PoolArena arena(pool);
  config::merge(config::server_merges, arena, out->settings, static_cast<const ServerScope*>(base)->settings,
                inner.settings);
  out->first_directive = inner.first_directive;
  out->first_written = inner.first_written;
  out->lost = inner.lost || static_cast<const ServerScope*>(base)->lost;
  return out;
}

void* lost_server_scope(const char* why, apr_pool_t* pool, server_rec* /*s*/) noexcept {
  return lost<ServerScope>(pool, "create_server_scope", why);
}

void* lost_server_merge(const char* why, apr_pool_t* pool, void* /*base*/, void* /*add*/) noexcept {
  return lost<ServerScope>(pool, "merge_server_scopes", why);
}

void* create_directory_scope(apr_pool_t* pool, char* /*directory*/) {
  return ::new (apr_palloc(pool, sizeof(DirectoryScope))) DirectoryScope{};
}

void* merge_directory_scopes(apr_pool_t* pool, void* base, void* add) {
  const auto& outer = *static_cast<const DirectoryScope*>(base);
  const auto& inner = *static_cast<const DirectoryScope*>(add);
  auto* out = ::new (apr_palloc(pool, sizeof(DirectoryScope))) DirectoryScope{};
  PoolArena arena(pool);
  config::merge(config::directory_merges, arena, out->settings, outer.settings, inner.settings);
  config::merge(config::proxy_merges, arena, out->proxy, outer.proxy, inner.proxy);
  out->backends = inner.backends != nullptr ? inner.backends : outer.backends;
  out->server = inner.server != nullptr ? inner.server : outer.server;
  out->lost = inner.lost || outer.lost;
  return out;
}

void* lost_directory_scope(const char* why, apr_pool_t* pool, char* /*directory*/) noexcept {
  return lost<DirectoryScope>(pool, "create_directory_scope", why);
}

void* lost_directory_merge(const char* why, apr_pool_t* pool, void* /*base*/, void* /*add*/) noexcept {
  return lost<DirectoryScope>(pool, "merge_directory_scopes", why);
}

bool is_loaded(const module_struct& record) {
  return record.module_index >= 0 && !(ssl_record_lent && &record == &ssl_module);
}

void lend_ssl_record(apr_pool_t* pool, int index) {
  ssl_record_lent = true;
  ssl_module.module_index = index;
  apr_pool_cleanup_register(pool, nullptr, apr::hook<take_back, APR_EGENERAL>, apr_pool_cleanup_null);
}

const module_struct& primary_record() { return is_loaded(tls_module) ? tls_module : ssl_module; }

ServerScope& scope_of(const server_rec* s, const module_struct& record) {
  return *static_cast<ServerScope*>(ap_get_module_config(s->module_config, &record));
}

const config::EffectivePolicy& effective(const server_rec* s) { return *scope_of(s, primary_record()).policy; }

const config::DirectorySettings& directory_settings(const request_rec* r) {
  return directory_scope(r->server, r->per_dir_config)->settings;
}

DirectoryScope* directory_scope(const server_rec* s, const ap_conf_vector_t* per_directory) {
  auto* const scope = static_cast<DirectoryScope*>(ap_get_module_config(per_directory, &record_of(s)));
  if (scope != nullptr && scope->lost) throw std::runtime_error("the settings of this section could not be made");
  return scope;
}

config::Options options_of(const request_rec* r) {
  const auto& settings = directory_settings(r);
  return settings.options ? *settings.options : config::Options{};
}

}  // namespace tls::server
