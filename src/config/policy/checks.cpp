// SPDX-License-Identifier: Apache-2.0
#include "config/policy/checks.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>

#include "config/ciphers/signatures.hpp"
#include "config/ciphers/suites.hpp"
#include "config/policy/groups.hpp"
#include "config/words.hpp"

namespace tls::config {
namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

// Collects problems; the same sentence about the same line is said once.
class Findings {
 public:
  void add(Severity severity, Source where, const CheckedHost& host, std::string text) {
    const std::string line = (where.file == nullptr ? "" : where.file) + std::string(":") + std::to_string(where.line);
    if (said_.insert(line + text).second) problems_.push_back({severity, where, host.name, std::move(text)});
  }
  std::vector<PolicyProblem> take() && { return std::move(problems_); }

 private:
  std::set<std::string> said_;
  std::vector<PolicyProblem> problems_;
};

// The first of some places that was written at all.
Source first_of(std::initializer_list<Source> places, Source otherwise) {
  const auto* found = std::ranges::find_if(places, [](const Source& s) { return s.file != nullptr; });
  return found == places.end() ? otherwise : *found;
}

void check_vocabulary(Findings& out, const CheckedHost& host) {
  if (!host.is_virtual || host.tls_directive == nullptr || host.ssl_directive == nullptr) return;
  out.add(Severity::Error, host.ssl_written, host,
          std::string(host.ssl_directive) + " stands in a virtual host that also has " + host.tls_directive +
              "; use either the TLS* or the SSL* words in one virtual host");
}

bool has_suite(const Negotiated& p, bool tls13) {
  return std::ranges::any_of(
      p.suites, [=](std::uint16_t n) { return (suite(n)->first_version == FirstVersion::Tls13) == tls13; });
}

void check_negotiation(Findings& out, const CheckedHost& host) {
  const ServerSettings& s = *host.settings;
  const Negotiated& p = host.policy->negotiated;
  const Source versions = first_of({s.min_version.where(), s.max_version.where(), s.versions.where()}, host.defined);
  if (!p.versions.tls12 && !p.versions.tls13) {
    out.add(Severity::Error, versions, host, "no protocol version is left; allow TLSv1.2 or TLSv1.3");
    return;
  }
  const bool left12 = p.versions.tls12 && has_suite(p, false);
  const bool left13 = p.versions.tls13 && has_suite(p, true);
  const Source suites = first_of({s.suites_suppressed.where(), s.suites12.where(), s.suites13.where()}, host.defined);
  if (!left12 && !left13) {
    out.add(Severity::Error, suites, host,
            "no cipher suite is left for any protocol version; allow one of the nine there are");
  } else if (p.versions.tls12 && !left12) {
    out.add(
        Severity::Warning, suites, host,
        "no cipher suite is left for TLSv1.2, so that it is never spoken; allow one, or write TLSProtocol TLSv1.3+");
  } else if (p.versions.tls13 && !left13) {
    out.add(Severity::Warning, suites, host,
            "no cipher suite is left for TLSv1.3, so that it is never spoken; allow one");
  }
}

// Lists that generators of configurations wrote before there were post-quantum groups are copied from server to server.
void check_groups(Findings& out, const CheckedHost& host) {
  const ServerSettings& s = *host.settings;
  const GroupList& groups = host.policy->negotiated.groups;
  const bool ssl = host.policy->words == Vocabulary::Ssl;
  if (groups.empty()) {
    out.add(
        Severity::Error, first_of({s.post_quantum.where(), s.groups.where()}, host.defined), host,
        std::string("no group is left for key exchange: the list has none but post-quantum ones, and those are off; "
                    "add X25519 to ") +
            (ssl ? "SSLOpenSSLConfCmd Groups" : "TLSGroups"));
    return;
  }
  const Negotiated& p = host.policy->negotiated;
  if (p.needs_post_quantum && !(p.versions.tls13 && has_suite(p, true))) {
    out.add(Severity::Error, s.post_quantum.where(), host,
            std::string("nobody could connect: post-quantum groups are TLS 1.3's, and that is off here; allow TLSv1.3 "
                        "and a cipher suite of it, or write ") +
                (ssl ? "SSLPostQuantum prefer" : "TLSPostQuantum prefer"));
    return;
  }
  if (!s.groups || s.post_quantum || !host.policy->negotiated.versions.tls13 || has_post_quantum(groups)) return;
  const std::string word = ssl ? "SSL" : "TLS";
  out.add(Severity::Notice, s.groups.where(), host,
          "this list of groups turns post-quantum key exchange off: what is recorded today can be read once there is a "
          "quantum computer. Write \"" +
              std::string(ssl ? "SSLOpenSSLConfCmd Groups" : "TLSGroups") + " X25519MLKEM768:" + group_names(groups) +
              "\" instead, or \"" + word + "PostQuantum prefer\" beside it; \"" + word +
              "PostQuantum off\" says that it is meant");
}

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
        places_.emplace(text(place.file), place.line);
      }
    }
  }
  [[nodiscard]] bool has(const Source& place) const { return places_.contains({text(place.file), place.line}); }

 private:
  static std::string_view text(const char* file) { return file != nullptr ? file : ""; }

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
  const bool lists = c.list_fetch.on || !c.crl_file.empty() || !c.crl_path.empty();
  if (c.crl_check.depth != RevocationCheck::Depth::None && !lists) {
    out.add(Severity::Error, first_of({s.crl_check.where()}, host.defined), host,
            ssl ? "CRL checking has been enabled, but neither SSLCARevocationFile nor SSLCARevocationPath is configured"
                : "revocation lists are to be looked up, but none is named; name one with TLSClientCRL");
  }
}

