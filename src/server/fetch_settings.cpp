// SPDX-License-Identifier: Apache-2.0
#include "server/fetch_settings.hpp"

#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "apr/httpd.hpp"
#include "apr/to_rust.hpp"
#include "mod_tls_bridge/src/fetch/boundary.rs.h"
#include "server/managed.hpp"
#include "server/policies.hpp"
#include "server/responder_wait.hpp"

namespace tls::server {
namespace {

using config::StaplingPolicy;

rs::FetchRule rule_of(const StaplingPolicy& stapling) {
  rs::FetchRule rule{};
  rule.responder = apr::lossy(stapling.url);
  rule.always = !stapling.url.empty();
  rule.proxy = apr::lossy(stapling.proxy);
  rule.timeout_ms = responder_wait_ms(stapling.timeout_s);
  rule.nonce = false;  // responses are shared with clients, which have sent none
  rule.skew = stapling.skew_s;
  rule.max_age = stapling.max_age_s;
  rule.verify = true;
  return rule;
}

// Virtual hosts by the thousand have one rule.
class Rules final {
 public:
  explicit Rules(rs::FetchSettings& settings) : settings_(settings) {}

  std::uint32_t index(const StaplingPolicy& s) {
    const auto next = static_cast<std::uint32_t>(settings_.rules.size());
    const auto [known, added] = known_.try_emplace({s.url, s.proxy, s.timeout_s, s.skew_s, s.max_age_s}, next);
    if (added) settings_.rules.push_back(rule_of(s));
    return known->second;
  }

 private:
  using Key = std::tuple<std::string, std::string, std::uint32_t, std::uint32_t, std::int64_t>;
  rs::FetchSettings& settings_;
  std::map<Key, std::uint32_t> known_;
};

}  // namespace

void collect_settings(rs::FetchSettings& settings, const std::vector<server_rec*>& hosts, const Staplable& staplable,
                      const ClientVerifiers& clients) {
  Rules rules(settings);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const config::EffectivePolicy& policy = effective(hosts[i]);
    const ManagedCertificates* others = managed(hosts[i]);
    const bool placeholder = others != nullptr && others->fallback;
    if (!policy.stapling.on || placeholder || staplable.contains(hosts[i])) continue;
    rs::FetchStaple staple{};
    staple.host = static_cast<std::uint32_t>(i);
    staple.rule = rules.index(policy.stapling);
    staple.refresh = policy.stapling.life_s;
    staple.retry = policy.stapling.retry_s;
    settings.staples.push_back(staple);
  }
  for (rs::FetchRule& rule : clients.ocsp_rules()) settings.rules.push_back(std::move(rule));
}

}  // namespace tls::server
