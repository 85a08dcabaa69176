// SPDX-License-Identifier: Apache-2.0
// What serves: built policies, certificates and the index of names. Made in post_config, immutable afterwards.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/policy/effective.hpp"
#include "mod_tls_bridge/src/lib.rs.h"
#include "server/client_auth.hpp"
#include "server/read_limit.hpp"
#include "server/staplable.hpp"
#include "server/vhosts.hpp"

struct server_rec;

namespace tls::server {

// A virtual host that speaks TLS, as the configuration settled it.
struct HostConfig {
  const server_rec* server = nullptr;
  const config::EffectivePolicy* settings = nullptr;  // lives as long as the configuration
  std::uint32_t certificates = 0;                     // index into the credentials
};

// One virtual host, ready to serve.
struct Host {
  const server_rec* server = nullptr;
  const config::EffectivePolicy* settings = nullptr;
  const rs::Policy* policy = nullptr;  // owned by the engine, shared by hosts with equal policies
  std::uint32_t certificates = 0;
  std::string label;                                    // host_label: its name, and what a session is bound to
  const HostClientAuth* clients = nullptr;              // owned by the engine
  const std::vector<std::string>* staplable = nullptr;  // certificates whose OCSP responses another module has, if any
  std::uint32_t number = UINT32_MAX;                    // among those that are counted apart; UINT32_MAX for none
  ReadLimit read_limit;                                 // mod_reqtimeout's, for connections that begin at this host
};

// Owned by the configuration pool; children share it by copy on write.
class Engine final {
 public:
  // Builds each distinct policy once. `main` heads the list of servers. Throws rust::Error with a sentence when a
  // policy leaves nothing to negotiate.
  Engine(server_rec* main, const std::vector<HostConfig>& hosts, rust::Box<rs::Credentials> credentials,
         ClientVerifiers clients, Staplable staplable);

  // The host of `server`; nullptr where it does not speak TLS.
  [[nodiscard]] const Host* host(const server_rec* server) const;
  // Whether requests of `server` are to be answered 503, for it has a placeholder now. Any thread of a child.
  [[nodiscard]] bool is_unavailable(const server_rec* server) const;
  [[nodiscard]] const VhostIndex& names() const { return names_; }
  [[nodiscard]] const ClientVerifiers& clients() const { return clients_; }
  [[nodiscard]] const rs::Credentials& credentials() const { return *credentials_; }

 private:
  using PolicyKey = std::pair<std::array<std::uint8_t, 32>, const rs::ClientVerifier*>;
  const rs::Policy& policy(const config::EffectivePolicy& settings, const HostClientAuth& clients);

  rust::Box<rs::Credentials> credentials_;
  ClientVerifiers clients_;
  Staplable staplable_;
  std::map<PolicyKey, rust::Box<rs::Policy>> policies_;
  std::unordered_map<const server_rec*, Host> hosts_;
  VhostIndex names_;
};

// Name and version of the TLS library, as in "rustls/0.23.31".
[[nodiscard]] std::string library_version();

// The engine of the running configuration; nullptr before post_config and where no virtual host speaks TLS.
[[nodiscard]] const Engine* engine();

// Publishes `next` (owned by the configuration pool) or, with nullptr, withdraws it. Parent only, in post_config and
// when the configuration pool is cleared.
void publish(const Engine* next);

}  // namespace tls::server
