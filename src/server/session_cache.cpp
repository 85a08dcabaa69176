// SPDX-License-Identifier: Apache-2.0
#include "server/session_cache.hpp"

#include <ap_provider.h>
#include <ap_socache.h>
#include <apr_global_mutex.h>
#include <apr_strings.h>
#include <util_mutex.h>

#include <stdexcept>

#include "apr/hook.hpp"
#include "apr/pool.hpp"
#include "log/log.hpp"
#include "mod_tls_bridge/src/resumption/boundary.rs.h"
#include "server/module_config.hpp"

namespace tls::server {
namespace {

using rs::CacheAnswer;
using Id = rust::Slice<const std::uint8_t>;

// For `Mutex`; mod_ssl's configurations know theirs.
const char* mutex_type() { return is_loaded(tls_module) ? "tls-cache" : "ssl-cache"; }
constexpr char cache_name[] = "tls-session";  // providers allow 16 characters with what they append

// The cache of the running configuration; in its pool.
struct Cache {
  const ap_socache_provider_t* provider = nullptr;
  ap_socache_instance_t* instance = nullptr;
  apr_global_mutex_t* mutex = nullptr;  // where the provider is not safe between processes
  const char* mutex_file = nullptr;
  server_rec* server = nullptr;
  // Providers log every failure at level crit to the server they are given. This one keeps them quiet: we say it once
  // a minute.
  server_rec quiet{};
  const char* text = "";  // as configured, for log lines
};
Cache* current = nullptr;

class Lock {
 public:
  explicit Lock(apr_global_mutex_t* mutex) : mutex_(mutex) {
    held_ = mutex_ == nullptr || apr_global_mutex_lock(mutex_) == APR_SUCCESS;
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (mutex_ != nullptr && held_) apr_global_mutex_unlock(mutex_);
  }
  [[nodiscard]] bool held() const { return held_; }

 private:
  apr_global_mutex_t* mutex_;
  bool held_;
};

// Runs `call` with the cache, a pool and, where the provider needs it, the mutex.
template <class Call>
CacheAnswer with_cache(Call call) noexcept {
  return apr::guarded(CacheAnswer::Failed, [&] {
    if (current == nullptr) return CacheAnswer::Failed;
    // Providers want a pool for temporary memory. Connections' pools belong to other threads.
    const apr::TemporaryPool pool;
    const Lock lock(current->mutex);
    if (!lock.held()) return CacheAnswer::Failed;
    return call(*current, pool.get());
  });
}

CacheAnswer retrieve(Cache& cache, apr_pool_t* pool, Id id, rust::Slice<std::uint8_t> entry, std::size_t& length) {
  auto size = static_cast<unsigned>(entry.size());
  const apr_status_t rv = cache.provider->retrieve(cache.instance, &cache.quiet, id.data(),
                                                   static_cast<unsigned>(id.size()), entry.data(), &size, pool);
  if (rv == APR_SUCCESS && size <= entry.size()) {
    length = size;
    return CacheAnswer::Done;
  }
  // An entry longer than any of ours (APR_ENOMEM, APR_ENOSPC) is none of ours.
  const bool missing = rv == APR_SUCCESS || APR_STATUS_IS_NOTFOUND(rv) || rv == APR_ENOMEM || rv == APR_ENOSPC;
  // shmcb says "general error" for "not there", too.
  return missing || cache.mutex != nullptr ? CacheAnswer::Refused : CacheAnswer::Failed;
}

apr_status_t close_cache(void* data) {
  auto* cache = static_cast<Cache*>(data);
  cache->provider->destroy(cache->instance, cache->server);
  if (current == cache) current = nullptr;
  return APR_SUCCESS;
}

const ap_socache_provider_t* find_provider(const config::SessionCacheName& name) {
  return static_cast<const ap_socache_provider_t*>(
      ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, name.provider.c_str(), AP_SOCACHE_PROVIDER_VERSION));
}

}  // namespace

void register_cache_mutex(apr_pool_t* pool) { ap_mutex_register(pool, mutex_type(), nullptr, APR_LOCK_DEFAULT, 0); }

std::string cache_problem(const config::SessionCacheName& name) {
  if (name.provider.empty()) return {};
  const ap_socache_provider_t* const provider = find_provider(name);
  if (provider == nullptr) return "httpd has no \"" + name.provider + "\" cache: load mod_socache_" + name.provider;
  // Nothing is opened before the provider's init.
  const apr::TemporaryPool scratch;
  ap_socache_instance_t* unused = nullptr;
  const char* const arguments = name.arguments.empty() ? nullptr : name.arguments.c_str();
  const char* const error = provider->create(&unused, arguments, scratch.get(), scratch.get());
  return error == nullptr ? std::string() : name.provider + ":" + name.arguments + ": " + error;
}

