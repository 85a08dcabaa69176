// SPDX-License-Identifier: Apache-2.0
#include "server/vhosts.hpp"

#include <ap_listen.h>

#include <algorithm>
#include <limits>
#include <set>
#include <stdexcept>

#include "apr/hook.hpp"
#include "config/words.hpp"

namespace tls::server {
namespace {

// A name as it is compared, which is without the dot that says it is whole.
std::string comparable(std::string_view name) {
  std::string out = config::lower(name);
  while (!out.empty() && out.back() == '.') out.pop_back();
  return out;
}

constexpr std::uint32_t no_position = std::numeric_limits<std::uint32_t>::max();

template <class Use>
void for_each_name(const apr_array_header_t* names, Use use) {
  if (names == nullptr) return;
  const auto* const list = reinterpret_cast<const char* const*>(names->elts);
  for (int i = 0; i < names->nelts; ++i) {
    if (list[i] != nullptr) use(list[i]);
  }
}

}  // namespace

std::uint32_t NameChain::position_of(const Positions& names, std::string_view name) {
  const auto hit = names.find(name);
  return hit == names.end() ? no_position : hit->second;
}

void NameChain::add(const server_rec* host) {
  const auto position = static_cast<std::uint32_t>(hosts_.size());
  hosts_.push_back(host);
  if (host->server_hostname != nullptr) add_name(host->server_hostname, position);
  for_each_name(host->names, [&](const char* name) { add_name(name, position); });
  for_each_name(host->wild_names, [&](const char* name) { add_pattern(name, position); });
  for (const server_addr_rec* address = host->addrs; address != nullptr; address = address->next) {
    if (address->virthost != nullptr) add_name(address->virthost, position);
  }
}

void NameChain::add_name(std::string_view name, std::uint32_t position) {
  exact_.try_emplace(comparable(name), position);
}

void NameChain::add_pattern(std::string_view pattern, std::uint32_t position) {
  std::string text = comparable(pattern);
  // "*.example.com" is what wildcards are in practice: found by hashing. Others are tried one by one.
  if (text.size() > 2 && text.starts_with("*.") && text.find_first_of("*?", 1) == std::string::npos) {
    suffix_.try_emplace(text.substr(1), position);
  } else {
    patterns_.push_back({std::move(text), position});
  }
}

const server_rec* NameChain::find(std::string_view name) const {
  std::uint32_t best = position_of(exact_, name);
  // "*" matches dots too (ap_strcasecmp_match), so every tail that begins with a dot may be listed; and it matches
  // nothing at all, so that "*.example.com" takes ".example.com".
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
    best = std::min(best, position_of(suffix_, name.substr(dot)));
  }
  if (!patterns_.empty()) {
    const std::string text(name);
    for (const Pattern& pattern : patterns_) {
      if (pattern.position >= best) break;  // in order: no later one can win
      if (ap_strcasecmp_match(text.c_str(), pattern.text.c_str()) == 0) best = pattern.position;
    }
  }
  return best == no_position ? nullptr : hosts_[best];
}

namespace {

struct Walk {
  NameChain* chain;
  bool lost = false;
};

int add_host(void* baton, conn_rec*, server_rec* host) {
  static_cast<Walk*>(baton)->chain->add(host);
  return 0;
}

// httpd walks on through C, so that the failure is remembered.
int lost_host(const char* why, void* baton, conn_rec*, server_rec* host) noexcept {
  apr::Place place;
  place.take(host);
  apr::log_lost(place, "add_host", why);
  static_cast<Walk*>(baton)->lost = true;
  return 1;
}

// A connection as far as httpd's own lookup by address needs one (server/vhost.c, ap_update_vhost_given_ip).
conn_rec probe(apr_pool_t* pool, apr_sockaddr_t* local, server_rec* main) {
  conn_rec c{};
  c.pool = pool;
  c.local_addr = local;
  c.base_server = main;
  ap_update_vhost_given_ip(&c);
  return c;
}

// What tells chains apart. httpd keeps none for an address that one virtual host has alone: that host stands for it.
const void* chain_of(const conn_rec& c) { return c.vhost_lookup_data != nullptr ? c.vhost_lookup_data : c.base_server; }

std::string address_bytes(const apr_sockaddr_t* address) {
  return {static_cast<const char*>(address->ipaddr_ptr), static_cast<std::size_t>(address->ipaddr_len)};
}

}  // namespace

VhostIndex VhostIndex::build(server_rec* main) {
  VhostIndex index;
  apr_pool_t* const pool = main->process->pconf;
  // Every local address a connection can have behaves like one that a <VirtualHost> names, or like none of them.
  std::set<std::string> seen;
  std::vector<apr_sockaddr_t*> addresses;
  const auto note = [&](apr_sockaddr_t* address) {
    if (address != nullptr && seen.insert(address_bytes(address)).second) addresses.push_back(address);
  };
  for (const server_rec* s = main; s != nullptr; s = s->next) {
    for (const server_addr_rec* a = s->addrs; a != nullptr; a = a->next) note(a->host_addr);
  }
  std::set<apr_port_t> ports;
  for (const ap_listen_rec* l = ap_listeners; l != nullptr; l = l->next) {
    note(l->bind_addr);
    ports.insert(l->bind_addr->port);
  }
  for (const apr_sockaddr_t* address : addresses) {
    for (const apr_port_t port : ports) {
      apr_sockaddr_t local = *address;
      local.next = nullptr;
      local.port = port;
      // The copy's own address bytes, not the original's.
      const auto offset = static_cast<const char*>(address->ipaddr_ptr) - reinterpret_cast<const char*>(address);
      local.ipaddr_ptr = reinterpret_cast<char*>(&local) + offset;
      conn_rec c = probe(pool, &local, main);
      const Key key{chain_of(c), port};
      if (index.chains_.contains(key)) continue;
      auto chain = std::make_unique<NameChain>();
      Walk walk{chain.get(), false};
      ap_vhost_iterate_given_conn(&c, apr::hook<add_host, lost_host>, &walk);
      if (walk.lost) throw std::runtime_error("the names of the virtual hosts could not be listed");
      if (chain->size() == 0) chain->add(c.base_server);
      index.chains_.emplace(key, std::move(chain));
    }
  }
  return index;
}

const server_rec* VhostIndex::find(const conn_rec* c, std::string_view name) const {
  // httpd judges by the port of the address the connection came in at.
  const auto hit = chains_.find(Key{chain_of(*c), c->local_addr->port});
  return hit == chains_.end() ? nullptr : hit->second->find(name);
}

}  // namespace tls::server
