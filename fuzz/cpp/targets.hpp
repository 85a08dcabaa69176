// SPDX-License-Identifier: Apache-2.0
// What the C++ fuzz targets run, and tests/unit/test_corpus.cpp replays: each function aborts where something is wrong.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace tls::fuzzing {

// A text as OpenSSL's cipher language, judged beside OpenSSL itself.
void ciphers(std::string_view data);

// A configuration: a line for each directive, of any vocabulary and at any place.
void directives(std::string_view data);

// The filters of a connection with real brigades: steps of three octets, of what arrives, is read and is written.
void filters(std::string_view data);

inline void hold(bool fact, const char* what, std::string_view detail = {}) {
  if (fact) return;
  std::fprintf(stderr, "does not hold: %s (%.*s)\n", what, static_cast<int>(detail.size()), detail.data());
  std::abort();
}

}  // namespace tls::fuzzing