// TLSClientCertHeader where no client is known. What many virtual hosts inherit need not say something in each.
class TellingWords {
 public:
  explicit TellingWords(std::span<const CheckedHost> hosts) {
    for (const CheckedHost& host : hosts) {
      if (host.policy->enabled && knows_clients(host)) add(host.tells);
    }
  }
  void check(Findings& out, const CheckedHost& host) const {
    const bool ssl = host.policy->words == Vocabulary::Ssl;
    for (const Source& place : host.tells) {
      if (of_use_.contains({text(place.file), place.line})) continue;
      out.add(Severity::Warning, place, host,
              std::string("backends are to be told of clients' certificates, but nobody is asked for one, and no proxy "
                          "is trusted to tell of them; write \"") +
                  (ssl ? "SSLVerifyClient" : "TLSClientCertificate") +
                  " optional\" and name authorities, or leave this line out");
    }
  }

 private:
  static bool knows_clients(const CheckedHost& host) {
    const ClientAuthPolicy& c = host.policy->client;
    return c.verify != VerifyClient::None || host.sections_ask || !c.trusted_proxies.empty();
  }
  static std::string_view text(const char* file) { return file != nullptr ? file : ""; }
  void add(std::span<const Source> places) {
    for (const Source& place : places) of_use_.emplace(text(place.file), place.line);
  }

  std::set<std::pair<std::string_view, unsigned>> of_use_;
};

// A certificate where no TLS is spoken means that the wrong ports are listed, or that the switch was forgotten.
void check_unused_certificate(Findings& out, const CheckedHost& host) {
  const bool own = host.tls_directive != nullptr && host.settings->certificates;
  if (!host.is_virtual || host.policy->enabled || !own || host.policy->words != Vocabulary::Tls) return;
  if (host.settings->engine) return;  // switched off by its own words
  out.add(
      Severity::Warning, host.settings->certificates.where(), host,
      "has a certificate, but none of its ports is listed by TLSEngine, so that it speaks no TLS; write \"TLSEngine "
      "on\" into it, or list its port");
}

void check_ports(Findings& out, const CheckedHost& host) {
  if (host.policy->words != Vocabulary::Ssl || !host.is_virtual) return;
  const auto on_port = [&host](std::uint16_t port) {
    return std::ranges::any_of(host.addresses, [port](const Listener& a) { return a.port == port; });
  };
  if (host.policy->enabled && on_port(http_port)) {
    out.add(Severity::Warning, host.defined, host, "You configured HTTPS(443) on the standard HTTP(80) port!");
  }
  if (!host.policy->enabled && on_port(https_port)) {
    out.add(Severity::Warning, host.defined, host, "You configured HTTP(80) on the standard HTTPS(443) port!");
  }
}

