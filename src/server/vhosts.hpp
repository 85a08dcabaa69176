// SPDX-License-Identifier: Apache-2.0
// Choice of the virtual host by server name, as httpd itself would choose by Host.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct conn_rec;
struct server_rec;

namespace tls::server {

// The names of one address:port chain. httpd takes the first virtual host in configuration order whose ServerName,
// alias or wildcard matches (server/vhost.c, update_server_from_aliases), so each name carries its host's position and
// the lowest position among all hits wins. Immutable once built; a lookup costs one hash per label of the name.
class NameChain final {
 public:
  // Hosts must be added in the chain's order.
  void add(const server_rec* host);
  // A name that stands in <VirtualHost name:port> itself; httpd matches it like a ServerName.
  void add_name(std::string_view name, std::uint32_t position);
  // nullptr where no name matches. `name` is ASCII lower case, without a trailing dot.
  [[nodiscard]] const server_rec* find(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return hosts_.size(); }

 private:
  struct Pattern {
    std::string text;
    std::uint32_t position;
  };
  // A name is looked for as it stands, without a string of its own.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Positions = std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>>;
  static std::uint32_t position_of(const Positions& names, std::string_view name);
  void add_pattern(std::string_view pattern, std::uint32_t position);

  std::vector<const server_rec*> hosts_;
  Positions exact_;
  Positions suffix_;               // ".example.com" for "*.example.com"
  std::vector<Pattern> patterns_;  // wildcards of any other shape
};

// All chains of this httpd. Built in post_config, shared by the children, never changed.
class VhostIndex final {
 public:
  // `main` heads the list of servers. Asks httpd itself which chain serves which address and port.
  static VhostIndex build(server_rec* main);
  // The virtual host for `name` on the address that `c` came in at; nullptr where no name matches.
  [[nodiscard]] const server_rec* find(const conn_rec* c, std::string_view name) const;

 private:
  struct Key {
    const void* chain;
    std::uint16_t port;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return std::hash<const void*>()(key.chain) ^ (std::size_t{key.port} << 1U);
    }
  };
  std::unordered_map<Key, std::unique_ptr<NameChain>, Hash> chains_;
};

}  // namespace tls::server
