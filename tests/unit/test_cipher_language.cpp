// SPDX-License-Identifier: Apache-2.0
// OpenSSL's cipher language: OpenSSL itself is the oracle, over data/cipher_lists.txt.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "config/ciphers/cipher_language.hpp"
#include "config/ciphers/suites.hpp"
#include "config/settings.hpp"
#include "config/words.hpp"

namespace tls::config {
namespace {

std::string names_of(const std::vector<std::uint16_t>& numbers) {
  std::string text;
  for (const std::uint16_t n : numbers) text += (text.empty() ? "" : ":") + std::string(suite(n)->openssl);
  return text;
}

// What `openssl ciphers` selects of the suites that exist here; nothing when it refuses the list.
std::string ask_openssl(const std::string& list) {
  const std::string command = "openssl ciphers -s -tls1_2 '" + list + "' 2>/dev/null";
  std::FILE* pipe = popen(command.c_str(), "r");
  std::string out;
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) out += buffer;
  pclose(pipe);
  std::string known;
  for (const std::string_view name : split(out, ":\n")) {
    const Suite* found = find_suite(name);
    if (found != nullptr && is_supported(*found)) known += (known.empty() ? "" : ":") + std::string(name);
  }
  return known;
}

std::vector<std::string> lists() {
  std::ifstream file(TEST_DATA "/cipher_lists.txt");
  std::vector<std::string> all;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) all.push_back(line);
  }
  return all;
}

TEST(CipherLanguage, SelectsAsOpenSslDoes) {
  const auto all = lists();
  ASSERT_GE(all.size(), 200U);
  ASSERT_NE(ask_openssl("ALL"), "") << "openssl cannot be asked";
  for (const std::string& list : all) {
    const CipherSelection selection = select_ciphers(list);
    EXPECT_EQ(names_of(selection.error.empty() ? selection.supported : SuiteList{}), ask_openssl(list)) << list;
  }
}

TEST(CipherLanguage, NamesWhatItDoesNotKnow) {
  EXPECT_EQ(select_ciphers("HIGH:FOO:BAR").unknown, "FOO");
  EXPECT_EQ(select_ciphers("HIGH:!FOO").unknown, "!FOO");
  EXPECT_EQ(select_ciphers("HIGH:@FOO").error, "unknown command \"@FOO\"; there are @STRENGTH and @SECLEVEL=0 to 5");
  EXPECT_EQ(select_ciphers("HIGH:#").error, "\"#\" cannot stand there");
}

TEST(CipherLanguage, SystemProfileAndIanaNames) {
  EXPECT_EQ(select_ciphers("PROFILE=SYSTEM").supported.size(), 6U);
  EXPECT_EQ(select_ciphers("DEFAULT_SUSE:!RC4").supported, select_ciphers("DEFAULT").supported);
  EXPECT_EQ(names_of(select_ciphers("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256").supported), "ECDHE-RSA-AES128-GCM-SHA256");
}

TEST(Suites, AreKnownByAllTheirNames) {
  for (const char* name :
       {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ecdhe-rsa-aes128-gcm-sha256", "0xC02F", "0xc0,0x2f"}) {
    ASSERT_NE(find_suite(name), nullptr) << name;
    EXPECT_EQ(find_suite(name)->number, 0xC02F) << name;
  }
  for (const char* name : {"C02F", "0xC02", "0xC02F0", "", "TLS_FOO"}) EXPECT_EQ(find_suite(name), nullptr) << name;
  EXPECT_GE(suites().size(), 240U);
}

}  // namespace
}  // namespace tls::config
