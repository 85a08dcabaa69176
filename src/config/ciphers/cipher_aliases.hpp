// SPDX-License-Identifier: Apache-2.0
// The words of OpenSSL's cipher language and what each of them matches.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "config/ciphers/suites.hpp"

namespace tls::config {

// What a word, or several joined by "+", asks of a suite. A mask of zero asks nothing.
struct CipherMatch {
  std::uint32_t key_exchanges = 0;    // 1 << KeyExchange
  std::uint32_t authentications = 0;  // 1 << Authentication
  std::uint64_t encryptions = 0;      // encryption_bit()
  std::uint32_t macs = 0;             // 1 << Mac
  std::uint32_t strengths = 0;        // CipherStrength
  std::optional<FirstVersion> version{};
  bool complement_of_default = false;
  std::uint16_t number = 0;  // one suite only

  [[nodiscard]] bool matches(const Suite& suite) const;
  // Both conditions together; false when nothing can meet them, which OpenSSL treats as an unknown word.
  bool narrow(const CipherMatch& other);
};

enum CipherStrength : std::uint8_t {
  StrengthNone = 1,
  StrengthLow = 2,
  StrengthMedium = 4,
  StrengthHigh = 8,
  StrengthFips = 16
};

// What `word` matches, an alias or the name of a suite; nothing for an unknown word. Case counts, as in OpenSSL.
std::optional<CipherMatch> cipher_word(std::string_view word);

}  // namespace tls::config
