// The effective policy of outgoing connections: all defaults applied, no optionals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/policy/effective.hpp"
#include "config/settings.hpp"

namespace tls::config {

struct ProxyPolicy {
  bool tls12 = true;
  bool tls13 = true;
  SuiteList suites;  // IANA numbers, most preferred first
  GroupList groups;
  VerifyClient verify = VerifyClient::None;
  std::uint32_t depth = 1;
  bool system_roots = false;
  std::vector<std::string> authorities;  // files and directories
  std::vector<std::string> revocation_lists;
  RevocationCheck revocation;
  std::vector<std::string> machine_files;  // files and directories with certificates and keys together
  std::vector<std::string> directories;    // those of all these that are named as directories, which may be empty
  std::vector<CertificateFiles> machine_pairs;
  std::string machine_chain;
  bool check_dates = true;
  bool check_name = true;
  bool common_names = false;  // a common name is as good as a subjectAltName
  bool roots_only = false;    // an authority that did not sign itself ends no chain

  // Equal for policies that build the same; only meaningful within one configuration.
  [[nodiscard]] std::string key() const;
};

// From settings with the defaults of their vocabulary, `words`, beneath them.
ProxyPolicy proxy_policy(const ProxySettings& complete, Vocabulary words);

}  // namespace tls::config
