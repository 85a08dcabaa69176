#include "conn/deadline.hpp"

#include <apr_portable.h>
#include <apr_thread_proc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <ctime>

#include "apr/hook.hpp"
#include "log/log.hpp"

namespace tls::conn {

// The list of one child, and the thread that looks at it. A thread of our own and not a timed callback of the MPM:
// httpd 2.4.71's event MPM polls on for a whole Timeout where a callback was registered just before a connection was
// queued for polling, as ours always are (seen with strace). List and locks are static: workers of a child that is
// killed may still end connections while its pools are gone already.
class Watch final {
 public:
  bool start(apr_pool_t* pool) {
    if (ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads_) != APR_SUCCESS) threads_ = 0;
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
    const apr_status_t rv = apr_thread_create(&thread_, nullptr, apr::hook<run, nullptr>, this, pool);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (rv != APR_SUCCESS) return false;
    apr_pool_pre_cleanup_register(pool, this, apr::hook<stop, APR_EGENERAL>);
    return true;
  }

  // True for the one that makes them as many as the child has threads, the first time.
  bool add(Deadline& d) {
    pthread_mutex_lock(&mutex_);
    const bool many = ++waiting_ == threads_;
    if (many) threads_ = 0;
    d.next_ = first_;
    d.previous_ = nullptr;
    if (first_ != nullptr) first_->previous_ = &d;
    first_ = &d;
    if (asleep_) pthread_cond_signal(&changed_);
    pthread_mutex_unlock(&mutex_);
    return many;
  }

  void remove(Deadline& d) {
    pthread_mutex_lock(&mutex_);
    if (d.fd_ >= 0) {
      if (d.previous_ != nullptr) d.previous_->next_ = d.next_;
      if (d.next_ != nullptr) d.next_->previous_ = d.previous_;
      if (first_ == &d) first_ = d.next_;
      --waiting_;
      d.fd_ = -1;
    }
    pthread_mutex_unlock(&mutex_);
  }

 private:
  static void* APR_THREAD_FUNC run(apr_thread_t*, void* self) {
    static_cast<Watch*>(self)->loop();
    return nullptr;
  }

  static apr_status_t stop(void* self) {
    auto& watch = *static_cast<Watch*>(self);
    pthread_mutex_lock(&watch.mutex_);
    watch.stopping_ = true;
    pthread_cond_signal(&watch.changed_);
    pthread_mutex_unlock(&watch.mutex_);
    apr_status_t result = APR_SUCCESS;
    return apr_thread_join(&result, watch.thread_);
  }

  void loop() {
    int idle_ticks = 0;
    pthread_mutex_lock(&mutex_);
    while (!stopping_) {
      expire(apr::monotonic());
      idle_ticks = first_ == nullptr ? idle_ticks + 1 : 0;
      if (idle_ticks > kIdleTicks) {
        asleep_ = true;
        pthread_cond_wait(&changed_, &mutex_);
        asleep_ = false;
        idle_ticks = 0;
      } else {
        wait_a_tick();
      }
    }
    pthread_mutex_unlock(&mutex_);
  }

  void expire(apr_interval_time_t now) {
    for (const Deadline* d = first_; d != nullptr; d = d->next_) {
      if (d->when() <= now) shutdown(d->fd_, SHUT_RD);
    }
  }

  void wait_a_tick() {
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += kTick;
    if (until.tv_nsec >= kSecond) {
      until.tv_nsec -= kSecond;
      ++until.tv_sec;
    }
    pthread_cond_timedwait(&changed_, &mutex_, &until);
  }

  static constexpr long kSecond = 1'000'000'000;
  static constexpr long kTick = kSecond / 4;
  static constexpr int kIdleTicks = 40;  // ten seconds: a busy child is not woken for each handshake

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t changed_ = PTHREAD_COND_INITIALIZER;  // made anew by start(), for the monotonic clock
  apr_thread_t* thread_ = nullptr;
  Deadline* first_ = nullptr;
  int waiting_ = 0;
  int threads_ = 0;  // until it has been said that so many wait
  bool asleep_ = false;
  bool stopping_ = false;
};

namespace {

constinit Watch watch_list;
bool watching = false;  // in this child

}  // namespace

void Deadline::watch(conn_rec* c) {
  if (fd_ >= 0 || when() == 0 || !watching) return;
  apr_os_sock_t fd = -1;
  if (apr_os_sock_get(&fd, ap_get_conn_socket(c)) != APR_SUCCESS || fd < 0) return;
  fd_ = fd;
  if (watch_list.add(*this)) TLS_LOG_C(c, ManyHandshakes);
}

void Deadline::cancel() {
  if (fd_ >= 0 && watching) watch_list.remove(*this);
}

bool init_deadlines(apr_pool_t* child_pool) {
  watching = watch_list.start(child_pool);
  return watching;
}

}  // namespace tls::conn
