// SPDX-License-Identifier: Apache-2.0
#include "config/network.hpp"

#include <algorithm>
#include <charconv>

namespace tls::config {
namespace {

bool bit(const Address& a, unsigned index) {
  const unsigned octet = a.bytes.at(index / 8);
  return ((octet >> (7U - index % 8)) & 1U) != 0;
}

bool within(const Network& network, const Address& address) {
  if (network.address.length != address.length) return false;
  for (unsigned i = 0; i < network.bits; ++i) {
    if (bit(network.address, i) != bit(address, i)) return false;
  }
  return true;
}

}  // namespace

std::optional<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address || address->is_any()) return std::nullopt;
  // Addresses of IPv4 may be written as IPv6 has them (RFC 4291 2.5.5.2), the length of the network likewise.
  const unsigned all = address->length * 8U;
  const unsigned before = address->length == 4 && text.find(':') != std::string_view::npos ? 96 : 0;
  unsigned bits = all + before;
  if (slash != std::string_view::npos) {
    const std::string_view length = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
    if (error != std::errc() || end != length.data() + length.size() || bits <= before || bits > before + all) {
      return std::nullopt;
    }
  }
  bits -= before;
  for (unsigned i = bits; i < all; ++i) {
    if (bit(*address, i)) return std::nullopt;
  }
  return Network{*address, static_cast<std::uint8_t>(bits)};
}

std::string text_of(const Network& network) { return text_of(network.address) + "/" + std::to_string(network.bits); }

bool contains(std::span<const Network> networks, const Address& address) {
  return std::ranges::any_of(networks, [&address](const Network& network) { return within(network, address); });
}

}  // namespace tls::config
