// SPDX-License-Identifier: Apache-2.0
#include "config/policy/describe.hpp"

#include <array>
#include <cstdio>
#include <utility>

#include "config/ciphers/signatures.hpp"
#include "config/ciphers/suites.hpp"
#include "config/policy/groups.hpp"

namespace tls::config {
namespace {

void append(std::string& list, std::string_view word, std::string_view separator = " ") {
  if (!list.empty()) list += separator;
  list += word;
}

std::string on_or_off(bool on) { return on ? "on" : "off"; }

std::string seconds(std::uint32_t s) { return std::to_string(s) + " s"; }

std::string engine(const EngineRule& rule) {
  if (rule.implied) return "on, since its port is for https and it has a certificate";
  if (rule.mode != EngineRule::Mode::ByListener) return on_or_off(rule.mode == EngineRule::Mode::On);
  std::string out;
  for (const Listener& l : *rule.listeners) append(out, text_of(l));
  return out;
}

std::string shown_versions(const Versions& p) {
  std::string out;
  if (p.tls12) append(out, "TLSv1.2");
  if (p.tls13) append(out, "TLSv1.3");
  return out;
}

std::string suite_names(const SuiteList& list) {
  std::string out;
  for (const std::uint16_t number : list) {
    const Suite* known = suite(number);
    append(out, known != nullptr ? known->iana : "?", ":");
  }
  return out;
}

std::string shown_tickets(const EffectivePolicy& policy) {
  if (!policy.negotiated.tickets) return "off";
  const ResumptionPolicy& r = policy.resumption;
  std::string out = "on, " + std::to_string(policy.negotiated.ticket_count) + " per handshake";
  if (!r.secret.empty()) out += ", keys from " + r.secret + " every " + seconds(r.secret_interval_s);
  return out;
}

std::string shown_cache(const SessionCacheName& c) {
  if (c.provider.empty()) return "none";
  return c.arguments.empty() ? c.provider : c.provider + ":" + c.arguments;
}

std::string verification(VerifyClient verify) {
  switch (verify) {
    case VerifyClient::Optional:
      return "optional";
    case VerifyClient::Require:
      return "require";
    case VerifyClient::OptionalNoCa:
      return "optional_no_ca";
    case VerifyClient::None:
      break;
  }
  return "none";
}

std::string shown_revocation(const RevocationCheck& check) {
  if (check.depth == RevocationCheck::Depth::None) return "none";
  const std::string depth = check.depth == RevocationCheck::Depth::Leaf ? "leaf" : "chain";
  return check.no_crl_ok ? depth + ", a missing list is no fault" : depth;
}

std::string fetched(const std::vector<std::string>& urls, bool allow, const std::string& proxy) {
  std::string out = "of the authorities";
  for (const std::string& url : urls) append(out, url, ", ");
  if (!proxy.empty()) out += "; by " + proxy;
  return out + (allow ? "; allow while one is missing" : "; deny while one is missing");
}

std::string ocsp(const OcspPolicy& policy) {
  if (policy.check.depth == OcspCheck::Depth::None) return "off";
  std::string out = policy.check.depth == OcspCheck::Depth::Leaf ? "leaf" : "chain";
  if (policy.check.no_responder_ok) append(out, "certificates without a responder pass", ", ");
  if (policy.check.soft) append(out, "no answer is no fault", ", ");
  if (!policy.responder.empty()) {
    append(out, (policy.override_named ? "always asks " : "else asks ") + policy.responder, ", ");
  }
  append(out, "within " + seconds(policy.timeout_s), ", ");
  if (!policy.proxy.empty()) append(out, "by " + policy.proxy, ", ");
  if (!policy.nonce) append(out, "no nonce", ", ");
  if (!policy.verify) append(out, "answers NOT VERIFIED", ", ");
  return out;
}

std::string reload(const AgentPolicy& agent) {
  if (!agent.isolation || agent.reload.interval_s == 0) return "off";
  const std::string every = "every " + seconds(agent.reload.interval_s);
  return agent.reload.authorities_too ? every + ", authorities of clients too" : every;
}

std::string encrypted_hello(const EchPolicy& ech) {
  std::string out;
  if (!ech.public_name.empty()) append(out, "public name " + ech.public_name + ", keys in " + ech.state_directory);
  for (const std::string& files : ech.files) append(out, files, ", ");
  if (!ech.directory.empty()) append(out, ech.directory, ", ");
  return out.empty() ? "off" : out;
}

std::string post_quantum(bool required, const GroupList& groups) {
  return required ? "required" : on_or_off(has_post_quantum(groups));
}

std::string joined(const Paths& paths, std::string first = {}) {
  for (const std::string& path : paths) append(first, path, ", ");
  return first;
}

std::string shown_pairs(const std::vector<CertificateFiles>& pairs) {
  std::string out;
  for (const CertificateFiles& files : pairs) append(out, text_of(files), ", ");
  return out;
}

std::string checked_name(bool checked, bool common_names) {
  if (!checked) return "NOT CHECKED";
  return common_names ? "checked, common names too" : "checked";
}

std::string pass_phrases(const PassPhraseDialog& dialog) {
  switch (dialog.kind) {
    case PassPhraseDialog::Kind::Pipe:
      return "|" + dialog.command;
    case PassPhraseDialog::Kind::Exec:
      return "exec:" + dialog.command;
    case PassPhraseDialog::Kind::File:
      return "file:" + dialog.command;
    case PassPhraseDialog::Kind::Builtin:
      break;
  }
  return "builtin";
}

std::string limits(const HandshakeLimits& most) {
  std::string out;
  const auto scope = [&out](const char* name, std::uint32_t number) {
    if (number != 0) append(out, name + std::to_string(number));
  };
  scope("address:", most.address);
  scope("child:", most.child);
  scope("server:", most.server);
  return out.empty() ? "no limit" : out;
}

const char* fallback(Fallback without) {
  switch (without) {
    case Fallback::SelfSigned:
      return "a placeholder";
    case Fallback::Unavailable:
      return "503";
    case Fallback::Off:
      break;
  }
  return "no start";
}

// The place of the first setting that was written.
template <class First, class... T>
Source place(const Setting<First>& first, const Setting<T>&... others) {
  Source found = first.where();
  ((found = found.file == nullptr ? others.where() : found), ...);
  return found;
}

void describe_stapling(std::vector<Described>& out, const StaplingPolicy& policy, const ServerSettings& w) {
  out.push_back({"stapling", on_or_off(policy.on), place(w.stapling)});
  out.push_back({"fetches by", policy.proxy.empty() ? "no proxy" : policy.proxy, place(w.fetch_proxy)});
  if (!policy.on) return;
  const std::string age = policy.max_age_s < 0 ? "any" : std::to_string(policy.max_age_s) + " s";
  const std::initializer_list<Described> details = {
      {"responder", policy.url.empty() ? "whom certificates name" : policy.url, place(w.staple_url)},
      {"responder timeout", seconds(policy.timeout_s), place(w.staple_timeout_s)},
      {"clock skew of responses", seconds(policy.skew_s), place(w.staple_skew_s)},
      {"age of responses", age, place(w.staple_max_age_s)},
      {"responses fetched after", seconds(policy.life_s), place(w.staple_life_s)},
      {"failed ones after", seconds(policy.retry_s), place(w.staple_retry_s)},
  };
  out.insert(out.end(), details);
}

// What is the same for the whole server.
void describe_server(std::vector<Described>& out, const EffectivePolicy& policy, const ServerSettings& w) {
  const std::initializer_list<Described> all = {
      {"own addresses fetched", on_or_off(policy.fetch_local), place(w.fetch_local)},
      {"handshakes a second", limits(policy.handshake_rate), place(w.handshake_rate)},
      {"handshakes under way", limits(policy.handshakes_under_way), place(w.handshakes_under_way)},
      {"metrics", policy.metrics == MetricsDetail::Hosts ? "hosts" : "totals", place(w.metrics)},
      {"key isolation", on_or_off(policy.agent.isolation), place(w.key_isolation)},
      {"reload", reload(policy.agent), place(w.reload, w.key_isolation)},
      {"encrypted hello", encrypted_hello(policy.ech), policy.ech.written},
      {"its padding", policy.ech.padding == 0 ? "off" : std::to_string(policy.ech.padding), place(w.ech_padding)},
  };
  out.insert(out.end(), all);
}

void describe_clients(std::vector<Described>& out, const ClientAuthPolicy& c, const ServerSettings& w) {
  out.push_back({"client certificates", verification(c.verify), place(w.verify_client)});
  const auto file = [&out](std::string_view name, const std::string& path, Source where) {
    if (!path.empty()) out.push_back({name, path, where});
  };
  file("authorities", c.ca_file, place(w.ca_file));
  file("authorities in", c.ca_path, place(w.ca_path));
  file("names of authorities", c.names_file, place(w.ca_names_file));
  file("names of authorities in", c.names_path, place(w.ca_names_path));
  file("revocation lists", c.crl_file, place(w.crl_file));
  file("revocation lists in", c.crl_path, place(w.crl_path));
  if (c.list_fetch.on)
    out.push_back({"fetched lists", fetched(c.list_fetch.urls, c.list_fetch.allow, c.list_proxy), place(w.list_fetch)});
  std::string proxies;
  for (const Network& network : c.trusted_proxies) append(proxies, text_of(network));
  if (!proxies.empty()) out.push_back({"trusted proxies", proxies, place(w.trusted_proxies)});
  if (c.verify == VerifyClient::None) return;
  out.push_back({"clients sign with", c.signatures.empty() ? "all there are" : signature_names(c.signatures),
                 place(w.client_signatures, w.signatures)});
  out.push_back({"depth", std::to_string(c.depth), place(w.verify_depth)});
  out.push_back({"revocation", shown_revocation(c.crl_check), place(w.crl_check)});
  if (c.recheck) out.push_back({"revoked meanwhile", "looked up for each request", place(w.client_recheck)});
  out.push_back({"OCSP of clients", ocsp(c.ocsp), place(w.ocsp_check)});
}

}  // namespace

std::string text_of(const CertificateFiles& files) {
  return files.key.empty() ? files.certificate : files.certificate + ", key " + files.key;
}

const char* word_of(SniPolicy policy) {
  switch (policy) {
    case SniPolicy::Strict:
      return "strict";
    case SniPolicy::AuthOnly:
      return "authonly";
    case SniPolicy::Insecure:
      return "insecure";
    case SniPolicy::Secure:
      break;
  }
  return "secure";
}

std::vector<Described> describe(const EffectivePolicy& policy, const ServerSettings& w) {
  std::vector<Described> out = {{"engine", engine(policy.engine), place(w.engine, w.listeners)}};
#define TLS_NEGOTIATED(type, member, value, host, label, shown, ...) \
  if constexpr (*(label) != '\0') {                                  \
    [[maybe_unused]] const type& v = policy.negotiated.member;       \
    out.push_back({label, shown, place(__VA_ARGS__)});               \
  }
#include "config/policy/negotiated.def"
#undef TLS_NEGOTIATED
  const std::initializer_list<Described> others = {
      {"unknown names", policy.strict_sni ? "an alert" : "the first virtual host", place(w.strict_sni)},
      {"no name", policy.refuse_without_sni ? "403" : "the first virtual host", place(w.refuse_without_sni)},
      {"Host and SNI", word_of(policy.sni_policy), place(w.sni_policy)},
      {"handshake timeout", seconds(policy.handshake_timeout_s), place(w.handshake_timeout_s)},
      {"without a certificate", fallback(policy.fallback), place(w.fallback)},
      {"pass phrases", pass_phrases(policy.pass_phrases), place(w.pass_phrase_dialog)},
  };
  out.insert(out.end(), others);
  describe_stapling(out, policy.stapling, w);
  describe_server(out, policy, w);
  describe_clients(out, policy.client, w);
  if (!policy.chain_file.path.empty()) out.push_back({"chain", policy.chain_file.path, place(w.chain_file)});
  return out;
}

std::vector<Described> describe(const ProxyPolicy& policy, const ProxySettings& w) {
  std::vector<Described> out = {{"engine", "on", place(w.engine)}};
  const auto add = [&out](std::string_view label, std::string shown, Source where) {
    if (!label.empty() && !shown.empty()) out.push_back({label, std::move(shown), where});
  };
#define TLS_BACKEND(type, member, value, label, shown, ...) \
  {                                                         \
    [[maybe_unused]] const type& v = policy.member;         \
    add(label, shown, place(__VA_ARGS__));                  \
  }
#include "config/policy/backend.def"
#undef TLS_BACKEND
  return out;
}

}  // namespace tls::config
