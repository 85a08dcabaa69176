// SPDX-License-Identifier: Apache-2.0
// Canonical bytes of settings: what two policies are compared by, and how their members cross to Rust.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.hpp"

namespace tls::config {

// Numbers in network order, texts and lists with their length in front, so that no two policies share an encoding.
// rust/core/src/tls/settings.rs reads it.
class Encoder {
 public:
  void put(bool v) { byte(v ? 1U : 0U); }
  void put(std::uint32_t v) {
    half(v >> 16U);
    half(v & 0xFFFFU);
  }
  void put(std::string_view v) {
    put(static_cast<std::uint32_t>(v.size()));
    bytes_.insert(bytes_.end(), v.begin(), v.end());
  }
  void put(const char* v) { put(std::string_view(v)); }
  void put(const std::string& v) { put(std::string_view(v)); }
  void put(const std::vector<std::uint16_t>& v) {
    put(static_cast<std::uint32_t>(v.size()));
    for (const std::uint16_t n : v) half(n);
  }
  template <class T>
  void put(const std::vector<T>& v) {
    put(static_cast<std::uint32_t>(v.size()));
    for (const T& each : v) put(each);
  }
  void put(const Versions& v) {
    put(v.tls12);
    put(v.tls13);
  }
  void put(const Lifetimes& v) {
    put(v.tls13_s);
    put(v.tls12_s);
  }
  void put(VerifyClient v) { byte(static_cast<unsigned>(v)); }
  void put(const RevocationCheck& v) {
    byte(static_cast<unsigned>(v.depth));
    put(v.no_crl_ok);
  }
  void put(const CertificateFiles& v) {
    put(v.certificate);
    put(v.key);
  }
  template <class T>
  void named(std::string_view name, const T& v) {
    put(name);
    put(v);
  }

  std::vector<std::uint8_t> bytes() && { return std::move(bytes_); }

 private:
  void byte(unsigned v) { bytes_.push_back(static_cast<std::uint8_t>(v)); }
  void half(std::size_t v) {
    byte(static_cast<unsigned>(v >> 8U));
    byte(static_cast<unsigned>(v));
  }

  std::vector<std::uint8_t> bytes_;
};

}  // namespace tls::config
