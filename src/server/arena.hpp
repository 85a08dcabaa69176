// SPDX-License-Identifier: Apache-2.0
// A pool of APR as the arena that settings are kept in.
#pragma once

#include <apr_pools.h>

#include "apr/hook.hpp"
#include "config/setting.hpp"

namespace tls::server {

class PoolArena final : public config::Arena {
 public:
  explicit PoolArena(apr_pool_t* pool) : pool_(pool) {}

 private:
  struct Deferred {
    void (*destroy)(void*);
    void* object;
  };

  void* allocate(std::size_t size) override { return apr_palloc(pool_, size); }

  void defer(void (*destroy)(void*), void* object) override {
    auto* deferred = ::new (apr_palloc(pool_, sizeof(Deferred))) Deferred{destroy, object};
    apr_pool_cleanup_register(pool_, deferred, apr::hook<run, APR_EGENERAL>, apr_pool_cleanup_null);
  }

  static apr_status_t run(void* data) {
    const auto* d = static_cast<const Deferred*>(data);
    d->destroy(d->object);
    return APR_SUCCESS;
  }

  apr_pool_t* pool_;
};

}  // namespace tls::server
