// SPDX-License-Identifier: Apache-2.0
#include "conn/parked.hpp"

#include <apr_portable.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mutex>

#include "apr/child_thread.hpp"
#include "apr/clock.hpp"

namespace tls::conn {

// The list of one child, and the thread that looks at it while it is not empty.
class Answers final {
 public:
  bool start(apr_pool_t* pool) { return thread_.start<loop>(pool, this); }

  void add(Parked& p) {
    const std::lock_guard lock(thread_);
    p.next_ = first_;
    p.previous_ = nullptr;
    if (first_ != nullptr) first_->previous_ = &p;
    if (first_ == nullptr) thread_.wake();
    first_ = &p;
  }

  // Afterwards the thread does not look at its session any more.
  void remove(Parked& p) {
    const std::lock_guard lock(thread_);
    if (p.next_ != nullptr) p.next_->previous_ = p.previous_;
    if (p.previous_ != nullptr) p.previous_->next_ = p.next_;
    if (first_ == &p) first_ = p.next_;
  }

 private:
  static void loop(Answers& self) {
    const std::lock_guard lock(self.thread_);
    while (!self.thread_.stopping()) {
      if (self.first_ == nullptr) {
        self.thread_.wait();
      } else {
        self.look();
        self.thread_.wait(tick);
      }
    }
  }

  // A child that ends has its threads finish what there is, so that the MPM must not wait for answers.
  void look() {
    for (Parked* p = first_; p != nullptr; p = p->next_) {
      if (p->rung_ || p->session_->judge(false) == rs::Status::Judging) continue;
      p->rung_ = eventfd_write(p->bell_, 1) == 0;
    }
  }

  static constexpr apr_interval_time_t tick = APR_USEC_PER_SEC / 100;

  apr::ChildThread thread_;
  Parked* first_ = nullptr;
};

namespace {

constinit Answers answers;
bool looking = false;  // in this child

}  // namespace

bool Parked::park(conn_rec* c, rs::Session& session) {
  apr_os_sock_t fd = -1;
  if (!looking || real_ >= 0) return false;
  socket_ = ap_get_conn_socket(c);
  if (apr_os_sock_get(&fd, socket_) != APR_SUCCESS || fd < 0) return false;
  const int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (bell < 0) return false;
  apr_os_sock_t other = bell;
  if (apr_os_sock_put(&socket_, &other, c->pool) != APR_SUCCESS) {
    ::close(bell);
    return false;
  }
  session_ = &session;
  real_ = fd;
  bell_ = bell;
  rung_ = false;
  answers.add(*this);
  return true;
}

void Parked::take_back() {
  if (real_ < 0) return;
  answers.remove(*this);
  // The MPM may have given up and closed what it took for the socket.
  apr_os_sock_t held = -1;
  apr_os_sock_t real = real_;
  const bool ours = apr_os_sock_get(&held, socket_) == APR_SUCCESS && held == bell_;
  if (ours && apr_os_sock_put(&socket_, &real, nullptr) == APR_SUCCESS) {
    ::close(bell_);
  } else {
    ::close(real_);
  }
  real_ = -1;
  bell_ = -1;
}

void init_parked(apr_pool_t* child_pool) { looking = answers.start(child_pool); }

}  // namespace tls::conn
