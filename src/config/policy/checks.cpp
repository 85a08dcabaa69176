// SPDX-License-Identifier: Apache-2.0
#include "config/policy/checks.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "config/ciphers/suites.hpp"
#include "config/policy/client_checks.hpp"
#include "config/policy/findings.hpp"
#include "config/policy/groups.hpp"
#include "config/words.hpp"

namespace tls::config {
namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

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
  const bool spoken13 = p.versions.tls13 && has_suite(p, true);
  if (p.needs_post_quantum && !spoken13) {
    out.add(Severity::Error, s.post_quantum.where(), host,
            std::string("nobody could connect: post-quantum groups are TLS 1.3's, and that is off here; allow TLSv1.3 "
                        "and a cipher suite of it, or write ") +
                (ssl ? "SSLPostQuantum prefer" : "TLSPostQuantum prefer"));
    return;
  }
  if (!spoken13 && std::ranges::all_of(groups, is_post_quantum)) {
    out.add(Severity::Error, s.groups.where(), host,
            std::string("nobody could connect: all groups of this list are post-quantum ones, which are TLS 1.3's, and "
                        "that is off here; allow TLSv1.3 and a cipher suite of it, or add X25519 to ") +
                (ssl ? "SSLOpenSSLConfCmd Groups" : "TLSGroups"));
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

bool is_on_port(const CheckedHost& host, std::uint16_t port) {
  return std::ranges::any_of(host.addresses, [port](const Listener& a) { return a.port == port; });
}

// A certificate where no TLS is spoken means that the wrong ports are listed, or that the switch was forgotten.
// `inherited` is the main server's.
void check_unused_certificate(Findings& out, const CheckedHost& host, const Source& inherited) {
  if (!host.is_virtual || host.policy->enabled || !host.settings->certificates) return;
  if (host.settings->engine) return;  // switched off by its own words
  if (host.policy->words == Vocabulary::Ssl) {
    const Source where = host.settings->certificates.where();
    const bool own = where.file != inherited.file || where.line != inherited.line;
    // Of 443 there is a line of mod_ssl's. A file of words for both ports is included at 80 as well.
    if (host.ssl_directive == nullptr || !own || is_on_port(host, https_port) || is_on_port(host, http_port)) return;
    out.add(Severity::Warning, where, host,
            "has a certificate, but its SSLEngine is not on, so that it speaks plain HTTP; write \"SSLEngine on\" into "
            "it, or take the certificate out");
    return;
  }
  if (host.tls_directive == nullptr) return;
  out.add(
      Severity::Warning, host.settings->certificates.where(), host,
      "has a certificate, but none of its ports is listed by TLSEngine, so that it speaks no TLS; write \"TLSEngine "
      "on\" into it, or list its port");
}

void check_ports(Findings& out, const CheckedHost& host) {
  if (host.policy->words != Vocabulary::Ssl || !host.is_virtual) return;
  if (host.policy->enabled && is_on_port(host, http_port)) {
    out.add(Severity::Warning, host.defined, host, "You configured HTTPS(443) on the standard HTTP(80) port!");
  }
  if (!host.policy->enabled && is_on_port(host, https_port)) {
    out.add(Severity::Warning, host.defined, host, "You configured HTTP(80) on the standard HTTPS(443) port!");
  }
}

// httpd gives a connection to the first virtual host of its address before anything is read, so that this one's word
// counts for all of them.
class FirstHosts {
 public:
  // Whether something was said.
  bool check(Findings& out, const CheckedHost& host) {
    for (const Listener& address : host.addresses) {
      const auto [first, added] = hosts_.try_emplace(text_of(address), &host);
      if (added) continue;
      const CheckedHost& other = *first->second;
      const bool spoken = other.policy->engine.on_at(address);
      if (spoken == host.policy->engine.on_at(address)) continue;
      if (!spoken) {
        out.add(Severity::Warning, host.defined, host,
                "speaks TLS, but is never reached by it: connections to its address are those of the first virtual "
                "host there, " +
                    place_of(other) +
                    ", which speaks plain HTTP; turn TLS on in that one, or give one of "
                    "them another address or port");
        return true;
      }
      if (host.settings->engine || address.port == https_port) return false;  // of 443 there is a line of mod_ssl's
      const bool ssl = host.policy->words == Vocabulary::Ssl;
      out.add(Severity::Warning, host.defined, host,
              "has no TLS of its own: connections to its address are those of the first virtual host there, " +
                  place_of(other) + ", which speaks TLS with its own certificate and settings; write \"" +
                  (ssl ? "SSLEngine" : "TLSEngine") +
                  " on\" into this one too and name a certificate, or give it another address or port");
      return true;
    }
    return false;
  }

 private:
  static std::string place_of(const CheckedHost& host) {
    if (host.defined.file == nullptr) return host.name;
    return host.name + " (" + host.defined.text() + ")";
  }

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
      const Source& there = first->host->defined;
      if (there.file != nullptr && there.text() == host.defined.text() &&
          first->host->server_name == host.server_name) {
        out.add(Severity::Warning, host.defined, host,
                "is read twice from this line, and the first of both gets all requests; take out one Include of the "
                "file, or one Use of the macro");
        break;
      }
      const std::string place = text_of(address) + " (" + there.text() + "), which gets all its requests; ";
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
  const ClientRules clients(hosts);
  const Source inherited =
      hosts.empty() || hosts.front().is_virtual ? Source{} : hosts.front().settings->certificates.where();
  for (const CheckedHost& host : hosts) {
    check_vocabulary(out, host);
    const bool told = first.check(out, host);
    names.check(out, host);
    if (!told) check_unused_certificate(out, host, inherited);
    check_ports(out, host);
    check_listening(out, host, listening);
    check_reached(out, host, listening);
    if (!host.policy->enabled) continue;
    check_negotiation(out, host);
    check_groups(out, host);
    clients.check(out, host);
  }
  return std::move(out).take();
}

}  // namespace tls::config
