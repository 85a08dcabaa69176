// SPDX-License-Identifier: Apache-2.0
#include "config/vocabulary/proxy_values.hpp"

namespace tls::config {

Parsed<PathAt> proxy_ca(const Arguments& words, const PathAt* before) {
  if (same_word(words[0], system_roots)) return PathAt{std::string(system_roots), words.where};
  return path(words, before);
}

}  // namespace tls::config
