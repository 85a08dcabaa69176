// SPDX-License-Identifier: Apache-2.0
#include "server/engine.hpp"

#include "apr/httpd.hpp"
#include "apr/to_rust.hpp"
#include "mod_tls_bridge/src/status/boundary.rs.h"
#include "server/host_label.hpp"

namespace tls::server {
namespace {

const Engine* current = nullptr;

}  // namespace

Engine::Engine(server_rec* main, const std::vector<HostConfig>& hosts, rust::Box<rs::Credentials> credentials,
               ClientVerifiers clients, Staplable staplable)
    : credentials_(std::move(credentials)),
      clients_(std::move(clients)),
      staplable_(std::move(staplable)),
      names_(VhostIndex::build(main)) {
  const auto limits = read_limits(main->process->pconf, main);
  hosts_.reserve(hosts.size());
  for (const HostConfig& h : hosts) {
    const auto limit = limits.find(h.server);
    const HostClientAuth& asked = clients_.of(h.server);
    const auto staples = staplable_.find(h.server);
    const std::string name = host_label(h.server);
    const bool apart = h.settings->metrics == config::MetricsDetail::Hosts;
    hosts_.emplace(h.server, Host{h.server, h.settings, &policy(*h.settings, asked), h.certificates, name, &asked,
                                  staples != staplable_.end() ? &staples->second : nullptr,
                                  apart ? rs::host_number(apr::lossy(name)) : UINT32_MAX,
                                  limit != limits.end() ? limit->second : ReadLimit{}});
  }
}

const rs::Policy& Engine::policy(const config::EffectivePolicy& settings, const HostClientAuth& clients) {
  std::vector<std::uint8_t> encoded = config::encode_policy(settings);
  const std::size_t own = encoded.size();
  const auto contents = clients.handshake->digest();
  encoded.insert(encoded.end(), contents.begin(), contents.end());
  // CAs that are equal now and may change apart make policies of their own, as do revocation lists, which the id
  // leaves out.
  const bool apart = settings.agent.reload.authorities_too || clients.has_lists;
  const rs::ClientVerifier* const changing = apart ? clients.handshake : nullptr;
  const PolicyKey key{rs::policy_id({encoded.data(), encoded.size()}), changing};
  const auto known = policies_.find(key);
  if (known != policies_.end()) return *known->second;
  return *policies_.emplace(key, rs::build_policy({encoded.data(), own}, *clients.handshake)).first->second;
}

const Host* Engine::host(const server_rec* server) const {
  const auto found = hosts_.find(server);
  return found == hosts_.end() ? nullptr : &found->second;
}

bool Engine::is_unavailable(const server_rec* server) const {
  const Host* const found = host(server);
  return found != nullptr && found->settings->fallback == config::Fallback::Unavailable &&
         credentials_->is_placeholder(found->certificates);
}

std::string library_version() { return std::string(rs::engine_version()); }

const Engine* engine() { return current; }

void publish(const Engine* next) { current = next; }

}  // namespace tls::server
