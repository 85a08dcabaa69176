// SPDX-License-Identifier: Apache-2.0
#include "server/host_label.hpp"

#include "apr/httpd.hpp"
#include "apr/to_rust.hpp"

namespace tls::server {

std::string host_label(const server_rec* s) {
  const unsigned port = s->port != 0 ? s->port : (s->addrs != nullptr ? s->addrs->host_port : 0U);
  return apr::escaped(s->server_hostname != nullptr ? s->server_hostname : "_default_") +
         (port != 0 ? ":" + std::to_string(port) : "");
}

std::string host_place(const server_rec* s) {
  return s->defn_name != nullptr ? s->defn_name + (":" + std::to_string(s->defn_line_number)) : "the main server";
}

std::string host_label_and_place(const server_rec* s) { return host_label(s) + " (" + host_place(s) + ")"; }

}  // namespace tls::server
