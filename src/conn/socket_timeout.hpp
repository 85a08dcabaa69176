// SPDX-License-Identifier: Apache-2.0
// Blocking reads that end when a deadline does.
#pragma once

#include "apr/clock.hpp"
#include "apr/httpd.hpp"

namespace tls::conn {

// Lives on the stack for the length of one read. `when`: of the monotonic clock; 0 for no deadline.
class SocketTimeout final {
 public:
  SocketTimeout(conn_rec* c, apr_interval_time_t when) : socket_(ap_get_conn_socket(c)) {
    if (when == 0 || socket_ == nullptr || apr_socket_timeout_get(socket_, &before_) != APR_SUCCESS) {
      socket_ = nullptr;
      return;
    }
    const apr_interval_time_t left = when - apr::monotonic();
    if (before_ < 0 || left < before_) apr_socket_timeout_set(socket_, left > 0 ? left : 1);
  }
  ~SocketTimeout() {
    if (socket_ != nullptr) apr_socket_timeout_set(socket_, before_);
  }
  SocketTimeout(const SocketTimeout&) = delete;
  SocketTimeout& operator=(const SocketTimeout&) = delete;

 private:
  apr_socket_t* socket_;
  apr_interval_time_t before_ = -1;
};

}  // namespace tls::conn
