// One incoming TLS connection: state, session, filters.
#pragma once

#include <cstdint>
#include <optional>

#include "apr/httpd.hpp"
#include "conn/deadline.hpp"
#include "conn/facts.hpp"
#include "mod_tls_bridge/src/lib.rs.h"
#include "server/engine.hpp"

namespace tls::conn {

enum class State : std::uint8_t {
  Hello,      // the ClientHello is not complete
  Handshake,  // rustls has the word
  Open,       // application data flows
  Closing,    // our close_notify is out, or no more data may follow; bytes in flight may still go
  Closed,     // nothing more is said
};

// How the last alerts are exchanged, as mod_ssl's environment variables ask for it.
enum class Shutdown : std::uint8_t { Standard, Unclean };

// Owned by the connection pool; used by whichever thread works on the connection, one at a time.
class Connection final {
 public:
  Connection(conn_rec* c, const server::Engine& engine, const server::Host& base) noexcept;
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The connection object of `c`, or of its master; nullptr where `c` is not ours.
  static Connection* of(const conn_rec* c) noexcept;
  // Binds a new object to `c` and inserts the filters.
  static Connection& attach(conn_rec* c, const server::Engine& engine, const server::Host& base);

  enum class Progress : std::uint8_t { Done, Wait, Failed };
  // Drives hello and handshake as far as the bytes that are there allow; with APR_BLOCK_READ until it is decided.
  Progress handshake(apr_read_type_e block) noexcept;

  // The handshake goes on when the client sends more; from now on the deadline is watched.
  void wait() noexcept { deadline_.watch(c_); }

  apr_status_t read(apr_bucket_brigade* bb, ap_input_mode_t mode, apr_read_type_e block, apr_off_t limit) noexcept;
  apr_status_t write(apr_bucket_brigade* bb) noexcept;

  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] const Facts& facts() const noexcept { return facts_; }
  [[nodiscard]] const server::Host& host() const noexcept { return *host_; }
  [[nodiscard]] const rs::Session& session() const noexcept { return *session_; }
  // The client named a virtual host that exists.
  [[nodiscard]] bool named() const noexcept { return !facts_.sni.empty(); }
  void shutdown_style(Shutdown style) noexcept { shutdown_ = style; }

 private:
  friend class Writer;

  void set_deadline() noexcept;

  // handshake.cpp
  bool take_first_bytes(const char* data, std::size_t length);
  bool decide(const rs::Hello& hello);
  bool choose_host(const rs::Hello& hello);
  bool choose_protocol(const rs::Hello& hello, std::string& alpn);
  bool start(const rs::Hello& hello);
  bool feed(const char* data, std::size_t length) noexcept;
  void complete() noexcept;
  Progress consume(apr_bucket_brigade* bb) noexcept;
  Progress interrupted(apr_status_t rv) noexcept;

  // failure.cpp
  void refuse_plain_http() noexcept;
  void refuse(std::uint8_t alert) noexcept;
  // Noise is what port scanners and clients that change their mind leave behind: it never warns.
  enum class Noise : bool { No, Yes };
  void fail(const char* stage, const char* cause, Noise noise, const char* hint) noexcept;
  void fail_session() noexcept;
  void end() noexcept;

  // input.cpp
  apr_status_t fill(apr_read_type_e block) noexcept;
  apr_status_t deliver(apr_bucket_brigade* bb, ap_input_mode_t mode, apr_read_type_e block, apr_off_t limit) noexcept;
  apr_status_t get_line(apr_bucket_brigade* bb, apr_read_type_e block) noexcept;
  apr_status_t end_of_input() noexcept;
  void drop_empty_buckets() noexcept;

  // output.cpp
  apr_status_t send_outgoing(bool flush) noexcept;
  void close_notify() noexcept;

  conn_rec* c_;
  const server::Engine* engine_;
  const server::Host* first_;  // the address's first virtual host
  const server::Host* host_;   // the one that the hello chose
  rust::Box<rs::Session> session_;
  ap_filter_t* input_ = nullptr;
  ap_filter_t* output_ = nullptr;
  apr_bucket_brigade* cipher_;    // bytes just read from the network; empty between calls
  apr_bucket_brigade* plain_;     // decrypted, not yet asked for
  apr_bucket_brigade* outgoing_;  // for the network, not yet passed on; empty between calls
  char* staged_ = nullptr;        // plaintext gathered for full records; memory of the bucket allocator
  std::size_t staged_length_ = 0;
  std::size_t staged_capacity_ = 0;
  std::size_t burst_ = 0;  // bytes written since the response started or the last pause
  apr_time_t last_write_ = 0;
  apr_time_t opened_;
  Deadline deadline_;
  std::size_t received_ = 0;                         // bytes of the handshake so far
  std::optional<rust::Box<rs::Identity>> identity_;  // once the handshake is complete; never changed afterwards
  Facts facts_;
  const char* offered_ = "";                 // what the client offered, for log lines; pool memory
  apr_status_t input_status_ = APR_SUCCESS;  // sticky once input has ended
  State state_ = State::Hello;
  Shutdown shutdown_ = Shutdown::Standard;
};

// Registers filters and connection hooks.
void register_hooks(apr_pool_t* pool) noexcept;

}  // namespace tls::conn
