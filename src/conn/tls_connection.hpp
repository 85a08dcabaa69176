// SPDX-License-Identifier: Apache-2.0
// The part of a TLS connection that is the same from both ends: session, filters, reading and writing.
#pragma once

#include <cstdint>

#include "apr/httpd.hpp"
#include "mod_tls_bridge/src/lib.rs.h"

namespace tls::conn {

enum class State : std::uint8_t {
  Hello,      // the ClientHello is not complete; of ours, not sent
  Handshake,  // rustls has the word
  Open,       // application data flows
  Closing,    // our close_notify is out, or no more data may follow; bytes in flight may still go
  Closed,     // nothing more is said
  Plain,      // the client speaks plain HTTP, and is told in plain HTTP that this will not do
};

// What is asked of the network at once while a handshake is under way.
inline constexpr apr_off_t handshake_read = 16384;

// How the last alerts are exchanged, as mod_ssl's environment variables ask for it.
enum class Shutdown : std::uint8_t { Standard, Unclean };

// Owned by the connection pool; used by whichever thread works on the connection, one at a time.
class TlsConnection {
 public:
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  // What is bound to `c`, whichever end it is; nullptr where nothing of ours is.
  static TlsConnection* bound(const conn_rec* c) noexcept;

  // Judging: nothing is wanted of the peer; it is OCSP responders whose answer is waited for.
  enum class Progress : std::uint8_t { Done, Wait, Judging, Failed };
  // Drives the handshake as far as the bytes that are there allow; with APR_BLOCK_READ until it is decided.
  virtual Progress handshake(apr_read_type_e block) = 0;

  // What the filters do.
  apr_status_t read(apr_bucket_brigade* bb, ap_input_mode_t mode, apr_read_type_e block, apr_off_t limit);
  apr_status_t write(apr_bucket_brigade* bb);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const rs::Session& session() const { return *session_; }
  void shutdown_style(Shutdown style) { shutdown_ = style; }

  // Gives the connection up after a failure of ours: nothing is read or written any more. Throws nothing, for the
  // exception wall calls it.
  void lose() noexcept;

 protected:
  explicit TlsConnection(conn_rec* c);
  virtual ~TlsConnection() = default;
  // Makes this the object of its connection and inserts the filters.
  void attach();
  // Gives ciphertext to the session; false when the connection is over.
  virtual bool feed(const char* data, std::size_t length) = 0;
  // Something is to be written and the handshake is not complete, or not `settled_`. `data`: more than metadata. Where
  // the state is not Open afterwards, only metadata passes: it flushes and closes.
  virtual void before_write(bool data) = 0;

  [[nodiscard]] bool handshaking() const { return state_ == State::Hello || state_ == State::Handshake; }
  apr_status_t send_ciphertext(bool flush);
  void close_notify();

  conn_rec* c_;
  rust::Box<rs::Session> session_;
  ap_filter_t* input_ = nullptr;
  ap_filter_t* output_ = nullptr;
  apr_bucket_brigade* cipher_;               // bytes just read from the network; empty between calls
  apr_bucket_brigade* plain_;                // decrypted, not yet asked for
  apr_bucket_brigade* ciphertext_;           // for the network, not yet passed on; empty between calls
  apr_status_t input_status_ = APR_SUCCESS;  // sticky once input has ended
  State state_ = State::Hello;
  bool settled_ = true;  // nothing need be asked again before the next write

 private:
  friend class Writer;

  // input.cpp
  apr_status_t fill(apr_read_type_e block);
  apr_status_t deliver(apr_bucket_brigade* bb, ap_input_mode_t mode, apr_read_type_e block, apr_off_t limit);
  apr_status_t get_line(apr_bucket_brigade* bb, apr_read_type_e block);
  apr_status_t end_of_input();
  void drop_empty_buckets();
  void lose_input();

  char* staged_ = nullptr;  // plaintext gathered for full records; memory of the bucket allocator
  std::size_t staged_length_ = 0;
  std::size_t staged_capacity_ = 0;
  std::size_t burst_ = 0;               // bytes written since the response started or the last pause
  apr_interval_time_t last_write_ = 0;  // by the monotonic clock
  Shutdown shutdown_ = Shutdown::Standard;
};

}  // namespace tls::conn
