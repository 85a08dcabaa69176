// SPDX-License-Identifier: Apache-2.0
// What DUMP_TLS_MIGRATION says of single directives.
#include <gtest/gtest.h>

#include "config/vocabulary/migration.hpp"
#include "config_reader.hpp"

namespace tls::config::testing {
namespace {

std::string difference(std::string_view line, bool in_section = false) {
  const std::vector<std::string> words = words_of(line);
  std::vector<const char*> pointers;
  for (std::size_t i = 1; i < words.size(); ++i) pointers.push_back(words[i].c_str());
  return migration_difference(Arguments{words[0], pointers, {}, false, {}}, in_section);
}

TEST(Migration, SaysWhatIsDifferent) {
  EXPECT_EQ(
      difference("SSLCipherSuite ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA"),
      "SSLCipherSuite: 1 of this list remain here; clients that know only others, such as AES128-SHA, cannot connect");
  EXPECT_EQ(difference("SSLProtocol all -SSLv3"),
            "SSLProtocol: \"all\" is TLSv1.2 and TLSv1.3: clients that know only TLSv1 or TLSv1.1 cannot connect");
  EXPECT_EQ(
      difference("SSLProxyProtocol all -SSLv3", true),
      "SSLProxyProtocol: \"all\" is TLSv1.2 and TLSv1.3: backends that know only TLSv1 or TLSv1.1 cannot connect");
  EXPECT_NE(difference("SSLProxyCipherSuite HIGH"), "");
  EXPECT_NE(difference("SSLVerifyClient require", true), "");
  EXPECT_NE(difference("SSLCipherSuite HIGH", true), "");
  EXPECT_NE(difference("SSLOptions +StdEnvVars +OptRenegotiate", true), "");
  EXPECT_NE(difference("SSLSessionTicketKeyFile key"), "");
  EXPECT_NE(difference("SSLRandomSeed startup builtin"), "");
  EXPECT_EQ(
      difference("SSLOpenSSLConfCmd Curves X25519:prime256v1:secp384r1"),
      "SSLOpenSSLConfCmd: Curves turns post-quantum key exchange off, as in OpenSSL; to keep it, begin the list with "
      "X25519MLKEM768, or add SSLPostQuantum prefer");
}

TEST(Migration, IsSilentWhereNothingIs) {
  EXPECT_EQ(difference("SSLCipherSuite ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"), "");
  EXPECT_EQ(difference("SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256"), "");
  EXPECT_EQ(difference("SSLProtocol all -SSLv3 -TLSv1 -TLSv1.1"), "");
  EXPECT_EQ(difference("SSLProtocol -all +TLSv1.2 +TLSv1.3"), "");
  EXPECT_EQ(difference("SSLVerifyClient none", true), "");
  EXPECT_EQ(difference("SSLVerifyClient require"), "");
  EXPECT_EQ(difference("SSLEngine on"), "");
  EXPECT_EQ(difference("SSLOpenSSLConfCmd Groups X25519MLKEM768:X25519"), "");
  EXPECT_EQ(difference("SSLOpenSSLConfCmd MinProtocol TLSv1.2"), "");
}

}  // namespace
}  // namespace tls::config::testing
