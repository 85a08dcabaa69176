// One connection to a backend over TLS, made for mod_proxy or whoever asks httpd's API for one.
#pragma once

#include "conn/stream.hpp"

namespace tls::conn {

// Begins with the first write, or read: what the name and protocols are is known only then (mod_proxy_http2 notes its
// ALPN offers after the connection was made).
class Outgoing final : public Stream {
 public:
  Outgoing(conn_rec* c, const rs::ClientPolicy& policy) noexcept;

  static Outgoing& attach(conn_rec* c, const rs::ClientPolicy& policy);

  Progress handshake(apr_read_type_e block) noexcept override;

 private:
  bool feed(const char* data, std::size_t length) noexcept override;
  void before_write(bool data) noexcept override;
  bool start();
  Progress read_network(apr_read_type_e block) noexcept;
  void complete() noexcept;
  Progress failed(const char* cause, const char* remedy) noexcept;
  Progress failed_session() noexcept;
  [[nodiscard]] const char* backend() const noexcept;

  const rs::ClientPolicy* policy_;
};

// Registers the hooks for outgoing connections.
void register_outgoing_hooks() noexcept;

}  // namespace tls::conn
