#include "conn/deadline.hpp"

#include <apr_portable.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include <signal.h>
#include <sys/socket.h>

#include <new>

#include "apr/httpd.hpp"

namespace tls::conn {

// The list of one child, and the thread that looks at it. A thread of our own and not a timed callback of the MPM:
// httpd 2.4.71's event MPM polls on for a whole Timeout where a callback was registered just before a connection was
// queued for polling, as ours always are (seen with strace).
class Watch final {
 public:
  Watch(apr_thread_mutex_t* mutex, apr_thread_cond_t* changed) noexcept : mutex_(mutex), changed_(changed) {}

  bool start(apr_pool_t* pool) noexcept {
    // Signals belong to the MPM's threads.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const apr_status_t rv = apr_thread_create(&thread_, nullptr, run, this, pool);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (rv != APR_SUCCESS) return false;
    apr_pool_pre_cleanup_register(pool, this, stop);
    return true;
  }

  void add(Deadline& d) noexcept {
    apr_thread_mutex_lock(mutex_);
    d.next_ = first_;
    d.previous_ = nullptr;
    if (first_ != nullptr) first_->previous_ = &d;
    first_ = &d;
    if (asleep_) apr_thread_cond_signal(changed_);
    apr_thread_mutex_unlock(mutex_);
  }

  void remove(Deadline& d) noexcept {
    apr_thread_mutex_lock(mutex_);
    if (d.fd_ >= 0) {
      if (d.previous_ != nullptr) d.previous_->next_ = d.next_;
      if (d.next_ != nullptr) d.next_->previous_ = d.previous_;
      if (first_ == &d) first_ = d.next_;
      d.fd_ = -1;
    }
    apr_thread_mutex_unlock(mutex_);
  }

 private:
  static void* APR_THREAD_FUNC run(apr_thread_t*, void* self) noexcept {
    static_cast<Watch*>(self)->loop();
    return nullptr;
  }

  static apr_status_t stop(void* self) noexcept {
    auto& watch = *static_cast<Watch*>(self);
    apr_thread_mutex_lock(watch.mutex_);
    watch.stopping_ = true;
    apr_thread_cond_signal(watch.changed_);
    apr_thread_mutex_unlock(watch.mutex_);
    apr_status_t result = APR_SUCCESS;
    return apr_thread_join(&result, watch.thread_);
  }

  void loop() noexcept {
    int idle_ticks = 0;
    apr_thread_mutex_lock(mutex_);
    while (!stopping_) {
      expire(apr_time_now());
      idle_ticks = first_ == nullptr ? idle_ticks + 1 : 0;
      if (idle_ticks > kIdleTicks) {
        asleep_ = true;
        apr_thread_cond_wait(changed_, mutex_);
        asleep_ = false;
        idle_ticks = 0;
      } else {
        apr_thread_cond_timedwait(changed_, mutex_, kTick);
      }
    }
    apr_thread_mutex_unlock(mutex_);
  }

  void expire(apr_time_t now) noexcept {
    for (const Deadline* d = first_; d != nullptr; d = d->next_) {
      if (d->when() <= now) shutdown(d->fd_, SHUT_RD);
    }
  }

  static constexpr apr_interval_time_t kTick = APR_USEC_PER_SEC / 4;
  static constexpr int kIdleTicks = 40;  // ten seconds: a busy child is not woken for each handshake

  apr_thread_mutex_t* mutex_;
  apr_thread_cond_t* changed_;
  apr_thread_t* thread_ = nullptr;
  Deadline* first_ = nullptr;
  bool asleep_ = false;
  bool stopping_ = false;
};

namespace {

Watch* watch_list = nullptr;

}  // namespace

void Deadline::watch(conn_rec* c) noexcept {
  if (fd_ >= 0 || when() == 0 || watch_list == nullptr) return;
  apr_os_sock_t fd = -1;
  if (apr_os_sock_get(&fd, ap_get_conn_socket(c)) != APR_SUCCESS || fd < 0) return;
  fd_ = fd;
  watch_list->add(*this);
}

void Deadline::cancel() noexcept {
  if (fd_ >= 0 && watch_list != nullptr) watch_list->remove(*this);
}

bool init_deadlines(apr_pool_t* child_pool) noexcept {
  watch_list = nullptr;
  apr_thread_mutex_t* mutex = nullptr;
  apr_thread_cond_t* changed = nullptr;
  if (apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, child_pool) != APR_SUCCESS ||
      apr_thread_cond_create(&changed, child_pool) != APR_SUCCESS) {
    return false;
  }
  auto* const watch = ::new (apr_palloc(child_pool, sizeof(Watch))) Watch(mutex, changed);
  if (!watch->start(child_pool)) return false;
  watch_list = watch;
  return true;
}

}  // namespace tls::conn
