// SPDX-License-Identifier: Apache-2.0
// One incoming TLS connection: hello, choice of virtual host, handshake, facts.
#pragma once

#include <cstdint>
#include <optional>

#include "apr/httpd.hpp"
#include "conn/deadline.hpp"
#include "conn/parked.hpp"
#include "conn/tls_connection.hpp"
#include "facts/facts.hpp"
#include "facts/handshake_facts.hpp"
#include "mod_tls_bridge/src/lib.rs.h"
#include "server/engine.hpp"

namespace tls::conn {

// Owned by the connection pool; used by whichever thread works on the connection, one at a time.
class Connection final : public TlsConnection {
 public:
  Connection(conn_rec* c, const server::Engine& engine, const server::Host& base);
  ~Connection() override;

  // The connection object of `c`, or of its master; nullptr where `c` is not ours.
  static Connection* of(const conn_rec* c);
  // Binds a new object to `c` and inserts the filters.
  static Connection& attach(conn_rec* c, const server::Engine& engine, const server::Host& base);

  Progress handshake(apr_read_type_e block) override;

  // The handshake goes on when OCSP responders have answered; false where a thread has to wait for that.
  [[nodiscard]] bool park() { return parked_.park(c_, *session_); }

  // The connection ends, and its socket still is what the MPM has for it: nothing of ours touches either any more.
  // Idempotent.
  void unpark();

  // The handshake goes on when the client sends more; from now on the deadline is watched.
  void wait();

  [[nodiscard]] const server::Host& host() const { return *host_; }
  // The client named a virtual host that exists.
  [[nodiscard]] bool named() const { return !facts_.sni.empty(); }

 private:
  friend const facts::Facts* facts::handshake_facts(const conn_rec* c);
  void set_deadline();
  void count_waiting(bool waits);
  // Decided, one way or the other. Idempotent.
  void handshake_over();

  // handshake.cpp
  bool take_first_bytes(const char* data, std::size_t length);
  bool decide(const rs::Hello& hello);
  bool choose_host(const rs::Hello& hello);
  bool choose_protocol(const rs::Hello& hello, std::string& alpn);
  bool start(const rs::Hello& hello);
  bool start_session(const rs::ChosenHost& binding);
  bool feed(const char* data, std::size_t length) override;
  void before_write(bool data) override;
  void complete();
  Progress consume(apr_bucket_brigade* bb);
  Progress interrupted(apr_status_t rv);

  // limits.cpp
  void enter();
  bool admit();
  void refuse_beyond_limit(const char* stage);
  void say_beyond_limit(const char* stage);

  // failure.cpp
  void refuse_plain_http();
  void refuse(std::uint8_t alert);
  // Expected is what port scanners and clients that change their mind leave behind: it never warns.
  enum class Expected : bool { No, Yes };
  // `kind`: an rs::Cause or the session's failure_kind; what counts as the same failure again.
  void fail(const char* stage, std::uint8_t kind, const char* cause, Expected expected, const char* hint);
  void fail(const char* stage, rs::Cause kind, const char* cause, Expected expected, const char* hint) {
    fail(stage, static_cast<std::uint8_t>(kind), cause, expected, hint);
  }
  void fail_session();
  void name_refused();
  void say_as_mod_ssl(const char* cause);
  void end();

  const server::Engine* engine_;
  const server::Host* first_;   // the address's first virtual host
  const server::Host* host_;    // the one that the hello chose
  apr_interval_time_t opened_;  // by the monotonic clock
  Deadline deadline_;
  Parked parked_;
  std::size_t received_ = 0;                         // bytes of the handshake so far
  std::optional<rust::Box<rs::Identity>> identity_;  // once the handshake is complete; never changed afterwards
  facts::Facts facts_;
  bool entered_ = false;  // asked the limits for the beginning of a handshake
  rs::Exceeded exceeded_ = rs::Exceeded::Nothing;
  bool under_way_ = true;     // counted as such
  bool waiting_ = false;      // counted as such
  bool judging_ = false;      // complete, but for what OCSP responders say of the client
  const char* offered_ = "";  // what the client offered, for log lines; pool memory
};

// Registers filters and connection hooks.
void register_hooks(apr_pool_t* pool);

}  // namespace tls::conn
