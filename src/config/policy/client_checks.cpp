// SPDX-License-Identifier: Apache-2.0
#include "config/policy/client_checks.hpp"

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "config/ciphers/signatures.hpp"

namespace tls::config {
namespace {

bool asks(const CheckedHost& host) { return host.policy->client.verify != VerifyClient::None || host.sections_ask; }

// Lines about clients that some virtual host goes by, since it asks for certificates: where others inherit them, they
// are not in vain.
class LinesOfUse {
 public:
  explicit LinesOfUse(std::span<const CheckedHost> hosts) {
    for (const CheckedHost& host : hosts) {
      if (!host.policy->enabled || !asks(host)) continue;
      const ServerSettings& s = *host.settings;
      for (const Source& place :
           {s.ca_file.where(), s.crl_file.where(), s.ocsp_check.where(), s.trusted_proxies.where()}) {
        places_.emplace(place.file_or_nothing(), place.line);
      }
    }
  }
  [[nodiscard]] bool has(const Source& place) const { return places_.contains({place.file_or_nothing(), place.line}); }

 private:
  std::set<std::pair<std::string_view, unsigned>> places_;
};

void check_clients(Findings& out, const CheckedHost& host, const LinesOfUse& of_use) {
  const ClientAuthPolicy& c = host.policy->client;
  const ServerSettings& s = *host.settings;
  const bool ssl = host.policy->words == Vocabulary::Ssl;
  const auto* const named = s.ca_file ? &s.ca_file : s.crl_file ? &s.crl_file : nullptr;
  if (!ssl && !asks(host) && named != nullptr && !of_use.has(named->where())) {
    out.add(Severity::Warning, named->where(), host,
            std::string(s.ca_file ? "authorities" : "revocation lists") +
                " of clients are named, but nobody is asked for a certificate; write \"TLSClientCertificate "
                "required\" or \"optional\", or leave this line out");
  }
  if (c.ocsp.check.depth != OcspCheck::Depth::None && !asks(host) && !of_use.has(s.ocsp_check.where())) {
    out.add(
        Severity::Warning, s.ocsp_check.where(), host,
        std::string("OCSP responders are to be asked about clients' certificates, but nobody is asked for one; write "
                    "\"") +
            (ssl ? "SSLVerifyClient require" : "TLSClientCertificate required") +
            "\" or \"optional\", or leave this line out");
  }
  if (s.trusted_proxies && !asks(host) && !of_use.has(s.trusted_proxies.where())) {
    out.add(
        Severity::Warning, s.trusted_proxies.where(), host,
        std::string("proxies are trusted to tell of clients' certificates, but nothing is asked of those; write \"") +
            (ssl ? "SSLVerifyClient" : "TLSClientCertificate") + " optional\" and name authorities");
  }
  if (c.verify != VerifyClient::None && host.policy->negotiated.versions.tls13 && !c.signatures.empty() &&
      !any_in_tls13(c.signatures)) {
    out.add(Severity::Warning, first_of({s.client_signatures.where(), s.signatures.where()}, host.defined), host,
            "no client that speaks TLSv1.3 can show a certificate, since none of the algorithms that clients may sign "
            "with exists there; add RSA-PSS+SHA256, ECDSA+SHA256 or both");
  }
  // mod_ssl looks up nothing either, and says as little.
  const auto& unread = s.crl_file ? s.crl_file : s.crl_path;
  if (ssl && asks(host) && unread && !s.crl_check) {
    out.add(Severity::Warning, unread.where(), host,
            "revocation lists are named, but nobody looks into them, so that clients pass whose certificates were "
            "revoked, as with mod_ssl; write \"SSLCARevocationCheck chain\" beside this line, or leave it out");
  }
  const bool lists = c.list_fetch.on || !c.crl_file.empty() || !c.crl_path.empty();
  if (c.crl_check.depth != RevocationCheck::Depth::None && !lists) {
    out.add(Severity::Error, first_of({s.crl_check.where()}, host.defined), host,
            ssl ? "CRL checking has been enabled, but neither SSLCARevocationFile nor SSLCARevocationPath is configured"
                : "revocation lists are to be looked up, but none is named; name one with TLSClientCRL");
  }
}

// Words about the client of a request where no client is known. What many virtual hosts inherit need not say something
// in each.
class IdleWords {
 public:
  IdleWords(std::span<const CheckedHost> hosts, std::vector<Source> CheckedHost::*words) : words_(words) {
    for (const CheckedHost& host : hosts) {
      if (host.policy->enabled && knows_clients(host)) add(host.*words);
    }
  }
  void check(Findings& out, const CheckedHost& host, const char* what) const {
    const bool ssl = host.policy->words == Vocabulary::Ssl;
    for (const Source& place : host.*words_) {
      if (of_use_.contains({place.file_or_nothing(), place.line})) continue;
      out.add(Severity::Warning, place, host,
              std::string(what) + ", but nobody is asked for one, and no proxy is trusted to tell of them; write \"" +
                  (ssl ? "SSLVerifyClient" : "TLSClientCertificate") +
                  " optional\" and name authorities, or leave this line out");
    }
  }

 private:
  static bool knows_clients(const CheckedHost& host) {
    const ClientAuthPolicy& c = host.policy->client;
    return c.verify != VerifyClient::None || host.sections_ask || !c.trusted_proxies.empty();
  }
  void add(std::span<const Source> places) {
    for (const Source& place : places) of_use_.emplace(place.file_or_nothing(), place.line);
  }

  std::vector<Source> CheckedHost::*words_;
  std::set<std::pair<std::string_view, unsigned>> of_use_;
};

}  // namespace

struct ClientRules::State {
  explicit State(std::span<const CheckedHost> hosts)
      : of_use(hosts), telling(hosts, &CheckedHost::tells), naming(hosts, &CheckedHost::names_users) {}

  LinesOfUse of_use;
  IdleWords telling;
  IdleWords naming;
};

ClientRules::ClientRules(std::span<const CheckedHost> hosts) : state_(std::make_unique<State>(hosts)) {}

ClientRules::~ClientRules() = default;

void ClientRules::check(Findings& out, const CheckedHost& host) const {
  check_clients(out, host, state_->of_use);
  state_->telling.check(out, host, "backends are to be told of clients' certificates");
  state_->naming.check(out, host, "users are to be named by clients' certificates");
}

}  // namespace tls::config
