// SPDX-License-Identifier: Apache-2.0
#include "server/checks.hpp"

#include <ap_listen.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "apr/mpm.hpp"
#include "config/policy/checks.hpp"
#include "config/words.hpp"
#include "log/log.hpp"
#include "server/host_label.hpp"
#include "server/module_config.hpp"
#include "server/policies.hpp"
#include "server/sections.hpp"
#include "server/written_checks.hpp"

namespace tls::server {
namespace {

using config::CheckedHost;
using config::PolicyProblem;
using config::Severity;

CheckedHost checked(const server_rec* s) {
  CheckedHost host;
  host.name = host_label(s);
  host.defined = {s->defn_name, s->defn_line_number};
  host.is_virtual = s->is_virtual != 0;
  host.policy = &effective(s);
  host.addresses = addresses_of(s);
  if (s->server_hostname != nullptr) host.server_name = s->server_hostname;
  for (const apr_array_header_t* names : {s->names, s->wild_names}) {
    for (int i = 0; names != nullptr && i < names->nelts; ++i) {
      const char* const alias = reinterpret_cast<const char* const*>(names->elts)[i];
      if (alias != nullptr) host.aliases.emplace_back(alias);
    }
  }
  const auto sections = client_sections(s);
  host.sections_ask = std::ranges::any_of(sections, [](const ClientSection& section) {
    return section.verify && *section.verify != config::VerifyClient::None;
  });
  visit_sections(s, [&host](const config::DirectorySettings& section, const std::string& /*name*/) {
    const auto& word = section.client_cert_header;
    if (word && *word != config::ClientCertHeader::Off) host.tells.push_back(word.where());
    const bool of_client = section.user_name && config::starts_with_word(*section.user_name, "SSL_CLIENT_");
    if (of_client) host.names_users.push_back(section.user_name.where());
    const auto& options = section.options;
    if (options && options->has(config::Option::FakeBasicAuth)) host.names_users.push_back(options.where());
  });
  if (is_loaded(tls_module)) {
    const ServerScope& scope = scope_of(s, tls_module);
    host.tls_directive = scope.first_directive;
    host.tls_written = scope.first_written;
    host.settings = &scope.settings;
  }
  if (is_loaded(ssl_module)) {
    const ServerScope& scope = scope_of(s, ssl_module);
    host.ssl_directive = scope.first_directive;
    host.ssl_written = scope.first_written;
    if (host.policy->words == config::Vocabulary::Ssl) host.settings = &scope.settings;
  }
  return host;
}

std::vector<config::Listener> listening() {
  std::vector<config::Listener> all;
  for (const ap_listen_rec* l = ap_listeners; l != nullptr; l = l->next) all.push_back(listener_of(l->bind_addr));
  return all;
}

void log_problem(server_rec* s, const PolicyProblem& p) {
  const char* file = p.where.file == nullptr ? "configuration" : p.where.file;
  const auto line = static_cast<int>(p.where.line);
  if (p.severity == Severity::Error) {
    TLS_LOG_S(s, CheckError, p.host.c_str(), p.text.c_str(), file, line);
  } else if (p.severity == Severity::Notice) {
    TLS_LOG_S(s, CheckNotice, p.host.c_str(), p.text.c_str(), file, line);
  } else {
    TLS_LOG_S(s, CheckWarning, p.host.c_str(), p.text.c_str(), file, line);
  }
}

// Files for client certificates where none are asked for: nobody reads them, but a name that leads nowhere is a mistake
// all the same, and mod_ssl stops for it. Each file is looked at once.
void check_idle_files(std::span<const CheckedHost> hosts, std::vector<PolicyProblem>& problems) {
  std::set<std::string> seen;
  const auto check = [&](const CheckedHost& host, const config::Setting<config::PathAt>& setting) {
    if (!setting || !seen.insert(setting->path).second || ::access(setting->path.c_str(), R_OK) == 0) return;
    problems.push_back({Severity::Error, setting.where(), host.name,
                        setting->path + " cannot be read: " + std::strerror(errno) + "; check the path"});
  };
  for (const CheckedHost& host : hosts) {
    if (!host.policy->enabled || host.settings == nullptr) continue;
    if (host.policy->client.verify != config::VerifyClient::None) continue;  // the verifier's loader says it
    const config::ServerSettings& s = *host.settings;
    for (const auto* setting : {&s.ca_file, &s.ca_path, &s.ca_names_file, &s.ca_names_path, &s.crl_file, &s.crl_path,
                                &s.ocsp_responder_file}) {
      check(host, *setting);
    }
  }
}

// Who gives pass phrases is asked only once a key is encrypted, which may be years later.
void check_dialogs(std::span<const CheckedHost> hosts, std::vector<PolicyProblem>& problems) {
  std::set<std::string> seen;
  for (const CheckedHost& host : hosts) {
    if (!host.policy->enabled || host.settings == nullptr) continue;
    const config::PassPhraseDialog& dialog = host.policy->pass_phrase_dialog;
    using Kind = config::PassPhraseDialog::Kind;
    if (dialog.kind == Kind::Builtin) continue;
    if (dialog.kind == Kind::File) {
      if (::access(dialog.command.c_str(), R_OK) == 0 || !seen.insert(dialog.command).second) continue;
      problems.push_back({Severity::Warning, host.settings->pass_phrase_dialog.where(), host.name,
                          "the file with the pass phrase, " + dialog.command + ", cannot be read: " +
                              std::strerror(errno) + "; encrypted keys need it, so correct its path"});
      continue;
    }
    const std::string program = dialog.command.substr(0, dialog.command.find(' '));
    if (::access(program.c_str(), X_OK) == 0 || !seen.insert(program).second) continue;
    problems.push_back({Severity::Warning, host.settings->pass_phrase_dialog.where(), host.name,
                        "the program for pass phrases, " + program + ", cannot be run: " + std::strerror(errno) +
                            "; encrypted keys need it, so correct its path, or make it executable (chmod 700)"});
  }
}

// httpd speaks HTTP/1.1 where Protocols names h2 and nobody speaks it, without a word.
void check_protocols(server_rec* main_server) {
  if (ap_find_linked_module("mod_http2.c") != nullptr) return;
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    const auto* core = static_cast<const core_server_config*>(ap_get_core_module_config(s->module_config));
    if (!effective(s).enabled || core->protocols == nullptr || ap_array_str_contains(core->protocols, "h2") == 0)
      continue;
    TLS_LOG_S(main_server, WithoutHttp2, host_label(s).c_str(), s->defn_name != nullptr ? s->defn_name : "",
              static_cast<int>(s->defn_line_number));
    return;
  }
}

}  // namespace

bool check_settings(server_rec* main_server) {
  std::vector<CheckedHost> hosts;
  for (const server_rec* s = main_server; s != nullptr; s = s->next) hosts.push_back(checked(s));
  std::reverse(hosts.begin() + 1, hosts.end());  // httpd has the last virtual host first (server/core.c)
  std::vector<PolicyProblem> problems = config::check_hosts(hosts, listening());
  check_idle_files(hosts, problems);
  check_dialogs(hosts, problems);
  check_written(main_server, problems);
  bool ok = true;
  for (const PolicyProblem& p : problems) ok = ok && p.severity != Severity::Error;
  if (ok && apr::is_first_reading()) return true;
  for (const PolicyProblem& p : problems) log_problem(main_server, p);
  check_protocols(main_server);
  return ok;
}

}  // namespace tls::server
