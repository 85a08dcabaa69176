#include "server/refresher.hpp"

#include <apr_thread_proc.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <ctime>

#include "apr/hook.hpp"
#include "config/policy/effective.hpp"
#include "server/engine.hpp"
#include "server/policies.hpp"

namespace tls::server {
namespace {

// Static, since workers of a child that is killed may outlive its pools. One in each child.
class Refresher final {
 public:
  void start(apr_pool_t* pool, const config::Reload& reload) {
    reload_ = reload;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ending_, &attributes);
    pthread_condattr_destroy(&attributes);
    // Signals belong to the MPM's threads.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const apr_status_t rv = apr_thread_create(&thread_, nullptr, apr::hook<run, nullptr>, this, pool);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (rv == APR_SUCCESS) apr_pool_pre_cleanup_register(pool, this, apr::hook<stop, APR_EGENERAL>);
  }

 private:
  static void* APR_THREAD_FUNC run(apr_thread_t*, void* self) {
    static_cast<Refresher*>(self)->loop();
    return nullptr;
  }

  static apr_status_t stop(void* self) {
    auto& refresher = *static_cast<Refresher*>(self);
    pthread_mutex_lock(&refresher.mutex_);
    refresher.stopping_ = true;
    pthread_cond_signal(&refresher.ending_);
    pthread_mutex_unlock(&refresher.mutex_);
    apr_status_t result = APR_SUCCESS;
    return apr_thread_join(&result, refresher.thread_);
  }

  void loop() {
    pthread_mutex_lock(&mutex_);
    while (!stopping_) {
      pthread_mutex_unlock(&mutex_);
      const Engine* const running = engine();
      if (running != nullptr) running->clients().refresh(reload_);
      pthread_mutex_lock(&mutex_);
      if (!stopping_) pause();
    }
    pthread_mutex_unlock(&mutex_);
  }

  void pause() {
    constexpr std::uint32_t longest_s = 2;
    const bool sooner = reload_.authorities_too && reload_.interval_s != 0;
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += sooner ? std::min(longest_s, reload_.interval_s) : longest_s;
    pthread_cond_timedwait(&ending_, &mutex_, &until);
  }

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t ending_ = PTHREAD_COND_INITIALIZER;
  apr_thread_t* thread_ = nullptr;
  config::Reload reload_;
  bool stopping_ = false;
};

constinit Refresher refresher;

}  // namespace

void start_refresher(apr_pool_t* child_pool, server_rec* s) {
  const Engine* const running = engine();
  if (running == nullptr) return;
  const config::Reload& reload = effective(s).agent.reload;
  if (running->clients().changes(reload)) refresher.start(child_pool, reload);
}

}  // namespace tls::server
