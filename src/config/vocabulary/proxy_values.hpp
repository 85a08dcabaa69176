// SPDX-License-Identifier: Apache-2.0
// Parsers of values that only the TLSProxy* directives write this way.
#pragma once

#include "config/settings.hpp"
#include "config/vocabulary/parsers.hpp"

namespace tls::config {

// What stands for the authorities of the system.
inline constexpr std::string_view system_roots = "default";

// "default", or a file or directory.
Parsed<PathAt> proxy_ca(const Arguments& words, const PathAt* before);

inline constexpr std::array require_or_none = {Keyword<VerifyClient>{"require", VerifyClient::Require},
                                               Keyword<VerifyClient>{"none", VerifyClient::None}};

inline Parsed<VerifyClient> proxy_verify(const Arguments& words, const VerifyClient* before) {
  return keyword<require_or_none>(words, before);
}

}  // namespace tls::config
