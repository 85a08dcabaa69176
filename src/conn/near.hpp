// Clients whose answer is sooner there than the MPM could take them back.
#pragma once

#include "apr/httpd.hpp"

namespace tls::conn {

// Waits a moment for bytes from a client that is near: in the same machine room, say, where load balancers are. The way
// of a connection through the MPM and back wakes two threads, for 3 % of a full handshake; where the answer takes
// longer than that this thread must not wait for it. At most a quarter of the child's threads wait so, 2 ms each. True
// once there is something to read. Call only where the client has something to answer.
bool answers_at_once(conn_rec* c) noexcept;

// Call once in child_init.
void init_near(int threads) noexcept;

}  // namespace tls::conn
