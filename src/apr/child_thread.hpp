// SPDX-License-Identifier: Apache-2.0
// A thread of a child beside those of the MPM, with the lock and the condition by which others speak to it.
#pragma once

#include <apr_thread_proc.h>
#include <pthread.h>
#include <signal.h>

#include <ctime>

#include "apr/hook.hpp"

namespace tls::apr {

// What the thread shares with others is touched while this object is locked (std::lock_guard takes it). Has to be
// static: workers of a child that is killed may outlive its pools. Waits go by the monotonic clock.
class ChildThread final {
 public:
  constexpr ChildThread() = default;
  ChildThread(const ChildThread&) = delete;
  ChildThread& operator=(const ChildThread&) = delete;

  // Runs Body(self) on a thread that takes no signal, which is told to stop and waited for before anything of `pool` is
  // destroyed. Once in a child, in child_init; false where there is no such thread.
  template <auto Body, class T>
  bool start(apr_pool_t* pool, T* self) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed_, &attributes);
    pthread_condattr_destroy(&attributes);
    // Signals belong to the MPM's threads.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const apr_status_t rv = apr_thread_create(&thread_, nullptr, hook<run<Body, T>, nullptr>, self, pool);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (rv != APR_SUCCESS) return false;
    apr_pool_pre_cleanup_register(pool, this, hook<stop, APR_EGENERAL>);
    return true;
  }

  void lock() { pthread_mutex_lock(&mutex_); }
  void unlock() { pthread_mutex_unlock(&mutex_); }

  // The others are for who holds the lock.

  // Ends a wait.
  void wake() { pthread_cond_signal(&changed_); }
  // Whether the thread has to return.
  [[nodiscard]] bool stopping() const { return stopping_; }
  // Waits until somebody wakes the thread, or has it stop.
  void wait() {
    if (!stopping_) pthread_cond_wait(&changed_, &mutex_);
  }
  // The same, for so many microseconds at most.
  void wait(apr_interval_time_t longest) {
    if (stopping_) return;
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    const apr_interval_time_t part = until.tv_nsec / 1000 + longest;
    until.tv_sec += static_cast<time_t>(apr_time_sec(part));
    until.tv_nsec = static_cast<long>(apr_time_usec(part)) * 1000;
    pthread_cond_timedwait(&changed_, &mutex_, &until);
  }

 private:
  template <auto Body, class T>
  static void* APR_THREAD_FUNC run(apr_thread_t*, void* self) {
    Body(*static_cast<T*>(self));
    return nullptr;
  }

  static apr_status_t stop(void* self) {
    auto& thread = *static_cast<ChildThread*>(self);
    thread.lock();
    thread.stopping_ = true;
    thread.wake();
    thread.unlock();
    apr_status_t result = APR_SUCCESS;
    return apr_thread_join(&result, thread.thread_);
  }

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t changed_ = PTHREAD_COND_INITIALIZER;  // made anew by start(), for the monotonic clock
  apr_thread_t* thread_ = nullptr;
  bool stopping_ = false;
};

}  // namespace tls::apr
