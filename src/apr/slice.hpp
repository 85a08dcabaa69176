// SPDX-License-Identifier: Apache-2.0
// Byte spans of httpd as the bridge takes them.
#pragma once

#include <cstdint>
#include <string_view>

#include "rust/cxx.h"

namespace tls::apr {

using ConstBytes = rust::Slice<const std::uint8_t>;
using Bytes = rust::Slice<std::uint8_t>;

// httpd's buckets are char, the bridge's slices uint8_t; both alias bytes.
inline ConstBytes bytes(const char* data, std::size_t length) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(data), length};
}

inline Bytes mutable_bytes(char* data, std::size_t length) noexcept {
  return {reinterpret_cast<std::uint8_t*>(data), length};
}

}  // namespace tls::apr
