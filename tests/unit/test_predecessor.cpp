// SPDX-License-Identifier: Apache-2.0
// Configurations for icing/mod_tls are understood: names and values of its manual, and what it refuses.
#include <gtest/gtest.h>

#include "config_reader.hpp"

namespace tls::config::testing {
namespace {

// What configurations for icing/mod_tls may hold: each value of its manual is taken, or refused as there.
TEST(Predecessor, ValuesOfItsManual) {
  for (const char* line : {"TLSEngine 443",
                           "TLSEngine 10.0.0.1:443",
                           "TLSCertificate a.pem",
                           "TLSCertificate a.pem a.key",
                           "TLSProtocol default",
                           "TLSProtocol TLSv1.2+",
                           "TLSProtocol TLSv1.3+",
                           "TLSProtocol TLSv0x0303+",
                           "TLSProtocol TLSv0x0304+",
                           "TLSProtocol v1.2+",
                           "TLSCiphersPrefer TLS13_AES_256_GCM_SHA384",
                           "TLSCiphersPrefer ECDHE-ECDSA-CHACHA20-POLY1305:0xc02b TLS_AES_128_GCM_SHA256",
                           "TLSCiphersSuppress 0x1301",
                           "TLSCiphersPrefer default",
                           "TLSCiphersSuppress default",
                           "TLSHonorClientOrder on",
                           "TLSStrictSNI off",
                           "TLSOptions +StdEnvVars",
                           "TLSOptions Defaults",
                           "TLSOptions -ExportCertData",
                           "TLSSessionCache none",
                           "TLSSessionCache default",
                           "TLSSessionCache shmcb:mod_tls-sesss(64000)",
                           "TLSProxyEngine on",
                           "TLSProxyCA default",
                           "TLSProxyCA ca.pem",
                           "TLSProxyProtocol TLSv1.3+",
                           "TLSProxyProtocol default",
                           "TLSProxyCiphersPrefer TLS_AES_256_GCM_SHA384",
                           "TLSProxyCiphersSuppress TLS_AES_128_GCM_SHA256",
                           "TLSProxyMachineCertificate a.pem",
                           "TLSProxyMachineCertificate a.pem a.key"}) {
    HeapArena arena;
    Scope scope;
    EXPECT_EQ(read_line(scope, arena, line).error, "") << line;
    EXPECT_EQ(read_line(scope, arena, line).warning, "") << line;
  }
  for (const char* line :
       {"TLSEngine", "TLSEngine 0", "TLSEngine 70000", "TLSCertificate", "TLSProtocol wrong", "TLSProtocol TLSv0x0305+",
        "TLSProtocol TLSv1.4+", "TLSCiphersPrefer MY_SUITE", "TLSCiphersSuppress 0xffff", "TLSHonorClientOrder maybe",
        "TLSStrictSNI strict", "TLSOptions +Nonsense", "TLSSessionCache wrong:x", "TLSProxyEngine maybe"}) {
    HeapArena arena;
    Scope scope;
    EXPECT_NE(read_line(scope, arena, line).error, "") << line;
  }
}

}  // namespace
}  // namespace tls::config::testing
