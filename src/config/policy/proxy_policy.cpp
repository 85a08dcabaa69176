#include "config/policy/proxy_policy.hpp"

#include <algorithm>

#include "config/ciphers/suites.hpp"
#include "config/vocabulary/proxy_values.hpp"

namespace tls::config {
namespace {

bool listed(const SuiteList& list, std::uint16_t number) { return std::ranges::find(list, number) != list.end(); }

// Exactly those of an SSLProxyCipherSuite where there is one, else preferred ones first and then the others in their
// default order, without those that are suppressed.
void add_suites(SuiteList& order, const ProxySettings& s, bool tls13) {
  const Setting<SuiteList>& exact = tls13 ? s.suites13 : s.suites12;
  const auto add = [&](std::uint16_t number) {
    const bool right_version = (suite(number)->first_version == FirstVersion::Tls13) == tls13;
    const bool never = s.suites_suppressed && listed(*s.suites_suppressed, number);
    if (right_version && !never && !listed(order, number)) order.push_back(number);
  };
  if (exact) {
    std::ranges::for_each(*exact, add);
    return;
  }
  if (s.suites_preferred) std::ranges::for_each(*s.suites_preferred, add);
  std::ranges::for_each(supported_suites(), add);
}

void add_path(std::vector<std::string>& paths, const Setting<PathAt>& setting) {
  if (setting) paths.push_back(setting->path);
}

void append(std::string& key, const std::string& text) { key += std::to_string(text.size()) + ":" + text; }

void append(std::string& key, const std::vector<std::string>& texts) {
  key += std::to_string(texts.size()) + "[";
  for (const std::string& text : texts) append(key, text);
}

void append(std::string& key, const std::vector<std::uint16_t>& numbers) {
  for (const std::uint16_t number : numbers) key += std::to_string(number) + ",";
  key += ";";
}

}  // namespace

ProxyPolicy proxy_policy(const ProxySettings& s, Vocabulary words) {
  ProxyPolicy policy;
  policy.common_names = words == Vocabulary::Ssl;
  policy.roots_only = words == Vocabulary::Ssl;
  policy.tls12 = s.versions->tls12;
  policy.tls13 = s.versions->tls13;
  add_suites(policy.suites, s, true);
  add_suites(policy.suites, s, false);
  if (s.groups) policy.groups = *s.groups;
  policy.verify = *s.verify;
  policy.depth = *s.verify_depth;
  policy.system_roots = s.ca_file && s.ca_file->path == system_roots;
  if (!policy.system_roots) add_path(policy.authorities, s.ca_file);
  add_path(policy.authorities, s.ca_path);
  add_path(policy.revocation_lists, s.crl_file);
  add_path(policy.revocation_lists, s.crl_path);
  if (s.crl_check) {
    policy.revocation = *s.crl_check;
  } else if (!policy.revocation_lists.empty()) {
    policy.revocation.depth = RevocationCheck::Depth::Chain;
  }
  add_path(policy.machine_files, s.machine_certificate_file);
  add_path(policy.machine_files, s.machine_certificate_path);
  for (const auto* path : {&s.ca_path, &s.crl_path, &s.machine_certificate_path}) add_path(policy.directories, *path);
  if (s.machine_certificate_chain) policy.machine_chain = s.machine_certificate_chain->path;
  if (s.machine_pairs) policy.machine_pairs = *s.machine_pairs;
  policy.check_dates = *s.check_peer_expire;
  // mod_ssl (ssl_engine_io.c, ssl_io_filter_handshake): CheckPeerCN off turns the check off where CheckPeerName is not
  // written; on, it brings a check back that CheckPeerName off took away.
  const bool name_written = s.check_peer_name.where().file != nullptr;
  const bool cn_written = s.check_peer_cn.where().file != nullptr;
  policy.check_name = *s.check_peer_name ? name_written || *s.check_peer_cn : cn_written && *s.check_peer_cn;
  return policy;
}

std::string ProxyPolicy::key() const {
  std::string out;
  for (const bool flag :
       {tls12, tls13, system_roots, check_dates, check_name, common_names, roots_only, revocation.no_crl_ok}) {
    out += flag ? '1' : '0';
  }
  out += std::to_string(static_cast<int>(verify)) + "," + std::to_string(depth) + "," +
         std::to_string(static_cast<int>(revocation.depth)) + ";";
  append(out, suites);
  append(out, groups);
  append(out, authorities);
  append(out, revocation_lists);
  append(out, machine_files);
  append(out, directories);
  append(out, machine_chain);
  for (const CertificateFiles& pair : machine_pairs) {
    append(out, pair.certificate);
    append(out, pair.key);
  }
  return out;
}

}  // namespace tls::config
