// SPDX-License-Identifier: Apache-2.0
// OpenSSL's language of cipher lists ("HIGH:!aNULL:+AES256:@STRENGTH"), evaluated over the table of suites.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tls::config {

// What a list selects of all suites below TLS 1.3, in OpenSSL's order of preference.
struct CipherSelection {
  std::vector<std::uint16_t> all;        // everything OpenSSL would select
  std::vector<std::uint16_t> supported;  // what of it this module negotiates, in the same order
  unsigned security_level = 0;           // the last @SECLEVEL; 0 when there is none
  std::string unknown;                   // the first word that names nothing; OpenSSL skips such words silently
  std::string error;                     // a command that does not exist; OpenSSL refuses the list
};

// Evaluates `list` as SSL_CTX_set_cipher_list() of OpenSSL 3 does.
CipherSelection select_ciphers(std::string_view list);

// What a system-wide policy ("PROFILE=SYSTEM" of Fedora and RHEL) stands for where no policy of the system applies.
inline constexpr std::string_view system_profile = "HIGH:!aNULL:!MD5";

}  // namespace tls::config
