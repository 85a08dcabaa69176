// SPDX-License-Identifier: Apache-2.0
// Networks of proxies that are believed: an address, or all that begin as it does.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/listener.hpp"

namespace tls::config {

struct Network {
  Address address;
  std::uint8_t bits = 0;  // that count
  friend bool operator==(const Network&, const Network&) = default;
};

// Reads "192.0.2.1", "192.0.2.0/24", "2001:db8::1" or "2001:db8::/32". Nothing for other texts, for a network that has
// bits behind its length, and for one that has everybody in it.
std::optional<Network> parse_network(std::string_view text);

// As parse_network reads it.
std::string text_of(const Network& network);

// Whether `address` is in one of them.
bool contains(std::span<const Network> networks, const Address& address);

}  // namespace tls::config
