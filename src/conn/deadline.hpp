// SPDX-License-Identifier: Apache-2.0
// Deadlines of handshakes that wait in the MPM, where only httpd's own Timeout would end them.
#pragma once

#include <atomic>

#include "apr/clock.hpp"

struct conn_rec;
struct apr_pool_t;

namespace tls::conn {

// One handshake's deadline. The event MPM calls nobody while it polls a connection (httpd 2.4 server/mpm/event/event.c,
// the wait-io queue), so a thread of the child shuts the sockets of overdue ones down for reading: the MPM then wakes
// the connection, whose owner sees that its time is up. Entered before the first wait, removed when the handshake is
// decided and at the latest before the socket is closed.
class Deadline final {
 public:
  Deadline() = default;
  ~Deadline() { cancel(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // `when` is a time of apr::monotonic() and may move while the list is watched; 0 means none.
  void set(apr_interval_time_t when) { when_.store(when, std::memory_order_relaxed); }
  [[nodiscard]] bool passed() const { return when() != 0 && apr::monotonic() >= when(); }
  [[nodiscard]] apr_interval_time_t when() const { return when_.load(std::memory_order_relaxed); }
  // Puts the connection on the child's list. Idempotent. Says once per child when as many wait as it has threads.
  void watch(conn_rec* c);
  // Takes it off. Idempotent; afterwards its socket is not touched any more.
  void cancel();

 private:
  friend class DeadlineThread;
  Deadline* next_ = nullptr;
  Deadline* previous_ = nullptr;
  int fd_ = -1;
  std::atomic<apr_interval_time_t> when_{0};
};

// Starts the watch of this child; without it handshakes must block. Call once in child_init.
bool init_deadlines(apr_pool_t* child_pool);

}  // namespace tls::conn
