// SPDX-License-Identifier: Apache-2.0
#include "config/policy/describe.hpp"

#include <array>
#include <cstdio>
#include <utility>

#include "config/ciphers/signatures.hpp"
#include "config/ciphers/suites.hpp"
#include "config/policy/groups.hpp"
#include "config/vocabulary/parsers.hpp"

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

std::string shown_ocsp(const OcspPolicy& policy) {
  const auto& [check, responder, override_named, proxy, responder_file, timeout_s, skew_s, max_age_s, nonce, verify] =
      policy;
  if (check.depth == OcspCheck::Depth::None) return "off";
  std::string out = check.depth == OcspCheck::Depth::Leaf ? "leaf" : "chain";
  if (check.no_responder_ok) append(out, "certificates without a responder pass", ", ");
  if (check.soft) append(out, "no answer is no fault", ", ");
  if (!responder.empty()) append(out, (override_named ? "always asks " : "else asks ") + responder, ", ");
  append(out, "within " + seconds(timeout_s), ", ");
  if (!proxy.empty()) append(out, "by " + proxy, ", ");
  if (!responder_file.empty()) append(out, "answers may be signed by " + responder_file, ", ");
  append(out, "clocks differ by " + seconds(skew_s) + " at most", ", ");
  if (max_age_s >= 0) append(out, "answers are at most " + std::to_string(max_age_s) + " s old", ", ");
  if (!nonce) append(out, "no nonce", ", ");
  if (!verify) append(out, "answers NOT VERIFIED", ", ");
  return out;
}

