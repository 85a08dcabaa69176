// SPDX-License-Identifier: Apache-2.0
// Keeps the error log readable under attack: what a peer can cause again and again is counted, not repeated.
#pragma once

#include <cstdint>

#include "apr/httpd.hpp"

namespace tls::log {

// What to do with one more failure.
struct Loudness {
  bool loud = true;            // at the level an administrator sees; else at debug
  std::uint32_t repeated = 0;  // failures of the same kind kept quiet since the last loud one
};

// Counts a failed handshake of the class `kind` at this virtual host: a class of ours, never a text of the peer's. The
// first of a kind is loud, and then one a minute. Any thread of the child; takes a mutex for a few instructions, and
// only when something failed.
[[nodiscard]] Loudness count_failure(std::uint8_t kind, const void* host);

// How many lines with one id a process may write because of what peers do. Every line about a connection or a request
// has one.
struct Budget {
  const char* id;
  std::int64_t tokens = full;       // in milliseconds of refilling
  std::int64_t counted_at = 0;      // when they were counted; monotonic, in milliseconds
  std::int64_t left_out_since = 0;  // since when lines are missing
  std::uint32_t left_out = 0;

  static constexpr std::int64_t each = 3000;       // one more line every three seconds,
  static constexpr std::int64_t full = 20 * each;  // and 20 at a time
};

// Whether one more line may be written, and how many were left out that are to be told of now.
struct Admission {
  bool granted = false;
  std::uint32_t left_out = 0;
};

// Takes from the budget and from that of all lines, or counts one more that is left out. Any thread.
[[nodiscard]] Admission take(Budget& budget);

}  // namespace tls::log
