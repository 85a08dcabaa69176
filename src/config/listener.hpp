// SPDX-License-Identifier: Apache-2.0
// Where TLSEngine turns TLS on: a port, on one address or on all.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tls::config {

// An address in network order: 4 bytes for IPv4, 16 for IPv6, none for "every address".
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t length = 0;

  [[nodiscard]] bool is_any() const { return length == 0; }
  friend bool operator==(const Address&, const Address&) = default;
};

struct Listener {
  Address address;
  std::uint16_t port = 0;  // 0: every port (only in the address of a virtual host)
  friend bool operator==(const Listener&, const Listener&) = default;
};

// Reads an address as it is, IPv6 without brackets.
std::optional<Address> parse_ip(std::string_view text);

// Its text, IPv6 without brackets; `*` for every address.
std::string text_of(const Address& address);

// Reads "443", "*:443", "192.0.2.1:443" or "[2001:db8::1]:443".
std::optional<Listener> parse_listener(std::string_view text);

// As parse_listener reads it, with `*` for every address.
std::string text_of(const Listener& listener);

// An address of 4 or 16 bytes; IPv4 mapped into IPv6 becomes IPv4, and the unspecified address "every address".
Address make_address(std::span<const std::uint8_t> bytes);

// Whether a connection that arrives at `local` is one of the listeners'.
bool covers(std::span<const Listener> listeners, const Listener& local);

// Whether some connection of a virtual host written for `host` may be one of the listeners'.
bool overlaps(std::span<const Listener> listeners, const Listener& host);

}  // namespace tls::config
