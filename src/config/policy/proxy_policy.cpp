// SPDX-License-Identifier: Apache-2.0
#include "config/policy/proxy_policy.hpp"

#include <algorithm>
#include <utility>

#include "config/ciphers/suites.hpp"
#include "config/policy/encoder.hpp"
#include "config/policy/groups.hpp"
#include "config/vocabulary/proxy_values.hpp"

namespace tls::config {
namespace {

bool listed(const SuiteList& list, std::uint16_t number) { return std::ranges::find(list, number) != list.end(); }

// Exactly those of an SSLProxyCipherSuite where there is one, else preferred ones first and then the others in their
// default order, without those that are suppressed.
void add_suites(SuiteList& order, const ProxySettings& s, bool tls13) {
  const Setting<SuiteList>& exact = tls13 ? s.suites13 : s.suites12;
  const auto add = [&](std::uint16_t number) {
    const bool right_version = (suite(number)->first_version == FirstVersion::Tls13) == tls13;
    const bool never = s.suites_suppressed && listed(*s.suites_suppressed, number);
    if (right_version && !never && !listed(order, number)) order.push_back(number);
  };
  if (exact) {
    std::ranges::for_each(*exact, add);
    return;
  }
  if (s.suites_preferred) std::ranges::for_each(*s.suites_preferred, add);
  std::ranges::for_each(supported_suites(), add);
}

SuiteList suites_of(const ProxySettings& s) {
  SuiteList order;
  add_suites(order, s, true);
  add_suites(order, s, false);
  return order;
}

bool has_system_roots(const ProxySettings& s) { return s.ca_file && s.ca_file->path == system_roots; }

template <class T>
T value_or_none(const Setting<T>& setting) {
  return setting ? *setting : T{};
}

// The paths of those that are written.
Paths paths(const auto&... settings) {
  Paths all;
  const auto add = [&all](const Setting<PathAt>& setting) {
    if (setting) all.push_back(setting->path);
  };
  (add(settings), ...);
  return all;
}

RevocationCheck revocation_of(const ProxySettings& s) {
  if (s.crl_check) return *s.crl_check;
  const bool fetched = value_or_none(s.list_fetch).on;
  return {fetched || s.crl_file || s.crl_path ? RevocationCheck::Depth::Chain : RevocationCheck::Depth::None, false};
}

// mod_ssl (ssl_engine_io.c, ssl_io_filter_handshake): CheckPeerCN off turns the check off where CheckPeerName is not
// written; on, it brings a check back that CheckPeerName off took away.
bool checks_name(const ProxySettings& s) {
  const bool name_written = s.check_peer_name.where().file != nullptr;
  const bool cn_written = s.check_peer_cn.where().file != nullptr;
  return *s.check_peer_name ? name_written || *s.check_peer_cn : cn_written && *s.check_peer_cn;
}

}  // namespace

ProxyPolicy proxy_policy(const ProxySettings& s, Vocabulary words) {
  return {
#define TLS_BACKEND(type, member, value, ...) .member = value,
#include "config/policy/backend.def"
#undef TLS_BACKEND
  };
}

std::vector<std::uint8_t> encode(const ProxyPolicy& policy) {
  Encoder out;
#define TLS_BACKEND(type, member, ...) out.named(#member, policy.member);
#include "config/policy/backend.def"
#undef TLS_BACKEND
  return std::move(out).bytes();
}

}  // namespace tls::config
