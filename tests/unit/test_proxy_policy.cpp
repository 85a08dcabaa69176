// SPDX-License-Identifier: Apache-2.0
// The policy of outgoing connections: defaults of both vocabularies, the rules of names, and what keys tell apart.
#include <gtest/gtest.h>

#include "config/ciphers/suites.hpp"
#include "config/policy/proxy_policy.hpp"
#include "config/vocabulary/defaults.hpp"
#include "config_reader.hpp"

namespace tls::config::testing {
namespace {

class BackendPolicies : public ::testing::Test {
 protected:
  ProxyPolicy policy(Vocabulary words, const std::vector<const char*>& lines) {
    Scope scope;
    for (const char* line : lines) EXPECT_EQ(read_line(scope, arena_, line).error, "") << line;
    ProxySettings complete;
    merge(proxy_merges, arena_, complete, proxy_defaults(words, arena_), scope.proxy);
    return proxy_policy(complete, words);
  }
  ProxyPolicy tls(const std::vector<const char*>& lines) { return policy(Vocabulary::Tls, lines); }
  ProxyPolicy ssl(const std::vector<const char*>& lines) { return policy(Vocabulary::Ssl, lines); }

  HeapArena arena_;
};

TEST_F(BackendPolicies, OurWordsAreStrictAndThoseOfModSslAreItsOwn) {
  const ProxyPolicy strict = tls({});
  EXPECT_EQ(strict.verify, VerifyClient::Require);
  EXPECT_TRUE(strict.system_roots && strict.check_name && strict.check_dates && !strict.common_names);
  const ProxyPolicy lenient = ssl({});
  EXPECT_EQ(lenient.verify, VerifyClient::None);
  EXPECT_TRUE(!lenient.system_roots && lenient.check_name && lenient.check_dates && lenient.common_names);
  EXPECT_EQ(lenient.depth, 1U);
  EXPECT_EQ(strict.groups, lenient.groups);
  EXPECT_EQ(group(strict.groups.front())->name, "X25519MLKEM768");
}

TEST_F(BackendPolicies, GroupsHaveOneWordInBothVocabularies) {
  for (const Vocabulary words : {Vocabulary::Tls, Vocabulary::Ssl}) {
    const ProxyPolicy p = policy(words, {"TLSProxyGroups X25519:P-256"});
    ASSERT_EQ(p.groups.size(), 2U);
    EXPECT_EQ(group(p.groups.front())->name, "X25519");
  }
}

// modules/ssl/ssl_engine_io.c, ssl_io_filter_handshake
TEST_F(BackendPolicies, NamesAreCheckedAsModSslDoes) {
  const auto checked = [this](const std::vector<const char*>& lines) { return ssl(lines).check_name; };
  EXPECT_TRUE(checked({}));
  EXPECT_FALSE(checked({"SSLProxyCheckPeerName off"}));
  EXPECT_FALSE(checked({"SSLProxyCheckPeerCN off"}));
  EXPECT_FALSE(checked({"SSLProxyCheckPeerName off", "SSLProxyCheckPeerCN off"}));
  EXPECT_TRUE(checked({"SSLProxyCheckPeerName on", "SSLProxyCheckPeerCN off"}));
  EXPECT_TRUE(checked({"SSLProxyCheckPeerName off", "SSLProxyCheckPeerCN on"}));
}

TEST_F(BackendPolicies, ListsAreLookedAtWhereTheyAreNamedInOurWords) {
  EXPECT_EQ(tls({"TLSProxyCRL /lists"}).revocation.depth, RevocationCheck::Depth::Chain);
  EXPECT_EQ(ssl({"SSLProxyCARevocationFile /list"}).revocation.depth, RevocationCheck::Depth::None);
  EXPECT_EQ(ssl({"SSLProxyCARevocationFile /list", "SSLProxyCARevocationCheck leaf"}).revocation.depth,
            RevocationCheck::Depth::Leaf);
}

// Workers that agree share one policy, and with it rustls' configuration and sessions.
TEST_F(BackendPolicies, EncodingsAreEqualExactlyForEqualPolicies) {
  const std::vector<const char*> each[] = {{},
                                           {"TLSProxyProtocol TLSv1.3+"},
                                           {"TLSProxyCiphersSuppress TLS_AES_128_GCM_SHA256"},
                                           {"TLSProxyCiphersPrefer TLS_CHACHA20_POLY1305_SHA256"},
                                           {"TLSProxyGroups X25519"},
                                           {"TLSProxyCA /one"},
                                           {"TLSProxyCA /two"},
                                           {"TLSProxyVerify none"},
                                           {"TLSProxyVerifyName off"},
                                           {"TLSProxyVerifyDepth 2"},
                                           {"TLSProxyCRL /one"},
                                           {"TLSProxyMachineCertificate /one"},
                                           {"TLSProxyMachineCertificate /one /two"},
                                           {"TLSProxyMachineCertificate /one", "TLSProxyMachineCertificate /two"}};
  for (const auto& one : each) {
    for (const auto& other : each) EXPECT_EQ(encode(tls(one)) == encode(tls(other)), &one == &other);
  }
  EXPECT_EQ(encode(tls({"TLSProxyVerify require", "TLSProxyEngine on"})), encode(tls({})));
  EXPECT_NE(encode(ssl({"SSLProxyVerify require"})), encode(ssl({"SSLProxyVerify optional_no_ca"})));
}

}  // namespace
}  // namespace tls::config::testing
