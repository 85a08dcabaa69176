// SPDX-License-Identifier: Apache-2.0
// The effective policy of connections to backends: all defaults applied, no optionals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/policy/effective.hpp"
#include "config/settings.hpp"

namespace tls::config {

using Paths = std::vector<std::string>;  // of files and directories

struct ProxyPolicy {
#define TLS_BACKEND(type, member, ...) type member{};
#include "config/policy/backend.def"
#undef TLS_BACKEND
};

// From settings with the defaults of their vocabulary, `words`, beneath them.
ProxyPolicy proxy_policy(const ProxySettings& complete, Vocabulary words);

// All of it, as Rust reads it: equal for policies that build the same.
std::vector<std::uint8_t> encode(const ProxyPolicy& policy);

}  // namespace tls::config
