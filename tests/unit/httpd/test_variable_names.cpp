// SPDX-License-Identifier: Apache-2.0
// Which names are variables: what an expression or a format may ask for.
#include <gtest/gtest.h>

#include "report/variables.hpp"

namespace tls::report {
namespace {

TEST(VariableNames, ThoseOfTheTableAreKnownInAnyCase) {
  for (const char* name : {"HTTPS", "SSL_PROTOCOL", "ssl_cipher", "SSL_CLIENT_VERIFY", "SSL_TLS_SNI"}) {
    EXPECT_TRUE(is_variable(name)) << name;
  }
}

TEST(VariableNames, PartsOfDistinguishedNamesOfBothSidesWithAndWithoutANumber) {
  for (const char* name : {"SSL_CLIENT_S_DN_CN", "SSL_SERVER_I_DN_O", "SSL_CLIENT_S_DN_OU_3", "SSL_CLIENT_S_DN_CN_RAW",
                           "SSL_CLIENT_SAN_Email_0", "SSL_SERVER_SAN_DNS_12", "SSL_CLIENT_CERT_CHAIN_0",
                           "SSL_CLIENT_SAN_OTHER_dnsSRV_0", "SSL_SERVER_SAN_OTHER_msUPN_1", "SSL_SERVER_V_REMAIN"}) {
    EXPECT_TRUE(is_variable(name)) << name;
  }
}

TEST(VariableNames, NothingElseIs) {
  for (const char* name : {"", "SSL", "SSL_", "SSL_CLIENT_S_DN_", "SSL_CLIENT_S_DN_XX", "SSL_CLIENT_SAN_DNS_",
                           "SSL_CLIENT_SAN_DNS_x", "SSL_OTHER_S_DN_CN", "SSL_PROTOCOL_0"}) {
    EXPECT_FALSE(is_variable(name)) << name;
  }
}

}  // namespace
}  // namespace tls::report