// httpd gives a connection to the first virtual host of its address before anything is read, so that this one's word
// counts for all of them.
class FirstHosts {
 public:
  void check(Findings& out, const CheckedHost& host) {
    for (const Listener& address : host.addresses) {
      const auto [first, added] = hosts_.try_emplace(text_of(address), &host);
      if (added || first->second->policy->engine.on_at(address) || !host.policy->engine.on_at(address)) continue;
      const CheckedHost& other = *first->second;
      const std::string place = other.defined.file == nullptr ? "" : " (" + other.defined.text() + ")";
      out.add(Severity::Warning, host.defined, host,
              "speaks TLS, but is never reached by it: connections to its address are those of the first virtual host "
              "there, " +
                  other.name + place +
                  ", which speaks plain HTTP; turn TLS on in that one, or give one of "
                  "them another address or port");
      return;
    }
  }

 private:
  std::unordered_map<std::string, const CheckedHost*> hosts_;
};

// Of two virtual hosts of one address and one name httpd asks the first alone, whether the name is its ServerName or an
// alias.
class Names {
 public:
  void check(Findings& out, const CheckedHost& host) {
    if (!host.policy->enabled || host.server_name.empty()) return;
    const std::string name = lower(host.server_name);
    for (const Listener& address : host.addresses) {
      const std::string at = text_of(address) + "/";
      const Known* const first = find(at, name);
      if (first == nullptr) continue;
      const std::string place =
          text_of(address) + " (" + first->host->defined.text() + "), which gets all its requests; ";
      out.add(Severity::Warning, host.defined, host,
              first->alias.empty() ? "has the ServerName of a virtual host before it at " + place +
                                         "give it another ServerName, or make one of the two"
                                   : "has a ServerName that is covered by ServerAlias " + first->alias +
                                         " of a virtual host before it at " + place +
                                         "move it before that one, or take the alias out there");
      break;
    }
    for (const Listener& address : host.addresses) {
      const std::string at = text_of(address) + "/";
      hosts_.try_emplace(at + name, Known{&host, {}});
      for (const std::string& alias : host.aliases) hosts_.try_emplace(at + lower(alias), Known{&host, alias});
    }
  }

 private:
  struct Known {
    const CheckedHost* host;
    std::string alias;  // nothing: the ServerName
  };

  // Of patterns those are looked for that are usual, such as *.example.com.
  const Known* find(const std::string& at, const std::string& name) const {
    if (const auto found = hosts_.find(at + name); found != hosts_.end()) return &found->second;
    for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
      if (const auto found = hosts_.find(at + "*" + name.substr(dot)); found != hosts_.end()) return &found->second;
    }
    return nullptr;
  }

  std::unordered_map<std::string, Known> hosts_;
};

// A virtual host that nobody can reach.
void check_reached(Findings& out, const CheckedHost& host, std::span<const Listener> listening) {
  if (!host.is_virtual || !host.policy->enabled || listening.empty() || host.addresses.empty()) return;
  const auto reached = [listening](const Listener& at) { return at.port == 0 || overlaps(listening, at); };
  if (std::ranges::any_of(host.addresses, reached)) return;
  const Listener& first = host.addresses.front();
  const std::string place = first.address.is_any() ? std::to_string(first.port) : text_of(first);
  out.add(Severity::Warning, host.defined, host,
          "speaks TLS, but httpd listens at none of its addresses; add \"Listen " + place + "\"");
}

void check_listening(Findings& out, const CheckedHost& host, std::span<const Listener> listening) {
  if (!host.settings->listeners || listening.empty()) return;
  for (const Listener& wanted : *host.settings->listeners) {
    if (overlaps(listening, wanted)) continue;
    const std::string place = wanted.address.is_any() ? std::to_string(wanted.port) : text_of(wanted);
    std::string text = "TLSEngine lists ";
    text.append(place).append(", but httpd does not listen there; add \"Listen ").append(place).append("\"");
    out.add(Severity::Warning, host.settings->listeners.where(), host, text);
  }
}

}  // namespace

std::vector<PolicyProblem> check_hosts(std::span<const CheckedHost> hosts, std::span<const Listener> listening) {
  Findings out;
  FirstHosts first;
  Names names;
  const LinesOfUse of_use(hosts);
  const TellingWords telling(hosts);
  for (const CheckedHost& host : hosts) {
    check_vocabulary(out, host);
    first.check(out, host);
    names.check(out, host);
    check_unused_certificate(out, host);
    check_ports(out, host);
    check_listening(out, host, listening);
    check_reached(out, host, listening);
    if (!host.policy->enabled) continue;
    check_negotiation(out, host);
    check_groups(out, host);
    check_clients(out, host, of_use);
    telling.check(out, host);
  }
  return std::move(out).take();
}

}  // namespace tls::config
