// SPDX-License-Identifier: Apache-2.0
// Handshakes that wait in the MPM for OCSP responders, of which no thread waits.
#pragma once

#include "apr/httpd.hpp"
#include "mod_tls_bridge/src/lib.rs.h"

namespace tls::conn {

// One such handshake. The event MPM waits for nothing but a connection's socket, and has no function by which a module
// could have it go on (httpd 2.4 has no ap_mpm_resume_suspended). So while it is parked, the connection's apr_socket_t
// holds a bell, an eventfd, in the place of its socket: the MPM polls that, and a thread of the child that looks at
// answers rings it. Bytes of the client stay where they are meanwhile.
class Parked final {
 public:
  Parked() = default;
  ~Parked() { take_back(); }
  Parked(const Parked&) = delete;
  Parked& operator=(const Parked&) = delete;

  // Parks a connection whose `session` is being judged; false where it cannot be, and a thread has to wait. Afterwards
  // nothing but take_back() may touch connection and session until the MPM has polled.
  bool park(conn_rec* c, rs::Session& session);
  // Gives the connection its socket back. Idempotent.
  void take_back();

 private:
  friend class Answers;
  rs::Session* session_ = nullptr;
  apr_socket_t* socket_ = nullptr;
  int real_ = -1;
  int bell_ = -1;
  bool rung_ = false;
  Parked* next_ = nullptr;
  Parked* previous_ = nullptr;
};

// Starts the thread of this child that looks at answers; without it nothing can be parked. Call once in child_init.
void init_parked(apr_pool_t* child_pool);

}  // namespace tls::conn
