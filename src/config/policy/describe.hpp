// SPDX-License-Identifier: Apache-2.0
// The effective policy in words: every setting with its value and the place where it was written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/policy/effective.hpp"
#include "config/policy/proxy_policy.hpp"

namespace tls::config {

// One setting. `where` is empty for a default.
struct Described {
  std::string_view name;
  std::string value;
  Source where;
};

// What holds in one virtual host. `written` are its settings with those it inherits, without defaults. Certificates are
// left out: what they hold is known to who has read them.
std::vector<Described> describe(const EffectivePolicy& policy, const ServerSettings& written);

// The same of connections to backends.
std::vector<Described> describe(const ProxyPolicy& policy, const ProxySettings& written);

// What a section says, and nothing of what it leaves to those around it.
std::vector<Described> describe(const DirectorySettings& written);

// "certificate, key key"
std::string text_of(const CertificateFiles& files);

// The word of SSLVHostSNIPolicy for it.
const char* word_of(SniPolicy policy);

}  // namespace tls::config
