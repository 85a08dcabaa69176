// SPDX-License-Identifier: Apache-2.0
#include "config/policy/effective.hpp"

#include <algorithm>
#include <utility>

#include "config/policy/encoder.hpp"

namespace tls::config {
namespace {

std::string path_of(const Setting<PathAt>& setting) { return setting ? setting->path : std::string(); }

template <class T>
void take(T& member, const Setting<T>& setting) {
  if (setting) member = *setting;
}

OcspPolicy ocsp_policy(const ServerSettings& s) {
  OcspPolicy ocsp;
  take(ocsp.check, s.ocsp_check);
  take(ocsp.responder, s.ocsp_responder);
  take(ocsp.override_named, s.ocsp_override);
  take(ocsp.proxy, s.ocsp_proxy ? s.ocsp_proxy : s.fetch_proxy);
  ocsp.responder_file = path_of(s.ocsp_responder_file);
  take(ocsp.timeout_s, s.ocsp_timeout_s);
  take(ocsp.skew_s, s.ocsp_skew_s);
  take(ocsp.max_age_s, s.ocsp_max_age_s);
  take(ocsp.nonce, s.ocsp_nonce);
  if (s.ocsp_no_verify) ocsp.verify = !*s.ocsp_no_verify;
  return ocsp;
}

StaplingPolicy stapling_policy(const ServerSettings& s) {
  StaplingPolicy stapling;
  take(stapling.on, s.stapling);
  take(stapling.url, s.staple_url);
  take(stapling.proxy, s.fetch_proxy);
  take(stapling.timeout_s, s.staple_timeout_s);
  take(stapling.skew_s, s.staple_skew_s);
  take(stapling.max_age_s, s.staple_max_age_s);
  take(stapling.life_s, s.staple_life_s);
  take(stapling.retry_s, s.staple_retry_s);
  return stapling;
}

ClientAuthPolicy client_auth_policy(const ServerSettings& s, Vocabulary words) {
  ClientAuthPolicy client;
  if (s.verify_client) client.verify = *s.verify_client;
  if (s.verify_depth) client.depth = *s.verify_depth;
  client.ca_file = path_of(s.ca_file);
  client.ca_path = path_of(s.ca_path);
  client.names_file = path_of(s.ca_names_file);
  client.names_path = path_of(s.ca_names_path);
  client.crl_file = path_of(s.crl_file);
  client.crl_path = path_of(s.crl_path);
  // Our own words have no switch that must not be forgotten: whoever names lists wants them looked at.
  if (words == Vocabulary::Tls && (s.crl_file || s.crl_path)) client.crl_check.depth = RevocationCheck::Depth::Chain;
  if (s.crl_check) client.crl_check = *s.crl_check;
  take(client.recheck, s.client_recheck);
  take(client.list_fetch, s.list_fetch);
  take(client.list_proxy, s.fetch_proxy);
  // Nor has this word one, whichever vocabulary the others are of.
  if (client.list_fetch.on && s.crl_check.where().file == nullptr)
    client.crl_check.depth = RevocationCheck::Depth::Chain;
  client.ocsp = ocsp_policy(s);
  if (s.signatures) client.signatures = *s.signatures;
  if (s.client_signatures) client.signatures = *s.client_signatures;
  if (s.trusted_proxies) client.trusted_proxies = *s.trusted_proxies;
  return client;
}

// Certificates with their keys: the first key file belongs to the first certificate that brings none, and so on.
void pair_keys(EffectivePolicy& policy, const ServerSettings& s) {
  take(policy.certificates, s.certificates);
  if (!s.key_files) return;
  std::size_t next = 0;
  for (CertificateFiles& files : policy.certificates) {
    if (!files.key.empty() || next == s.key_files->size()) continue;
    const PathAt& key = (*s.key_files)[next++];
    files.key = key.path;
    files.key_where = key.where;
  }
  for (; next < s.key_files->size(); ++next) policy.spare_keys.push_back((*s.key_files)[next]);
}

// Without a word of its own, mod_ssl goes by the protocol and by whether there is a certificate (ssl_engine_init.c,
// ssl_init_Module).
EngineRule engine_rule(const ServerSettings& s, Vocabulary words, bool https) {
  if (s.engine) return {*s.engine ? EngineRule::Mode::On : EngineRule::Mode::Off, false, nullptr};
  if (s.listeners) return {EngineRule::Mode::ByListener, false, s.listeners.get()};
  const bool certificates = s.certificates && !s.certificates->empty();
  if (words == Vocabulary::Ssl && https && certificates) return {EngineRule::Mode::On, true, nullptr};
  return {};
}

ResumptionPolicy resumption_policy(const ServerSettings& s) {
  return {s.tickets->secret, s.tickets->secret_written, s.tickets->interval_s, *s.session_cache,
          s.session_cache.where()};
}

EchPolicy ech_policy(const ServerSettings& s) {
  EchPolicy policy;
  take(policy.padding, s.ech_padding);
  if (s.ech_directory) {
    policy.directory = s.ech_directory->path;
    policy.written = s.ech_directory.where();
  }
  if (s.ech_files) {
    for (const PathAt& file : *s.ech_files) policy.files.push_back(file.path);
    policy.written = s.ech_files.where();
  }
  if (s.ech_name && !s.ech_name->name.empty()) {
    policy.public_name = s.ech_name->name;
    policy.state_directory = s.ech_name->directory;
    policy.written = s.ech_name.where();
  }
  return policy;
}

// The encoders below name every member, so that one more does not compile before somebody has said whether it counts:
// what changes no verdict is named and not put.

// What a client's certificate passes by; how long is waited, and by which proxy, changes no verdict.
void encode_ocsp(Encoder& out, const OcspPolicy& ocsp) {
  const auto& [check, responder, override_named, proxy, responder_file, timeout_s, skew_s, max_age_s, nonce, verify] =
      ocsp;
  out.put(static_cast<std::uint32_t>(check.depth));
  out.put(check.no_responder_ok);
  out.put(check.soft);
  out.put(responder);
  out.put(override_named);
  out.put(skew_s);
  out.put(static_cast<std::uint32_t>(max_age_s));
  out.put(nonce);
  out.put(verify);
}

// What clients are judged by, and with `files` also the names of the files with CAs and lists. Who is a trusted proxy,
// by which proxy lists are fetched and whether the revoked are looked for again changes nothing that a handshake finds.
void encode_client(Encoder& out, const ClientAuthPolicy& client, bool files) {
  const auto& [verify, depth, ca_file, ca_path, names_file, names_path, crl_file, crl_path, list_fetch, list_proxy,
               crl_check, recheck, ocsp, signatures, trusted_proxies] = client;
  out.put(verify);
  out.put(depth);
  out.put(crl_check);
  out.put(list_fetch.on);
  out.put(list_fetch.allow);
  out.put(list_fetch.urls);
  encode_ocsp(out, ocsp);
  out.put(signatures);
  if (!files) return;
  for (const std::string* path :
       {&ca_file, &ca_path, &names_file, &names_path, &crl_file, &crl_path, &ocsp.responder_file}) {
    out.put(*path);
  }
}

}  // namespace

EffectivePolicy effective_policy(const ServerSettings& complete, Vocabulary words, std::span<const Listener> addresses,
                                 bool https) {
  EffectivePolicy policy;
  policy.words = words;
  policy.engine = engine_rule(complete, words, https);
  policy.enabled = policy.engine.mode == EngineRule::Mode::On;
  if (policy.engine.mode == EngineRule::Mode::ByListener) {
    policy.enabled = addresses.empty() || std::ranges::any_of(addresses, [&](const Listener& address) {
                       return overlaps(*policy.engine.listeners, address);
                     });
  }
  policy.negotiated = negotiated(complete, words);
  policy.signatures_written = complete.signatures.where();
  policy.client = client_auth_policy(complete, words);
  policy.resumption = resumption_policy(complete);
  pair_keys(policy, complete);
  policy.stapling = stapling_policy(complete);
  take(policy.agent.isolation, complete.key_isolation);
  take(policy.agent.reload, complete.reload);
  policy.agent.reload_written = complete.reload.where().file != nullptr;
  policy.ech = ech_policy(complete);
#define TLS_HOST(type, member, ...) take(policy.member, complete.member);
#include "config/policy/host.def"
#undef TLS_HOST
  return policy;
}

std::vector<std::uint8_t> encode_policy(const EffectivePolicy& policy) {
  Encoder out;
  encode(out, policy.negotiated);
  encode_client(out, policy.client, false);
  return std::move(out).bytes();
}

std::vector<std::uint8_t> encode_host(const EffectivePolicy& policy, HostDigest form) {
  Encoder out;
  encode_client(out, policy.client, true);
  if (form == HostDigest::AuthOnly) return std::move(out).bytes();
  encode_compared(out, policy.negotiated);
  out.put(policy.certificates);
  return std::move(out).bytes();
}

}  // namespace tls::config
