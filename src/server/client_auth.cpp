// SPDX-License-Identifier: Apache-2.0
#include "server/client_auth.hpp"

#include <algorithm>
#include <utility>

#include "apr/hook.hpp"
#include "apr/mpm.hpp"
#include "apr/to_rust.hpp"
#include "config/policy/effective.hpp"
#include "log/log.hpp"
#include "server/host_label.hpp"
#include "server/module_config.hpp"
#include "server/policies.hpp"
#include "server/responder_wait.hpp"
#include "server/sections.hpp"

namespace tls::server {
namespace {

using config::ClientAuthPolicy;
using config::VerifyClient;

// The first modes of the bridge are those of VerifyClient.
rs::ClientMode mode_of(VerifyClient verify) { return static_cast<rs::ClientMode>(verify); }

void add(rust::Vec<rust::String>& list, const std::string& path) {
  const auto same = [&path](const rust::String& known) { return std::string_view(known.data(), known.size()) == path; };
  if (!path.empty() && std::none_of(list.begin(), list.end(), same)) list.push_back(apr::exact(path));
}

rs::VerifierSpec base_spec(const config::EffectivePolicy& host) {
  const ClientAuthPolicy& policy = host.client;
  rs::VerifierSpec spec{};
  // With mod_ssl's words an intermediate CA that is listed alone is nobody to trust, as with mod_ssl.
  spec.only_roots = host.words == config::Vocabulary::Ssl;
  spec.depth = policy.depth;
  add(spec.name_files, policy.names_file);
  add(spec.name_directories, policy.names_path);
  add(spec.list_files, policy.crl_file);
  add(spec.list_directories, policy.crl_path);
  spec.list_fetch = policy.list_fetch.on;
  spec.list_allow = policy.list_fetch.allow;
  for (const std::string& url : policy.list_fetch.urls) spec.list_urls.push_back(apr::lossy(url));
  spec.list_proxy = apr::lossy(policy.list_proxy);
  spec.lookup = static_cast<rs::Lookup>(policy.crl_check.depth);
  spec.missing_ok = policy.crl_check.no_crl_ok;
  const config::OcspPolicy& ocsp = policy.ocsp;
  spec.ocsp_lookup = static_cast<rs::Lookup>(ocsp.check.depth);
  spec.ocsp_none_ok = ocsp.check.no_responder_ok;
  spec.ocsp_soft = ocsp.check.soft;
  if (spec.ocsp_lookup == rs::Lookup::None) return spec;
  spec.ocsp.responder = apr::lossy(ocsp.responder);
  spec.ocsp.always = ocsp.override_named;
  spec.ocsp.proxy = apr::lossy(ocsp.proxy);
  spec.ocsp.timeout_ms = responder_wait_ms(ocsp.timeout_s);
  spec.ocsp.nonce = ocsp.nonce;
  spec.ocsp.skew = ocsp.skew_s;
  spec.ocsp.max_age = ocsp.max_age_s;
  spec.ocsp.verify = ocsp.verify;
  spec.responder_file = apr::exact(ocsp.responder_file);
  return spec;
}

// What the handshake asks for: the virtual host's own demand, by all CAs that it or a section of it knows. Where only
// sections demand something, whoever comes is let in, and the sections decide.
rs::VerifierSpec handshake_spec(const config::EffectivePolicy& host, const std::vector<ClientSection>& sections) {
  const ClientAuthPolicy& policy = host.client;
  rs::VerifierSpec spec = base_spec(host);
  spec.mode = mode_of(policy.verify);
  spec.signatures = apr::to_rust(policy.signatures);
  add(spec.authority_files, policy.ca_file);
  add(spec.authority_directories, policy.ca_path);
  for (const ClientSection& section : sections) {
    const VerifyClient asked = section.verify ? *section.verify : VerifyClient::None;
    if (asked != VerifyClient::None && spec.mode == rs::ClientMode::None) spec.mode = rs::ClientMode::Any;
    if (asked == VerifyClient::OptionalNoCa && spec.mode == rs::ClientMode::Any) {
      spec.mode = rs::ClientMode::AnyUnverified;  // some section is content with a certificate that nobody vouches for
    }
    if (section.depth) spec.depth = std::max(spec.depth, *section.depth);
    add(spec.authority_files, section.ca_file);
    add(spec.authority_directories, section.ca_path);
  }
  return spec;
}

std::string key_of(const rs::VerifierSpec& spec) {
  std::string key = std::to_string(static_cast<int>(spec.mode)) + '/' + std::to_string(spec.depth) + '/' +
                    std::to_string(static_cast<int>(spec.lookup)) + (spec.missing_ok ? "+" : "-") +
                    (spec.only_roots ? "r" : "");
  for (const auto* list : {&spec.authority_files, &spec.authority_directories, &spec.name_files, &spec.name_directories,
                           &spec.list_files, &spec.list_directories, &spec.list_urls}) {
    key += '\n';
    for (const rust::String& path : *list) key.append(path.data(), path.size()).append(1, '\0');
  }
  key += '\n';
  for (const std::uint16_t scheme : spec.signatures) key.append(std::to_string(scheme)).append(1, ':');
  const rs::FetchRule& ocsp = spec.ocsp;
  key += '\n' + std::to_string(static_cast<int>(spec.ocsp_lookup));
  for (const bool flag :
       {spec.list_fetch, spec.list_allow, spec.ocsp_none_ok, spec.ocsp_soft, ocsp.always, ocsp.nonce, ocsp.verify})
    key += flag ? '+' : '-';
  for (const std::int64_t number : {std::int64_t{ocsp.timeout_ms}, ocsp.skew, ocsp.max_age}) {
    key.append(std::to_string(number)).append(1, ':');
  }
  for (const rust::String* text : {&ocsp.responder, &ocsp.proxy, &spec.responder_file, &spec.list_proxy}) {
    key.append(text->data(), text->size()).append(1, '\0');
  }
  return key;
}

// The files and directories of CAs, for people.
std::string listed(const rs::VerifierSpec& spec) {
  std::string all;
  for (const auto* list : {&spec.authority_files, &spec.authority_directories}) {
    for (const rust::String& path : *list) all.append(all.empty() ? "" : ", ").append(path.data(), path.size());
  }
  return all;
}

}  // namespace

const rs::ClientVerifier* HostClientAuth::find(std::string_view ca_file, std::string_view ca_path) const {
  const auto found = std::ranges::find_if(
      authorities, [&](const Authorities& known) { return known.ca_file == ca_file && known.ca_path == ca_path; });
  return found == authorities.end() ? nullptr : found->verifier;
}

bool ClientVerifiers::changes(const config::Reload& reload) const {
  if (reload.interval_s != 0 && reload.authorities_too) return !verifiers_.empty();
  return std::ranges::any_of(verifiers_, [](const auto& known) { return known.second.has_lists; });
}

bool ClientVerifiers::foresee(const config::Reload& reload) const {
  if (reload.interval_s == 0 || !reload.authorities_too) return false;
  bool any = false;
  for (const auto& [key, loaded] : verifiers_) any = loaded.verifier->foresee() || any;
  return any;
}

bool ClientVerifiers::refresh(const config::Reload& reload) const {
  const bool all = reload.interval_s != 0 && reload.authorities_too;
  return apr::guarded(false, [this, all] {
    bool replaced = false;
    for (const auto& [key, loaded] : verifiers_) {
      if (!loaded.has_lists && !all) continue;
      const rs::ClientNews news = loaded.verifier->refresh(all);
      const std::string problem(news.problem);
      if (!problem.empty()) TLS_LOG_S(ap_server_conf, ClientListsKept, problem.c_str());
      if (news.renewed) TLS_LOG_S(ap_server_conf, ClientFilesRenewed, loaded.files.c_str());
      if (news.unfetched) TLS_LOG_S(ap_server_conf, ClientListsUnfetched, loaded.files.c_str());
      replaced = replaced || news.lists_replaced;
    }
    return replaced;
  });
}

ClientVerifiers::ClientVerifiers() : nobody_(rs::no_verifier()) { none_.handshake = &*nobody_; }

bool ClientVerifiers::load(const std::vector<server_rec*>& hosts, const PrintProblem& print) {
  print_ = print;
  bool ok = true;
  for (const server_rec* host : hosts) ok = load_host(host) && ok;
  if (print) return ok;
  for (const auto& [place, asking] : asking_) {
    TLS_LOG_S(asking.first, ClientsAskedBySections, place.first.c_str(), place.second, host_label(asking.first).c_str(),
              asking.hosts > 1 ? " and of others" : "");
  }
  return ok;
}

// The first line that names a file is told.
void ClientVerifiers::remember_places(const server_rec* host, const std::vector<ClientSection>& sections) {
  const auto remember = [this](const std::string& path, const config::Source& where) {
    if (!path.empty() && where.file != nullptr) places_.try_emplace(path, where.text());
  };
  const bool ssl = effective(host).words == config::Vocabulary::Ssl;
  if (is_loaded(ssl ? ssl_module : tls_module)) {
    const config::ServerSettings& s = scope_of(host, ssl ? ssl_module : tls_module).settings;
    for (const auto* setting : {&s.ca_file, &s.ca_path, &s.ca_names_file, &s.ca_names_path, &s.crl_file, &s.crl_path,
                                &s.ocsp_responder_file}) {
      if (*setting) remember((*setting)->path, setting->where());
    }
  }
  asked_at_ = "no line of the configuration";
  const auto asked_at = [this](const config::Setting<VerifyClient>& verify) {
    if (!verify || *verify == VerifyClient::None || verify.where().file == nullptr) return;
    asked_at_ = verify.where().text();
  };
  for (const ClientSection& section : sections) asked_at(section.verify);
  if (is_loaded(ssl ? ssl_module : tls_module))
    asked_at(scope_of(host, ssl ? ssl_module : tls_module).settings.verify_client);
  for (const ClientSection& section : sections) {
    remember(section.ca_file, section.ca_file_written);
    remember(section.ca_path, section.ca_path_written);
  }
}

void ClientVerifiers::remember_asking(const server_rec* host, const std::vector<ClientSection>& sections) {
  for (const ClientSection& section : sections) {
    if (!section.verify || *section.verify == VerifyClient::None) continue;
    const config::Source where = section.verify.where();
    auto [place, added] = asking_.try_emplace({where.file_or_nothing(), where.line}, Asking{host, 0});
    ++place->second.hosts;
    return;
  }
}

rust::Vec<rs::FetchRule> ClientVerifiers::ocsp_rules() const {
  rust::Vec<rs::FetchRule> rules;
  for (const auto& [key, loaded] : verifiers_) {
    for (rs::FetchRule& rule : loaded.verifier->ocsp_rules()) rules.push_back(std::move(rule));
  }
  return rules;
}

const HostClientAuth& ClientVerifiers::of(const server_rec* host) const {
  const auto found = hosts_.find(host);
  return found == hosts_.end() ? none_ : found->second;
}

// Handshake and sections read the same files: each problem is told once.
void ClientVerifiers::tell(const server_rec* host, const rs::VerifierProblem& problem) {
  const std::string text(problem.text);
  const auto known = places_.find(std::string(problem.source));
  // Where no file is named, the word that asks for certificates is blamed.
  const char* const place = known == places_.end() ? asked_at_.c_str() : known->second.c_str();
  if ((!print_ && !problem.fatal && apr::is_first_reading()) || !told_.insert(text).second) return;
  if (print_) {
    print_({place, problem.fatal, "client certificates: " + text});
  } else if (problem.fatal) {
    TLS_LOG_S(host, ClientFilesError, text.c_str(), host_label(host).c_str(), place);
  } else if (problem.loss) {
    TLS_LOG_S(host, ClientFilesLost, text.c_str(), host_label(host).c_str(), place);
  } else {
    TLS_LOG_S(host, ClientFilesWarning, text.c_str(), host_label(host).c_str(), place);
  }
}

const ClientVerifiers::Loaded& ClientVerifiers::verifier(const rs::VerifierSpec& spec, const server_rec* host) {
  const std::string key = key_of(spec);
  const auto known = verifiers_.find(key);
  if (known != verifiers_.end()) return known->second;
  rust::Vec<rs::VerifierProblem> problems;
  auto loaded = rs::load_verifier(spec, problems);
  for (const rs::VerifierProblem& problem : problems) tell(host, problem);
  const bool fatal = std::ranges::any_of(problems, [](const rs::VerifierProblem& p) { return p.fatal; });
  return verifiers_.emplace(key, Loaded{std::move(loaded), fatal, spec.lookup != rs::Lookup::None, listed(spec)})
      .first->second;
}

bool ClientVerifiers::load_host(const server_rec* host) {
  const ClientAuthPolicy& policy = effective(host).client;
  const auto sections = client_sections(host);
  const rs::VerifierSpec spec = handshake_spec(effective(host), sections);
  if (spec.mode == rs::ClientMode::None) return true;
  remember_places(host, sections);
  const Loaded& handshake = verifier(spec, host);
  HostClientAuth clients{&*handshake.verifier, true, handshake.has_lists, policy.recheck, !sections.empty(), {}};
  bool ok = !handshake.fatal;
  const auto judge_by = [&](const std::string& ca_file, const std::string& ca_path) {
    if (clients.find(ca_file, ca_path) != nullptr) return;
    rs::VerifierSpec own = base_spec(effective(host));
    // Judges by whatever mode a request needs; that no CA is named at all has been said of the handshake.
    own.mode = rs::ClientMode::OptionalNoCa;
    add(own.authority_files, ca_file);
    add(own.authority_directories, ca_path);
    const Loaded& loaded = verifier(own, host);
    ok = ok && !loaded.fatal;
    clients.authorities.push_back({ca_file, ca_path, &*loaded.verifier});
  };
  judge_by(policy.ca_file, policy.ca_path);
  if (clients.has_sections) {
    // A section may take its file from one scope and its directory from another, so all pairs are made.
    for (const ClientSection& a : sections) {
      for (const ClientSection& b : sections) {
        judge_by(a.ca_file.empty() ? policy.ca_file : a.ca_file, b.ca_path.empty() ? policy.ca_path : b.ca_path);
      }
    }
    if (policy.verify == VerifyClient::None) remember_asking(host, sections);
  }
  hosts_.emplace(host, std::move(clients));
  return ok;
}

}  // namespace tls::server