std::string reload(const Reload& reload) {
  if (reload.interval_s == 0) return "off";
  const std::string every = "every " + seconds(reload.interval_s);
  return reload.authorities_too ? every + ", authorities of clients too" : every;
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

const char* word_of(Fallback without) {
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

std::string word_of(ClientCertHeader header) {
  for (const auto& known : client_cert_headers) {
    if (known.value == header) return std::string(known.word);
  }
  return {};
}

// In the words of a directive that names the same ones.
std::string shown_options(const Options& options) {
  std::string out;
  for (const auto& [word, option] : option_words) {
    const Options one{static_cast<std::uint8_t>(option), static_cast<std::uint8_t>(option)};
    if ((options.named & one.named) != 0) append(out, (options.has(option) ? "+" : "-") + std::string(word));
  }
  return out;
}

std::string expressions(const Requirements& requirements) {
  std::string out;
  for (const Requirement& one : requirements.all) append(out, one.expression, ", and ");
  return out;
}

// The place of the first setting that was written.
template <class First, class... T>
Source place(const Setting<First>& first, const Setting<T>&... others) {
  Source found = first.where();
  ((found = found.file == nullptr ? others.where() : found), ...);
  return found;
}

void add(std::vector<Described>& out, std::string_view label, std::string shown, Source where) {
  if (!label.empty() && !shown.empty()) out.push_back({label, std::move(shown), where});
}

// What follows names every member, so that one more does not compile before somebody has said how it is described.

void describe_stapling(std::vector<Described>& out, const StaplingPolicy& policy, const ServerSettings& w) {
  const auto& [on, url, proxy, timeout_s, skew_s, max_age_s, life_s, retry_s] = policy;
  out.push_back({"stapling", on_or_off(on), place(w.stapling)});
  out.push_back({"fetches by", proxy.empty() ? "no proxy" : proxy, place(w.fetch_proxy)});
  if (!on) return;
  const std::string age = max_age_s < 0 ? "any" : std::to_string(max_age_s) + " s";
  const std::initializer_list<Described> details = {
      {"responder", url.empty() ? "whom certificates name" : url, place(w.staple_url)},
      {"responder timeout", seconds(timeout_s), place(w.staple_timeout_s)},
      {"clock skew of responses", seconds(skew_s), place(w.staple_skew_s)},
      {"age of responses", age, place(w.staple_max_age_s)},
      {"responses fetched after", seconds(life_s), place(w.staple_life_s)},
      {"failed ones after", seconds(retry_s), place(w.staple_retry_s)},
  };
  out.insert(out.end(), details);
}

void describe_agent(std::vector<Described>& out, const AgentPolicy& agent, const ServerSettings& w) {
  const auto& [isolation, reread, reload_written] = agent;
  out.push_back({"key isolation", on_or_off(isolation), place(w.key_isolation)});
  out.push_back({"reload", isolation ? reload(reread) : "off", place(w.reload, w.key_isolation)});
}

void describe_ech(std::vector<Described>& out, const EchPolicy& ech, const ServerSettings& w) {
  const auto& [public_name, state_directory, files, directory, padding, written] = ech;
  std::string keys;
  if (!public_name.empty()) append(keys, "public name " + public_name + ", keys in " + state_directory);
  for (const std::string& file : files) append(keys, file, ", ");
  if (!directory.empty()) append(keys, directory, ", ");
  out.push_back({"encrypted hello", keys.empty() ? "off" : keys, written});
  out.push_back({"its padding", padding == 0 ? "off" : std::to_string(padding), place(w.ech_padding)});
}

void describe_clients(std::vector<Described>& out, const ClientAuthPolicy& c, const ServerSettings& w) {
  const auto& [verify, depth, ca_file, ca_path, names_file, names_path, crl_file, crl_path, list_fetch, list_proxy,
               crl_check, recheck, ocsp, signatures, trusted_proxies] = c;
  out.push_back({"client certificates", verification(verify), place(w.verify_client)});
  const auto file = [&out](std::string_view name, const std::string& path, Source where) {
    if (!path.empty()) out.push_back({name, path, where});
  };
  file("authorities", ca_file, place(w.ca_file));
  file("authorities in", ca_path, place(w.ca_path));
  file("names of authorities", names_file, place(w.ca_names_file));
  file("names of authorities in", names_path, place(w.ca_names_path));
  file("revocation lists", crl_file, place(w.crl_file));
  file("revocation lists in", crl_path, place(w.crl_path));
  if (list_fetch.on)
    out.push_back({"fetched lists", fetched(list_fetch.urls, list_fetch.allow, list_proxy), place(w.list_fetch)});
  std::string proxies;
  for (const Network& network : trusted_proxies) append(proxies, text_of(network));
  if (!proxies.empty()) out.push_back({"trusted proxies", proxies, place(w.trusted_proxies)});
  if (verify == VerifyClient::None) return;
  out.push_back({"clients sign with", signatures.empty() ? "all there are" : signature_names(signatures),
                 place(w.client_signatures, w.signatures)});
  out.push_back({"depth", std::to_string(depth), place(w.verify_depth)});
  out.push_back({"revocation", shown_revocation(crl_check), place(w.crl_check)});
  if (recheck) out.push_back({"revoked meanwhile", "looked up for each request", place(w.client_recheck)});
  out.push_back({"OCSP of clients", shown_ocsp(ocsp), place(w.ocsp_check)});
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
  // Whether it speaks TLS and in which words stands in the heading, with what holds certificates.
  const auto& [enabled, rule, words, negotiated, signatures_written, resumption, client, certificates, spare_keys,
               stapling, agent, ech
#define TLS_HOST(type, member, ...) , member
#include "config/policy/host.def"
#undef TLS_HOST
  ] = policy;
  std::vector<Described> out = {{"engine", engine(rule), place(w.engine, w.listeners)}};
#define TLS_NEGOTIATED(type, member, value, host, label, shown, ...) \
  if constexpr (*(label) != '\0') {                                  \
    [[maybe_unused]] const type& v = policy.negotiated.member;       \
    out.push_back({label, shown, place(__VA_ARGS__)});               \
  }
#include "config/policy/negotiated.def"
#undef TLS_NEGOTIATED
#define TLS_HOST(type, member, initial, label, shown) \
  {                                                   \
    [[maybe_unused]] const type& v = policy.member;   \
    add(out, label, shown, place(w.member));          \
  }
#include "config/policy/host.def"
#undef TLS_HOST
  describe_stapling(out, stapling, w);
  describe_agent(out, agent, w);
  describe_ech(out, ech, w);
  describe_clients(out, client, w);
  return out;
}

std::vector<Described> describe(const DirectorySettings& written) {
  enum : std::size_t {
#define TLS_SECTION(member, ...) row_of_##member,
#include "config/policy/section.def"
#undef TLS_SECTION
    rows
  };
  static_assert(rows == member_count<DirectorySettings>(), "every member of DirectorySettings needs a row");
  std::vector<Described> out;
#define TLS_SECTION(member, label, shown)           \
  if (written.member) {                             \
    const auto& v = *written.member;                \
    add(out, label, shown, written.member.where()); \
  }
#include "config/policy/section.def"
#undef TLS_SECTION
  return out;
}

std::vector<Described> describe(const ProxyPolicy& policy, const ProxySettings& w) {
  std::vector<Described> out = {{"engine", "on", place(w.engine)}};
#define TLS_BACKEND(type, member, value, label, shown, ...) \
  {                                                         \
    [[maybe_unused]] const type& v = policy.member;         \
    add(out, label, shown, place(__VA_ARGS__));             \
  }
#include "config/policy/backend.def"
#undef TLS_BACKEND
  return out;
}

}  // namespace tls::config
