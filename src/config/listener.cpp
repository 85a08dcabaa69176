// SPDX-License-Identifier: Apache-2.0
#include "config/listener.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace tls::config {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::optional<Address> parse_address(std::string_view text) {
  if (text == "*") return Address{};
  const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
  const std::string_view bare = bracketed ? text.substr(1, text.size() - 2) : text;
  if (bracketed != (bare.find(':') != std::string_view::npos)) return std::nullopt;
  return parse_ip(bare);
}

}  // namespace

std::optional<Address> parse_ip(std::string_view text) {
  std::array<std::uint8_t, 16> bytes{};
  const std::string whole(text);
  if (inet_pton(AF_INET6, whole.c_str(), bytes.data()) == 1) return make_address(bytes);
  if (inet_pton(AF_INET, whole.c_str(), bytes.data()) == 1) return make_address(std::span(bytes).first<4>());
  return std::nullopt;
}

std::string text_of(const Address& address) {
  if (address.is_any()) return "*";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.length == 4 ? AF_INET : AF_INET6;
  return inet_ntop(family, address.bytes.data(), text.data(), text.size()) == nullptr ? "?" : text.data();
}

std::string text_of(const Listener& listener) {
  const std::string address = text_of(listener.address);
  return (listener.address.length == 16 ? "[" + address + "]" : address) + ":" + std::to_string(listener.port);
}

Address make_address(std::span<const std::uint8_t> bytes) {
  constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (bytes.size() == 16 && std::ranges::equal(bytes.first<12>(), mapped)) bytes = bytes.subspan(12);
  Address address;
  if (std::ranges::all_of(bytes, [](std::uint8_t b) { return b == 0; })) return address;
  std::ranges::copy(bytes.first(std::min<std::size_t>(bytes.size(), 16)), address.bytes.begin());
  address.length = static_cast<std::uint8_t>(std::min<std::size_t>(bytes.size(), 16));
  return address;
}

std::optional<Listener> parse_listener(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const auto port = parse_port(colon == std::string_view::npos ? text : text.substr(colon + 1));
  if (!port) return std::nullopt;
  if (colon == std::string_view::npos) return Listener{{}, *port};
  const auto address = parse_address(text.substr(0, colon));
  if (!address) return std::nullopt;
  return Listener{*address, *port};
}

bool covers(std::span<const Listener> listeners, const Listener& local) {
  return std::ranges::any_of(listeners, [&local](const Listener& l) {
    return l.port == local.port && (l.address.is_any() || l.address == local.address);
  });
}

bool overlaps(std::span<const Listener> listeners, const Listener& host) {
  return std::ranges::any_of(listeners, [&host](const Listener& l) {
    const bool port = host.port == 0 || l.port == host.port;
    return port && (l.address.is_any() || host.address.is_any() || l.address == host.address);
  });
}

}  // namespace tls::config
