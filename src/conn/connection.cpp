// SPDX-License-Identifier: Apache-2.0
#include "conn/connection.hpp"

#include <algorithm>

#include "apr/clock.hpp"
#include "apr/pool.hpp"

namespace tls::conn {

Connection::Connection(conn_rec* c, const server::Engine& engine, const server::Host& base)
    : TlsConnection(c), engine_(&engine), first_(&base), host_(&base), opened_(apr::monotonic()) {
  facts_.host = base.server;
  set_deadline();
  rs::count_under_way(true);
}

// Whichever is sooner: our own limit, or the one mod_reqtimeout sets to the handshake. The address's first virtual
// host decides, for both begin before a name is known.
void Connection::set_deadline() {
  const apr_interval_time_t own = opened_ + apr_time_from_sec(first_->settings->handshake_timeout_s);
  const apr_interval_time_t limit = first_->read_limit.after(received_);
  deadline_.set(limit == 0 ? own : std::min(own, opened_ + limit));
}

Connection::~Connection() { unpark(); }

// In this order: take_back() may close the socket that the deadline would shut down, and until then a thread looks at
// the session.
void Connection::unpark() {
  deadline_.cancel();
  parked_.take_back();
  handshake_over();
}

void Connection::wait() {
  count_waiting(true);
  deadline_.watch(c_);
}

void Connection::count_waiting(bool waits) {
  if (waits != waiting_) rs::count_waiting(waits);
  waiting_ = waits;
}

void Connection::handshake_over() {
  deadline_.cancel();
  count_waiting(false);
  if (!under_way_) return;
  rs::count_under_way(false);
  session_->leave();
  under_way_ = false;
}

Connection& Connection::attach(conn_rec* c, const server::Engine& engine, const server::Host& base) {
  auto* const connection = apr::pool_new<Connection>(c->pool, c, engine, base);
  connection->TlsConnection::attach();
  return *connection;
}

Connection* Connection::of(const conn_rec* c) {
  const conn_rec* const main = c->master != nullptr ? c->master : c;
  return main->outgoing != 0 ? nullptr : static_cast<Connection*>(bound(main));
}

// httpd closes a connection whose handshake never ended; there is nothing of ours to say.
void Connection::before_write(bool /*data*/) {
  state_ = State::Closed;
  unpark();
}

}  // namespace tls::conn

namespace tls::facts {

const Facts* handshake_facts(const conn_rec* c) {
  const conn::Connection* const connection = conn::Connection::of(c);
  if (connection == nullptr) return nullptr;
  using conn::State;
  const State state = connection->state();
  return state == State::Hello || state == State::Handshake || state == State::Plain ? nullptr : &connection->facts_;
}

const SessionFacts* session_facts(const conn_rec* c) { return handshake_facts(c); }

}  // namespace tls::facts
