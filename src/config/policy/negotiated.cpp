// SPDX-License-Identifier: Apache-2.0
#include "config/policy/negotiated.hpp"

#include <algorithm>
#include <string_view>

#include "config/ciphers/suites.hpp"
#include "config/policy/groups.hpp"

namespace tls::config {
namespace {

bool listed(const std::vector<std::uint16_t>& list, std::uint16_t number) {
  return std::ranges::find(list, number) != list.end();
}

bool is_tls13(std::uint16_t number) { return suite(number)->first_version == FirstVersion::Tls13; }

// Suites of one version: exactly those of an SSLCipherSuite where there is one, else preferred ones first and then the
// others in the vocabulary's default order, without those that are suppressed.
void add_suites(SuiteList& order, const ServerSettings& s, Vocabulary words, bool tls13) {
  const Setting<SuiteList>& exact = tls13 ? s.suites13 : s.suites12;
  const auto add = [&](std::uint16_t number) {
    const bool never = s.suites_suppressed && listed(*s.suites_suppressed, number);
    if (is_tls13(number) == tls13 && !never && !listed(order, number)) order.push_back(number);
  };
  if (exact) {
    std::ranges::for_each(*exact, add);
    return;
  }
  if (s.suites_preferred) std::ranges::for_each(*s.suites_preferred, add);
  std::ranges::for_each(words == Vocabulary::Ssl ? openssl_order() : supported_suites(), add);
}

// Versions as written, with the bounds of SSLOpenSSLConfCmd over them: a bound replaces the lowest or the highest.
Versions bounded_versions(const ServerSettings& s) {
  constexpr unsigned tls12 = 0x0303;
  constexpr unsigned tls13 = 0x0304;
  unsigned lowest = s.versions->tls12 ? tls12 : tls13;
  unsigned highest = s.versions->tls13 ? tls13 : tls12;
  if (s.min_version) lowest = *s.min_version;
  if (s.max_version) highest = *s.max_version == 0 ? tls13 : *s.max_version;
  return {lowest <= tls12 && highest >= tls12, lowest <= tls13 && highest >= tls13};
}

SuiteList suites_of(const ServerSettings& s, Vocabulary words) {
  const Versions versions = bounded_versions(s);
  SuiteList order;
  if (versions.tls13) add_suites(order, s, words, true);
  if (versions.tls12) add_suites(order, s, words, false);
  return order;
}

template <class T>
T value_or_none(const Setting<T>& setting) {
  return setting ? *setting : T{};
}

enum class Host : std::uint8_t { Compared, Apart };

}  // namespace

Negotiated negotiated(const ServerSettings& s, Vocabulary words) {
  return {
#define TLS_NEGOTIATED(type, member, value, ...) .member = value,
#include "config/policy/negotiated.def"
#undef TLS_NEGOTIATED
  };
}

void encode(Encoder& out, const Negotiated& negotiated) {
#define TLS_NEGOTIATED(type, member, ...) out.named(#member, negotiated.member);
#include "config/policy/negotiated.def"
#undef TLS_NEGOTIATED
}

void encode_compared(Encoder& out, const Negotiated& negotiated) {
#define TLS_NEGOTIATED(type, member, value, host, ...) \
  if constexpr (Host::host == Host::Compared) out.named(#member, negotiated.member);
#include "config/policy/negotiated.def"
#undef TLS_NEGOTIATED
}

}  // namespace tls::config