void open_cache(apr_pool_t* pool, apr_pool_t* temp_pool, server_rec* s, const config::SessionCacheName& name) {
  current = nullptr;
  if (name.provider.empty()) return;
  auto* cache = ::new (apr_palloc(pool, sizeof(Cache))) Cache;
  cache->provider = find_provider(name);
  if (cache->provider == nullptr) throw std::runtime_error(cache_problem(name));
  cache->server = s;
  cache->quiet = *s;
  cache->quiet.log.level = APLOG_EMERG;
  cache->quiet.log.module_levels = nullptr;
  cache->text = apr_pstrcat(pool, name.provider.c_str(), ":", name.arguments.c_str(), nullptr);
  const char* arguments = name.arguments.empty() ? nullptr : apr_pstrdup(pool, name.arguments.c_str());
  if (const char* error = cache->provider->create(&cache->instance, arguments, temp_pool, pool)) {
    throw std::runtime_error(std::string(cache->text) + ": " + error);
  }
  if ((cache->provider->flags & AP_SOCACHE_FLAG_NOTMPSAFE) != 0) {
    const apr_status_t rv =
        ap_global_mutex_create(&cache->mutex, &cache->mutex_file, mutex_type(), nullptr, s, pool, 0);
    if (rv != APR_SUCCESS) throw std::runtime_error("the mutex of the session cache cannot be made");
  }
  // Sizes of what we store: an entry of a session without client certificate, and its id.
  ap_socache_hints hints{};
  hints.avg_id_len = 32;
  hints.avg_obj_size = 160;
  hints.expiry_interval = apr_time_from_sec(30);
  if (cache->provider->init(cache->instance, cache_name, &hints, s, pool) != APR_SUCCESS) {
    throw std::runtime_error(std::string(cache->text) + ": the provider cannot open it; see the lines above");
  }
  apr_pool_cleanup_register(pool, cache, apr::hook<close_cache, APR_EGENERAL>, apr_pool_cleanup_null);
  current = cache;
}

void open_cache_in_child(apr_pool_t* pool, server_rec* s) {
  if (current == nullptr || current->mutex == nullptr) return;
  const apr_status_t rv = apr_global_mutex_child_init(&current->mutex, current->mutex_file, pool);
  if (rv == APR_SUCCESS) return;
  TLS_LOG_S(s, CacheMutexFailed, rv);
  current = nullptr;
}

CacheAnswer cache_put(Id id, Id entry, std::uint64_t expiry) noexcept {
  return with_cache([&](Cache& cache, apr_pool_t* pool) {
    const apr_time_t when = apr_time_from_sec(static_cast<apr_time_t>(expiry));
    // The interface lacks the const; providers do not write there.
    auto* data = const_cast<unsigned char*>(entry.data());
    const apr_status_t rv =
        cache.provider->store(cache.instance, &cache.quiet, id.data(), static_cast<unsigned>(id.size()), when, data,
                              static_cast<unsigned>(entry.size()), pool);
    if (rv == APR_SUCCESS) return CacheAnswer::Done;
    // A provider in shared memory or a file of this machine refuses what does not fit; it is never "down".
    return cache.mutex != nullptr || rv == APR_EINVAL ? CacheAnswer::Refused : CacheAnswer::Failed;
  });
}

CacheAnswer cache_get(Id id, rust::Slice<std::uint8_t> entry, std::size_t& length) noexcept {
  return with_cache([&](Cache& cache, apr_pool_t* pool) { return retrieve(cache, pool, id, entry, length); });
}

CacheAnswer cache_take(Id id, rust::Slice<std::uint8_t> entry, std::size_t& length) noexcept {
  return with_cache([&](Cache& cache, apr_pool_t* pool) {
    const CacheAnswer answer = retrieve(cache, pool, id, entry, length);
    if (answer == CacheAnswer::Done) {
      cache.provider->remove(cache.instance, &cache.quiet, id.data(), static_cast<unsigned>(id.size()), pool);
    }
    return answer;
  });
}

void cache_report(std::uint64_t failures) noexcept {
  if (current != nullptr) TLS_LOG_S(current->server, CacheFailing, current->text, failures);
}

}  // namespace tls::server
