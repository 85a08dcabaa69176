// SPDX-License-Identifier: Apache-2.0
// C++ objects in APR pools: the pool owns, and destroys in LIFO order with its other cleanups.
#pragma once

#include <apr_pools.h>

#include <new>
#include <utility>

#include "apr/hook.hpp"

#ifdef __SANITIZE_THREAD__
extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}
#endif

namespace tls::apr {

// Memory of pools goes from thread to thread through queues of httpd that ThreadSanitizer does not see.
inline void taken_over([[maybe_unused]] void* memory) {
#ifdef __SANITIZE_THREAD__
  __tsan_acquire(memory);
#endif
}
inline void handed_over([[maybe_unused]] void* memory) {
#ifdef __SANITIZE_THREAD__
  __tsan_release(memory);
#endif
}

template <class T>
apr_status_t destroy(void* object) {
  static_cast<T*>(object)->~T();
  handed_over(object);
  return APR_SUCCESS;
}

// Constructs a T in `pool`'s memory; its destructor runs when the pool is cleared. Never delete the result.
// T's constructor must not throw after it has acquired something that its destructor would release.
template <class T, class... Args>
T* pool_new(apr_pool_t* pool, Args&&... args) {
  void* const memory = apr_palloc(pool, sizeof(T));
  taken_over(memory);
  T* const object = ::new (memory) T(std::forward<Args>(args)...);
  apr_pool_cleanup_register(pool, object, hook<destroy<T>, APR_EGENERAL>, apr_pool_cleanup_null);
  return object;
}

// A pool of its own for the length of a scope, for threads that own none. Throws std::bad_alloc where there is none.
class TemporaryPool final {
 public:
  TemporaryPool() {
    if (apr_pool_create_unmanaged_ex(&pool_, nullptr, nullptr) != APR_SUCCESS) throw std::bad_alloc();
  }
  TemporaryPool(const TemporaryPool&) = delete;
  TemporaryPool& operator=(const TemporaryPool&) = delete;
  ~TemporaryPool() { apr_pool_destroy(pool_); }
  [[nodiscard]] apr_pool_t* get() const { return pool_; }

 private:
  apr_pool_t* pool_ = nullptr;
};

}  // namespace tls::apr
