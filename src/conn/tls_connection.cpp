// SPDX-License-Identifier: Apache-2.0
#include "conn/tls_connection.hpp"

#include "conn/filters.hpp"
#include "server/module_config.hpp"

namespace tls::conn {

TlsConnection::TlsConnection(conn_rec* c)
    : c_(c),
      session_(rs::new_session()),
      cipher_(apr_brigade_create(c->pool, c->bucket_alloc)),
      plain_(apr_brigade_create(c->pool, c->bucket_alloc)),
      ciphertext_(apr_brigade_create(c->pool, c->bucket_alloc)) {}

void TlsConnection::attach() {
  ap_set_module_config(c_->conn_config, &server::primary_record(), this);
  input_ = ap_add_input_filter(input_filter_name, this, nullptr, c_);
  output_ = ap_add_output_filter(output_filter_name, this, nullptr, c_);
}

void TlsConnection::lose() noexcept {
  input_status_ = APR_ECONNABORTED;
  state_ = State::Closed;
  settled_ = true;
  c_->keepalive = AP_CONN_CLOSE;
  c_->aborted = 1;
}

TlsConnection* TlsConnection::bound(const conn_rec* c) noexcept {
  return static_cast<TlsConnection*>(ap_get_module_config(c->conn_config, &server::primary_record()));
}

}  // namespace tls::conn
