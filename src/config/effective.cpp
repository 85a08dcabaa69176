#include "config/effective.hpp"

#include <algorithm>

#include "config/suites.hpp"

namespace tls::config {
namespace {

bool listed(const std::vector<std::uint16_t>& list, std::uint16_t number) {
  return std::ranges::find(list, number) != list.end();
}

// Preferred suites first, then the others in their default order, without those that are suppressed or of no version.
std::vector<std::uint16_t> order_suites(const ServerSettings& s, const Versions& versions) {
  static const SuiteList none;
  const SuiteList& first = s.suites_preferred ? *s.suites_preferred : none;
  const SuiteList& never = s.suites_suppressed ? *s.suites_suppressed : none;
  std::vector<std::uint16_t> order;
  const auto add = [&](std::uint16_t number) {
    const bool is_13 = suite(number)->first_version == FirstVersion::Tls13;
    const bool usable = is_13 ? versions.tls13 : versions.tls12;
    if (usable && !listed(never, number) && !listed(order, number)) order.push_back(number);
  };
  std::ranges::for_each(first, add);
  std::ranges::for_each(supported_suites(), add);
  return order;
}

EngineRule engine_rule(const ServerSettings& s) {
  if (s.engine) return {*s.engine ? EngineRule::Mode::On : EngineRule::Mode::Off, nullptr};
  if (s.listeners) return {EngineRule::Mode::ByListener, s.listeners.get()};
  return {};
}

ResumptionPolicy resumption_policy(const ServerSettings& s) {
  ResumptionPolicy policy;
  policy.tickets = s.tickets->on.value_or(true);
  policy.ticket_count = *s.ticket_count;
  policy.lifetime = *s.session_lifetime;
  policy.secret = s.tickets->secret;
  policy.secret_interval_s = s.tickets->interval_s;
  policy.cache = *s.session_cache;
  return policy;
}

}  // namespace

EffectivePolicy effective_policy(const ServerSettings& complete, Vocabulary words,
                                 std::span<const Listener> addresses) {
  EffectivePolicy policy;
  policy.words = words;
  policy.engine = engine_rule(complete);
  policy.enabled = policy.engine.mode == EngineRule::Mode::On;
  if (policy.engine.mode == EngineRule::Mode::ByListener) {
    policy.enabled = addresses.empty() || std::ranges::any_of(addresses, [&](const Listener& address) {
                       return overlaps(*policy.engine.listeners, address);
                     });
  }
  policy.protocol.tls12 = complete.versions->tls12;
  policy.protocol.tls13 = complete.versions->tls13;
  policy.protocol.suites = order_suites(complete, *complete.versions);
  policy.protocol.groups = *complete.groups;
  policy.protocol.honor_client_order = *complete.honor_client_order;
  policy.resumption = resumption_policy(complete);
  policy.strict_sni = *complete.strict_sni;
  policy.handshake_timeout_s = *complete.handshake_timeout_s;
  if (complete.certificates) policy.certificates = *complete.certificates;
  return policy;
}

std::vector<std::uint8_t> encode_policy(const EffectivePolicy& policy) {
  std::vector<std::uint8_t> out;
  const auto put16 = [&out](std::size_t v) {
    out.push_back(static_cast<std::uint8_t>(v >> 8U));
    out.push_back(static_cast<std::uint8_t>(v));
  };
  const auto put_list = [&](const std::vector<std::uint16_t>& list) {
    put16(list.size());
    for (const auto v : list) put16(v);
  };
  const ProtocolPolicy& p = policy.protocol;
  out.push_back(static_cast<std::uint8_t>((p.tls12 ? 1 : 0) | (p.tls13 ? 2 : 0) | (p.honor_client_order ? 4 : 0)));
  put_list(p.suites);
  put_list(p.groups);
  const ResumptionPolicy& r = policy.resumption;
  out.push_back(r.tickets ? 1 : 0);
  out.push_back(static_cast<std::uint8_t>(r.ticket_count));
  for (const std::uint32_t lifetime : {r.lifetime.tls13_s, r.lifetime.tls12_s}) {
    put16(lifetime >> 16U);
    put16(lifetime & 0xFFFFU);
  }
  return out;
}

}  // namespace tls::config
