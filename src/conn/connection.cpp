#include "conn/connection.hpp"

#include <algorithm>

#include "apr/pool.hpp"
#include "conn/filters.hpp"

namespace tls::conn {

Connection::Connection(conn_rec* c, const server::Engine& engine, const server::Host& base) noexcept
    : c_(c),
      engine_(&engine),
      first_(&base),
      host_(&base),
      session_(rs::new_session()),
      cipher_(apr_brigade_create(c->pool, c->bucket_alloc)),
      plain_(apr_brigade_create(c->pool, c->bucket_alloc)),
      outgoing_(apr_brigade_create(c->pool, c->bucket_alloc)),
      opened_(apr_time_now()) {
  facts_.host = base.server;
  set_deadline();
}

// Whichever is sooner: our own limit, or the one mod_reqtimeout sets to the handshake. The address's first virtual
// host decides, for both begin before a name is known.
void Connection::set_deadline() noexcept {
  const apr_time_t own = opened_ + apr_time_from_sec(first_->settings->handshake_timeout_s);
  const apr_interval_time_t limit = first_->read_limit.after(received_);
  deadline_.set(limit == 0 ? own : std::min(own, opened_ + limit));
}

Connection::~Connection() { deadline_.cancel(); }

Connection& Connection::attach(conn_rec* c, const server::Engine& engine, const server::Host& base) {
  auto* const connection = apr::pool_new<Connection>(c->pool, c, engine, base);
  ap_set_module_config(c->conn_config, &tls_module, connection);
  connection->input_ = ap_add_input_filter(kInputFilter, connection, nullptr, c);
  connection->output_ = ap_add_output_filter(kOutputFilter, connection, nullptr, c);
  return *connection;
}

Connection* Connection::of(const conn_rec* c) noexcept {
  const conn_rec* const main = c->master != nullptr ? c->master : c;
  return static_cast<Connection*>(ap_get_module_config(main->conn_config, &tls_module));
}

const Facts* facts(const conn_rec* c) noexcept {
  const Connection* const connection = Connection::of(c);
  if (connection == nullptr) return nullptr;
  return connection->state() == State::Hello || connection->state() == State::Handshake ? nullptr
                                                                                        : &connection->facts();
}

}  // namespace tls::conn
