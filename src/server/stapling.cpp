// SPDX-License-Identifier: Apache-2.0
#include "server/stapling.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "apr/hook.hpp"
#include "apr/mpm.hpp"
#include "log/log.hpp"
#include "server/agent.hpp"
#include "server/engine.hpp"
#include "server/managed.hpp"
#include "server/policies.hpp"

namespace tls::server {
namespace {

// What is said once for all: certificates that name no responder are many since authorities have ended OCSP.
struct Nameless {
  const server_rec* first = nullptr;
  std::string names;
  unsigned more = 0;
};

// What mod_ssl's configurations say in so many words is worth an answer; our own words have it on by default.
void explain(const server_rec* s, const rs::StapleFacts& facts, Nameless& nameless) {
  const std::string names(facts.names);
  const config::EffectivePolicy& policy = effective(s);
  const bool named = facts.responder || !policy.stapling.url.empty();
  if (policy.stapling.on && named && !facts.pem.empty() && !apr::is_one_process()) return;  // it is fetched
  if (facts.must) {
    TLS_LOG_S(s, StapleMissing, names.c_str());
  } else if (policy.words == config::Vocabulary::Ssl && policy.stapling.on) {
    if (named) {
      TLS_LOG_S(s, StapleNone, names.c_str());
    } else if (nameless.first == nullptr) {
      nameless = {s, names, 0};
    } else {
      ++nameless.more;
    }
  }
}

void tell(const Nameless& nameless) {
  if (nameless.first == nullptr) return;
  const std::string more = nameless.more == 0 ? "" : " (as " + std::to_string(nameless.more) + " others)";
  TLS_LOG_S(nameless.first, StapleUnknown, nameless.names.c_str(), more.c_str());
}

// With mod_ssl's words what mod_md has goes out whatever SSLUseStapling says: MDStapling is its own switch.
bool wants_staples(const server_rec* s) {
  const config::EffectivePolicy& policy = effective(s);
  return policy.stapling.on || policy.words == config::Vocabulary::Ssl;
}

// The other module's business is to know the issuer, so there is nothing to offer without one.
bool prime(server_rec* s, apr_pool_t* pool, const rs::StapleFacts& facts) {
  const std::string pem(facts.pem);
  if (pem.empty()) return false;
  const auto* id = reinterpret_cast<const char*>(facts.id.data());
  return ap_ssl_ocsp_prime(s, pool, id, facts.id.size(), pem.c_str()) == APR_SUCCESS;
}

void take_response(const unsigned char* der, apr_size_t length, void* offer) {
  auto& response = static_cast<rs::StapleOffer*>(offer)->response;
  if (der != nullptr) std::copy(der, der + length, std::back_inserter(response));
}

}  // namespace

rust::Vec<rs::StapleOffer> offered_responses(conn_rec* c, const Host& host) {
  rust::Vec<rs::StapleOffer> offers;
  if (host.staplable == nullptr) return offers;
  for (const std::string& id : *host.staplable) {
    rs::StapleOffer offer;
    // httpd's functions take servers that are not const, and do not write to them.
    auto* const server = const_cast<server_rec*>(host.server);
    if (ap_ssl_ocsp_get_resp(server, c, id.data(), id.size(), apr::hook<take_response>, &offer) != APR_SUCCESS)
      offer.response.clear();
    std::copy(id.begin(), id.end(), std::back_inserter(offer.id));
    offers.push_back(std::move(offer));
  }
  return offers;
}

Staplable staplable_certificates(apr_pool_t* pool, const std::vector<server_rec*>& hosts,
                                 const rs::Credentials& credentials) {
  Staplable staplable;
  Nameless nameless;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const ManagedCertificates* others = managed(hosts[i]);
    if (!wants_staples(hosts[i]) || (others != nullptr && others->fallback)) continue;
    for (const rs::StapleFacts& facts : credentials.staple_facts(i)) {
      const bool taken = prime(hosts[i], pool, facts);
      if (taken) staplable[hosts[i]].emplace_back(facts.id.begin(), facts.id.end());
      if (!taken && !facts.stapled && !apr::is_first_reading()) explain(hosts[i], facts, nameless);
    }
  }
  tell(nameless);
  return staplable;
}

}  // namespace tls::server
