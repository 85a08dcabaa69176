// SPDX-License-Identifier: Apache-2.0
// How text and lists cross to Rust. Nothing else makes a rust::String: its own constructors throw on text that is not
// UTF-8, which configurations and clients may well have (tests/build looks at the object).
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "rust/cxx.h"

namespace tls::apr {

// Text for people, and names that only mean something where they are UTF-8: what is not becomes U+FFFD.
inline rust::String lossy(std::string_view text) { return rust::String::lossy(text.data(), text.size()); }

// Text that means what it says, such as a file name. Throws std::invalid_argument where it is not UTF-8; directives
// refuse such words where they stand (config/vocabulary/parsers.hpp), so that only other modules' names come this far.
rust::String exact(std::string_view text);

// Text in printable ASCII, in which different texts stay different: `\xHH` for other octets, `\\` for a backslash.
std::string escaped(std::string_view text);

template <class T>
rust::Vec<T> to_rust(const std::vector<T>& list) {
  rust::Vec<T> out;
  out.reserve(list.size());
  std::copy(list.begin(), list.end(), std::back_inserter(out));
  return out;
}

// File names, exactly.
rust::Vec<rust::String> to_rust(const std::vector<std::string>& list);

}  // namespace tls::apr
