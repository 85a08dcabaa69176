// SPDX-License-Identifier: Apache-2.0
// One connection to a backend over TLS, made for mod_proxy or whoever asks httpd's API for one.
#pragma once

#include "conn/tls_connection.hpp"

namespace tls::conn {

// Begins with the first write, or read: what the name and protocols are is known only then (mod_proxy_http2 notes its
// ALPN offers after the connection was made).
class BackendConnection final : public TlsConnection {
 public:
  BackendConnection(conn_rec* c, const rs::BackendPolicy& policy);

  static BackendConnection& attach(conn_rec* c, const rs::BackendPolicy& policy);
  // The outgoing connection of ours that `c` is; nullptr where it is none.
  static BackendConnection* of(conn_rec* c);

  // The next requests are of a section with this policy; nullptr: of one without TLS to backends, which may write
  // nothing.
  void serve(const rs::BackendPolicy* policy);

  Progress handshake(apr_read_type_e block) override;

 private:
  bool feed(const char* data, std::size_t length) override;
  void before_write(bool data) override;
  bool start();
  Progress unwanted();
  Progress read_network(apr_read_type_e block);
  apr_status_t read_until_deadline(apr_read_type_e block);
  void complete();
  Progress ended(rs::Ending ending, const char* cause, const char* remedy);
  Progress closed_early();
  Progress failed_session();
  [[nodiscard]] const char* verified(const rs::Negotiated& n) const;
  [[nodiscard]] const char* backend() const;

  const rs::BackendPolicy* policy_;   // that the connection was made under, or that it was found to fit
  const rs::BackendPolicy* wanted_;   // of the section that is served now
  apr_interval_time_t deadline_ = 0;  // of the handshake; of the monotonic clock, 0 for none
  bool answered_ = false;             // the backend has sent something
};

// Registers the hooks for outgoing connections.
void register_backend_hooks();

}  // namespace tls::conn
