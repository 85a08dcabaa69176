// SPDX-License-Identifier: Apache-2.0
#include "server/policies.hpp"

#include <algorithm>

namespace tls::server {

using config::Listener;

Listener listener_of(const apr_sockaddr_t* address) {
  const auto* bytes = static_cast<const std::uint8_t*>(address->ipaddr_ptr);
  return {config::make_address({bytes, static_cast<std::size_t>(address->ipaddr_len)}), address->port};
}

std::vector<Listener> addresses_of(const server_rec* s) {
  std::vector<Listener> all;
  if (s->is_virtual == 0) return all;
  for (const server_addr_rec* a = s->addrs; a != nullptr; a = a->next) {
    Listener listener = listener_of(a->host_addr);
    listener.port = a->host_port;
    all.push_back(listener);
  }
  return all;
}

bool engine_on(const server_rec* s, const apr_sockaddr_t* local) {
  return effective(s).engine.on_at(listener_of(local));
}

std::vector<server_rec*> hosts_with_tls(server_rec* main) {
  std::vector<server_rec*> hosts;
  for (server_rec* s = main; s != nullptr; s = s->next) {
    if (effective(s).enabled) hosts.push_back(s);
  }
  // httpd puts each virtual host it reads right behind the main server.
  std::reverse(hosts.begin() + (hosts.empty() || hosts.front() != main ? 0 : 1), hosts.end());
  return hosts;
}

}  // namespace tls::server
