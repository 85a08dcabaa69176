#include "config/policy/effective.hpp"

#include <algorithm>
#include <utility>

#include "config/ciphers/suites.hpp"

namespace tls::config {
namespace {

bool listed(const std::vector<std::uint16_t>& list, std::uint16_t number) {
  return std::ranges::find(list, number) != list.end();
}

bool is_tls13(std::uint16_t number) { return suite(number)->first_version == FirstVersion::Tls13; }

// Suites of one version: exactly those of an SSLCipherSuite where there is one, else preferred ones first and then the
// others in the vocabulary's default order, without those that are suppressed.
void add_suites(SuiteList& order, const ServerSettings& s, Vocabulary words, bool tls13) {
  const Setting<SuiteList>& exact = tls13 ? s.suites13 : s.suites12;
  const auto add = [&](std::uint16_t number) {
    const bool never = s.suites_suppressed && listed(*s.suites_suppressed, number);
    if (is_tls13(number) == tls13 && !never && !listed(order, number)) order.push_back(number);
  };
  if (exact) {
    std::ranges::for_each(*exact, add);
    return;
  }
  if (s.suites_preferred) std::ranges::for_each(*s.suites_preferred, add);
  std::ranges::for_each(words == Vocabulary::Ssl ? openssl_order() : supported_suites(), add);
}

// Versions as written, with the bounds of SSLOpenSSLConfCmd over them: a bound replaces the lowest or the highest.
Versions bounded_versions(const ServerSettings& s) {
  constexpr unsigned tls12 = 0x0303;
  constexpr unsigned tls13 = 0x0304;
  unsigned lowest = s.versions->tls12 ? tls12 : tls13;
  unsigned highest = s.versions->tls13 ? tls13 : tls12;
  if (s.min_version) lowest = *s.min_version;
  if (s.max_version) highest = *s.max_version == 0 ? tls13 : *s.max_version;
  return {lowest <= tls12 && highest >= tls12, lowest <= tls13 && highest >= tls13};
}

std::string path_of(const Setting<PathAt>& setting) { return setting ? setting->path : std::string(); }

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
  if (s.signatures) client.signatures = *s.signatures;
  if (s.client_signatures) client.signatures = *s.client_signatures;
  return client;
}

template <class T>
void take(T& member, const Setting<T>& setting) {
  if (setting) member = *setting;
}

// Certificates with their keys: the first key file belongs to the first certificate that brings none, and so on.
void pair_keys(EffectivePolicy& policy, const ServerSettings& s) {
  take(policy.certificates, s.certificates);
  if (!s.key_files) return;
  std::size_t next = 0;
  for (CertificateFiles& files : policy.certificates) {
    if (files.key.empty() && next < s.key_files->size()) files.key = (*s.key_files)[next++].path;
  }
  for (; next < s.key_files->size(); ++next) policy.spare_keys.push_back((*s.key_files)[next].path);
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
  ResumptionPolicy policy;
  policy.tickets = s.tickets->on.value_or(true);
  policy.ticket_count = *s.ticket_count;
  policy.lifetime = *s.session_lifetime;
  policy.lifetime_written = s.session_lifetime.where().file != nullptr;
  policy.secret = s.tickets->secret;
  policy.secret_written = s.tickets->secret_written;
  policy.secret_interval_s = s.tickets->interval_s;
  policy.cache = *s.session_cache;
  policy.cache_written = s.session_cache.where();
  return policy;
}

// Numbers in network order, texts and lists with their length in front, so that no two policies share an encoding.
class Encoder {
 public:
  void byte(unsigned v) { bytes_.push_back(static_cast<std::uint8_t>(v)); }
  void half(std::size_t v) {
    byte(static_cast<unsigned>(v >> 8U));
    byte(static_cast<unsigned>(v));
  }
  void word(std::uint32_t v) {
    half(v >> 16U);
    half(v & 0xFFFFU);
  }
  void text(const std::string& v) {
    word(static_cast<std::uint32_t>(v.size()));
    bytes_.insert(bytes_.end(), v.begin(), v.end());
  }
  void list(const std::vector<std::uint16_t>& v) {
    half(v.size());
    for (const std::uint16_t n : v) half(n);
  }
  std::vector<std::uint8_t> bytes() && { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

void encode_protocol(Encoder& out, const ProtocolPolicy& p) {
  out.byte((p.tls12 ? 1U : 0U) | (p.tls13 ? 2U : 0U) | (p.honor_client_order ? 4U : 0U));
  out.list(p.suites);
  out.list(p.groups);
  out.list(p.signatures);
}

void encode_client(Encoder& out, const ClientAuthPolicy& c) {
  out.byte(static_cast<unsigned>(c.verify));
  out.word(c.depth);
  for (const std::string* path : {&c.ca_file, &c.ca_path, &c.names_file, &c.names_path, &c.crl_file, &c.crl_path}) {
    out.text(*path);
  }
  out.byte(static_cast<unsigned>(c.crl_check.depth));
  out.byte(c.crl_check.no_crl_ok ? 1U : 0U);
  out.list(c.signatures);
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
  const Versions versions = bounded_versions(complete);
  policy.protocol.tls12 = versions.tls12;
  policy.protocol.tls13 = versions.tls13;
  if (versions.tls13) add_suites(policy.protocol.suites, complete, words, true);
  if (versions.tls12) add_suites(policy.protocol.suites, complete, words, false);
  policy.protocol.groups = *complete.groups;
  take(policy.protocol.signatures, complete.signatures);
  policy.protocol.signatures_written = complete.signatures.where();
  policy.protocol.honor_client_order = *complete.honor_client_order;
  policy.client = client_auth_policy(complete, words);
  policy.resumption = resumption_policy(complete);
  take(policy.strict_sni, complete.strict_sni);
  take(policy.refuse_without_sni, complete.refuse_without_sni);
  take(policy.sni_policy, complete.sni_policy);
  take(policy.handshake_timeout_s, complete.handshake_timeout_s);
  pair_keys(policy, complete);
  policy.chain_file = path_of(complete.chain_file);
  take(policy.pass_phrases, complete.pass_phrase_dialog);
  take(policy.compress_certificates, complete.compress_certificates);
  take(policy.stapling, complete.stapling);
  take(policy.fallback, complete.fallback);
  take(policy.agent.isolation, complete.key_isolation);
  take(policy.agent.reload, complete.reload);
  policy.agent.reload_written = complete.reload.where().file != nullptr;
  return policy;
}

std::vector<std::uint8_t> encode_policy(const EffectivePolicy& policy) {
  Encoder out;
  encode_protocol(out, policy.protocol);
  const ResumptionPolicy& r = policy.resumption;
  out.byte(r.tickets ? 1 : 0);
  out.byte(r.cache.provider.empty() ? 0 : 1);
  out.byte(r.ticket_count);
  out.word(r.lifetime.tls13_s);
  out.word(r.lifetime.tls12_s);
  out.byte(r.lifetime_written ? 1 : 0);
  out.byte(static_cast<unsigned>(policy.client.verify));
  out.word(policy.client.depth);
  out.byte(static_cast<unsigned>(policy.client.crl_check.depth));
  out.byte(policy.client.crl_check.no_crl_ok ? 1 : 0);
  out.list(policy.client.signatures);
  out.byte(policy.compress_certificates ? 1 : 0);
  return std::move(out).bytes();
}

std::vector<std::uint8_t> encode_host(const EffectivePolicy& policy, HostDigest form) {
  Encoder out;
  encode_client(out, policy.client);
  if (form == HostDigest::AuthOnly) return std::move(out).bytes();
  ProtocolPolicy protocol = policy.protocol;
  protocol.honor_client_order = false;  // whose order counts weakens nothing, and mod_ssl does not compare it
  encode_protocol(out, protocol);
  out.half(policy.certificates.size());
  for (const CertificateFiles& files : policy.certificates) {
    out.text(files.certificate);
    out.text(files.key);
  }
  return std::move(out).bytes();
}

}  // namespace tls::config
