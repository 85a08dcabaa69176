// SPDX-License-Identifier: Apache-2.0
#include "server/written_checks.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apr/pool.hpp"
#include "config/words.hpp"
#include "server/host_label.hpp"
#include "server/policies.hpp"
#include "server/proxy_policies.hpp"
#include "server/sections.hpp"
#include "server/written.hpp"

namespace tls::server {
namespace {

using config::PolicyProblem;
using config::same_word;
using config::Severity;

std::vector<std::string> words_of(const ap_directive_t& directive) {
  const apr::TemporaryPool scratch;
  std::vector<std::string> words;
  for (const char* rest = directive.args; rest != nullptr && *rest != '\0';) {
    words.emplace_back(ap_getword_conf(scratch.get(), &rest));
  }
  return words;
}

bool names_tls(std::string_view url) {
  return std::ranges::any_of(std::array{"https://", "wss://", "h2://"},
                             [url](const char* scheme) { return config::starts_with_word(url, scheme); });
}

// Plain HTTP at the port of HTTPS.
bool names_wrong_port(std::string_view url) {
  if (!config::starts_with_word(url, "http://")) return false;
  url.remove_prefix(std::string_view("http://").size());
  return url.substr(0, url.find('/')).ends_with(":443");
}

// [P], [proxy] and their like among others.
bool proxies(std::string_view flags) {
  const auto all = config::split(flags, "[], ");
  return std::ranges::any_of(all,
                             [](std::string_view flag) { return same_word(flag, "P") || same_word(flag, "proxy"); });
}

// The backend that a line sends requests to, if `wanted` says so of it; empty: none.
std::string backend_of(const ap_directive_t& directive, bool (*wanted)(std::string_view url)) {
  const bool rewrites = same_word(directive.directive, "RewriteRule");
  constexpr std::array forwarding = {"ProxyPass", "ProxyPassMatch", "BalancerMember"};
  const bool handles = same_word(directive.directive, "SetHandler");
  const bool forwards =
      std::ranges::any_of(forwarding, [&](const char* name) { return same_word(directive.directive, name); });
  if (!rewrites && !forwards && !handles) return {};
  auto words = words_of(directive);
  constexpr std::string_view handler = "proxy:";
  if (handles) {
    std::erase_if(words, [&](const std::string& word) { return !config::starts_with_word(word, handler); });
    for (std::string& word : words) word.erase(0, handler.size());
  }
  if (rewrites && (words.size() < 3 || !proxies(words[2]))) return {};
  const auto found = std::ranges::find_if(words, wanted);
  return found == words.end() ? std::string() : *found;
}

// Each line with the virtual host in which it stands.
using Lines = std::vector<std::pair<const ap_directive_t*, const server_rec*>>;

PolicyProblem problem(Severity severity, const ap_directive_t& d, const server_rec* s, std::string text) {
  return {severity, {d.filename, static_cast<unsigned>(d.line_num)}, host_label(s), std::move(text)};
}

// mod_proxy answers 500 to each request. What stands outside of virtual hosts is inherited, so that it counts whether
// any server of all has TLS to backends.
void check_backends(const Lines& lines, const server_rec* main_server, std::vector<PolicyProblem>& problems) {
  if (others_speak_tls()) return;
  bool anywhere = false;
  for (const server_rec* s = main_server; s != nullptr; s = s->next) anywhere = anywhere || has_tls_to_backends(s);
  for (const auto& [line, s] : lines) {
    const ap_directive_t& d = *line;
    const std::string backend = backend_of(d, names_tls);
    if (backend.empty() || (s->is_virtual != 0 ? has_tls_to_backends(s) : anywhere)) continue;
    const char* const word = effective(s).words == config::Vocabulary::Ssl ? "SSLProxyEngine" : "TLSProxyEngine";
    problems.push_back(
        problem(Severity::Warning, d, s,
                std::string(d.directive) + " names " + backend +
                    ", but TLS to backends is off here, so that its requests are answered 500; write \"" + word +
                    " on\" beside it"));
  }
}

void check_ports(const Lines& lines, std::vector<PolicyProblem>& problems) {
  for (const auto& [line, s] : lines) {
    const ap_directive_t& d = *line;
    const std::string backend = backend_of(d, names_wrong_port);
    if (backend.empty()) continue;
    problems.push_back(problem(Severity::Warning, d, s,
                               std::string(d.directive) + " sends plain HTTP to " + backend +
                                   ", the port of HTTPS; write https:// there, or the port of HTTP"));
  }
}

// Rules about clients that nobody asks for a certificate.
void check_required_clients(const Lines& lines, std::vector<PolicyProblem>& problems) {
  const auto asks = [](const server_rec* s) {
    const auto sections = client_sections(s);
    return effective(s).client.verify != config::VerifyClient::None || !effective(s).client.trusted_proxies.empty() ||
           std::ranges::any_of(sections, [](const ClientSection& section) {
             return section.verify && *section.verify != config::VerifyClient::None;
           });
  };
  for (const auto& [line, s] : lines) {
    const ap_directive_t& d = *line;
    if (s->is_virtual == 0 || !effective(s).enabled || !same_word(d.directive, "Require")) continue;
    const auto words = words_of(d);
    if (words.empty() || !same_word(words[0], "ssl-verify-client") || asks(s)) continue;
    const bool ssl = effective(s).words == config::Vocabulary::Ssl;
    problems.push_back(problem(Severity::Warning, d, s,
                               std::string("Require ssl-verify-client lets nobody in, since nobody is asked for a "
                                           "certificate; write \"") +
                                   (ssl ? "SSLVerifyClient" : "TLSClientCertificate") +
                                   " optional\" and name authorities"));
  }
}

// Both modules would read the same octets.
void check_both_modules(const Lines& lines, std::vector<PolicyProblem>& problems) {
  if (ap_find_linked_module("mod_ssl.c") == nullptr || is_loaded(ssl_module)) return;
  for (const auto& [line, s] : lines) {
    const ap_directive_t& d = *line;
    if (s->is_virtual == 0 || !same_word(d.directive, "SSLEngine") || words_of(d) != std::vector<std::string>{"on"}) {
      continue;
    }
    for (const config::Listener& address : addresses_of(s)) {
      if (!effective(s).engine.on_at(address)) continue;
      problems.push_back(
          problem(Severity::Error, d, s,
                  "SSLEngine turns TLS on by mod_ssl where TLSEngine turns it on by this module, so that "
                  "nobody could connect; leave this line out, or take the port out of TLSEngine"));
      break;
    }
  }
}

}  // namespace

bool others_speak_tls() {
  const module_struct* const mod_ssl = ap_find_linked_module("mod_ssl.c");
  if (mod_ssl != nullptr && !is_loaded(ssl_module)) return true;
  return ap_find_linked_module("mod_gnutls.c") != nullptr || ap_find_linked_module("mod_nss.c") != nullptr;
}

void check_written(server_rec* main_server, std::vector<PolicyProblem>& problems) {
  Lines lines;
  visit_directives(main_server, [&lines](const ap_directive_t& d, const server_rec* s) { lines.emplace_back(&d, s); });
  check_backends(lines, main_server, problems);
  check_ports(lines, problems);
  check_required_clients(lines, problems);
  check_both_modules(lines, problems);
}

}  // namespace tls::server
