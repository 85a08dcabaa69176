// SPDX-License-Identifier: Apache-2.0
// The session cache: one of httpd's socache providers. What Rust calls here is in tls::server and thread-safe; entries
// are sealed before they come here.
#pragma once

#include <cstdint>
#include <string>

#include "config/settings.hpp"
#include "rust/cxx.h"

struct apr_pool_t;
struct server_rec;

namespace tls::rs {
enum class CacheAnswer : std::uint8_t;
}

namespace tls::server {

// Registers the mutex of the cache, so that `Mutex` can configure it. In pre_config.
void register_cache_mutex(apr_pool_t* pool);

// Why httpd cannot provide this cache; empty when it can. Opens no file.
std::string cache_problem(const config::SessionCacheName& name);

// Opens the cache for the running configuration, in whose pool it lives. Parent, in post_config. Throws
// std::runtime_error with a sentence.
void open_cache(apr_pool_t* pool, apr_pool_t* temp_pool, server_rec* s, const config::SessionCacheName& name);

// In child_init.
void open_cache_in_child(apr_pool_t* pool, server_rec* s);

// Called by Rust, which nothing may throw through. `expiry` in seconds since 1970. `entry` is where the answer goes,
// `length` how long it is.
rs::CacheAnswer cache_put(rust::Slice<const std::uint8_t> id, rust::Slice<const std::uint8_t> entry,
                          std::uint64_t expiry) noexcept;
rs::CacheAnswer cache_get(rust::Slice<const std::uint8_t> id, rust::Slice<std::uint8_t> entry,
                          std::size_t& length) noexcept;
// As cache_get, and the entry is gone afterwards. Nobody else gets it where the provider needs our mutex; with the
// others (redis, memcache) two processes may both get it.
rs::CacheAnswer cache_take(rust::Slice<const std::uint8_t> id, rust::Slice<std::uint8_t> entry,
                           std::size_t& length) noexcept;
// Logs that the cache failed `failures` times since the server started.
void cache_report(std::uint64_t failures) noexcept;

}  // namespace tls::server
