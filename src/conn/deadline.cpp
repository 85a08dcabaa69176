// SPDX-License-Identifier: Apache-2.0
#include "conn/deadline.hpp"

#include <apr_portable.h>
#include <sys/socket.h>

#include <mutex>

#include "apr/child_thread.hpp"
#include "log/log.hpp"

namespace tls::conn {

// The list of one child, and the thread that looks at it. A thread of our own and not a timed callback of the MPM:
// httpd 2.4.71's event MPM polls on for a whole Timeout where a callback was registered just before a connection was
// queued for polling, as ours always are (seen with strace).
class DeadlineThread final {
 public:
  bool start(apr_pool_t* pool) {
    if (ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads_) != APR_SUCCESS) threads_ = 0;
    return thread_.start<loop>(pool, this);
  }

  // True for the one that makes them as many as the child has threads, the first time.
  bool add(Deadline& d) {
    const std::lock_guard lock(thread_);
    const bool many = ++waiting_ == threads_;
    if (many) threads_ = 0;
    d.next_ = first_;
    d.previous_ = nullptr;
    if (first_ != nullptr) first_->previous_ = &d;
    first_ = &d;
    if (asleep_) thread_.wake();
    return many;
  }

  void remove(Deadline& d) {
    const std::lock_guard lock(thread_);
    if (d.fd_ < 0) return;
    if (d.previous_ != nullptr) d.previous_->next_ = d.next_;
    if (d.next_ != nullptr) d.next_->previous_ = d.previous_;
    if (first_ == &d) first_ = d.next_;
    --waiting_;
    d.fd_ = -1;
  }

 private:
  static void loop(DeadlineThread& self) {
    const std::lock_guard lock(self.thread_);
    int idle_ticks = 0;
    while (!self.thread_.stopping()) {
      self.expire(apr::monotonic());
      idle_ticks = self.first_ == nullptr ? idle_ticks + 1 : 0;
      if (idle_ticks > most_idle_ticks) {
        self.asleep_ = true;
        self.thread_.wait();
        self.asleep_ = false;
        idle_ticks = 0;
      } else {
        self.thread_.wait(tick);
      }
    }
  }

  void expire(apr_interval_time_t now) {
    for (const Deadline* d = first_; d != nullptr; d = d->next_) {
      if (d->when() <= now) shutdown(d->fd_, SHUT_RD);
    }
  }

  static constexpr apr_interval_time_t tick = APR_USEC_PER_SEC / 4;
  static constexpr int most_idle_ticks = 40;  // ten seconds: a busy child is not woken for each handshake

  apr::ChildThread thread_;
  Deadline* first_ = nullptr;
  int waiting_ = 0;
  int threads_ = 0;  // until it has been said that so many wait
  bool asleep_ = false;
};

namespace {

constinit DeadlineThread watch_list;
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
