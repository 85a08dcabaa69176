#include "conn/deadline.hpp"

#include <apr_portable.h>
#include <apr_thread_mutex.h>
#include <sys/socket.h>

#include <new>

#include "apr/httpd.hpp"

namespace tls::conn {

// The list of one child. A plain pointer, because a static object with a destructor would outlive nothing in order.
class Watch final {
 public:
  explicit Watch(apr_thread_mutex_t* mutex) noexcept : mutex_(mutex) {}

  void add(Deadline& d) noexcept {
    apr_thread_mutex_lock(mutex_);
    d.next_ = first_;
    d.previous_ = nullptr;
    if (first_ != nullptr) first_->previous_ = &d;
    first_ = &d;
    const bool arm = !armed_;
    armed_ = true;
    apr_thread_mutex_unlock(mutex_);
    if (arm) rearm();
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
  // Timed callbacks cannot be cancelled, so there is one for the child, armed anew as long as anyone waits.
  void rearm() noexcept {
    if (ap_mpm_register_timed_callback(kTick, tick, this) != APR_SUCCESS) {
      apr_thread_mutex_lock(mutex_);
      armed_ = false;
      apr_thread_mutex_unlock(mutex_);
    }
  }

  static void tick(void* self) noexcept { static_cast<Watch*>(self)->expire(); }

  void expire() noexcept {
    apr_thread_mutex_lock(mutex_);
    const apr_time_t now = apr_time_now();
    for (const Deadline* d = first_; d != nullptr; d = d->next_) {
      if (d->when() <= now) shutdown(d->fd_, SHUT_RD);
    }
    armed_ = first_ != nullptr;
    const bool again = armed_;
    apr_thread_mutex_unlock(mutex_);
    if (again) rearm();
  }

  static constexpr apr_interval_time_t kTick = APR_USEC_PER_SEC / 4;

  apr_thread_mutex_t* mutex_;
  Deadline* first_ = nullptr;
  bool armed_ = false;
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

void init_deadlines(apr_pool_t* child_pool) noexcept {
  apr_thread_mutex_t* mutex = nullptr;
  if (apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, child_pool) != APR_SUCCESS) return;
  watch_list = ::new (apr_palloc(child_pool, sizeof(Watch))) Watch(mutex);
}

}  // namespace tls::conn
