// SPDX-License-Identifier: Apache-2.0
// The effective policy: defaults of both vocabularies, when TLS is on, and what the encodings tell apart.
#include <gtest/gtest.h>

#include "config/ciphers/suites.hpp"
#include "config/policy/effective.hpp"
#include "config/vocabulary/defaults.hpp"
#include "config_reader.hpp"

namespace tls::config::testing {
namespace {

Listener at(const char* text) { return *parse_listener(text); }

class Effective : public ::testing::Test {
 protected:
  // The policy of a virtual host with `lines` in a base server with `base_lines`.
  EffectivePolicy policy(Vocabulary words, const std::vector<const char*>& lines,
                         const std::vector<const char*>& base_lines = {},
                         const std::vector<Listener>& addresses = {{{}, 443}}, bool https = false) {
    Scope base;
    Scope host;
    for (const char* line : base_lines) EXPECT_EQ(read_line(base, arena_, line).error, "") << line;
    for (const char* line : lines) EXPECT_EQ(read_line(host, arena_, line, Place::VirtualHost).error, "") << line;
    Scope defaults;
    defaults.server = server_defaults(words, arena_);
    return effective_policy(merged_scopes(arena_, merged_scopes(arena_, defaults, base), host).server, words, addresses,
                            https);
  }
  EffectivePolicy tls(const std::vector<const char*>& lines, const std::vector<const char*>& base = {}) {
    return policy(Vocabulary::Tls, lines, base);
  }
  EffectivePolicy ssl(const std::vector<const char*>& lines, const std::vector<const char*>& base = {}) {
    return policy(Vocabulary::Ssl, lines, base);
  }
  std::string suites(const EffectivePolicy& p) {
    std::string text;
    for (const std::uint16_t n : p.negotiated.suites)
      text += (text.empty() ? "" : ":") + std::string(suite(n)->openssl);
    return text;
  }

  HeapArena arena_;
};

TEST_F(Effective, SuitesHaveTheDefaultOrderOfTheirVocabulary) {
  EXPECT_TRUE(suites(tls({})).starts_with("TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"));
  EXPECT_EQ(suites(ssl({"SSLCipherSuite ECDHE-ECDSA-AES128-GCM-SHA256"})),
            "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256");
  EXPECT_TRUE(suites(ssl({"SSLProtocol TLSv1.2"})).starts_with("ECDHE-ECDSA-AES256-GCM-SHA384:"));
}

TEST_F(Effective, EveryDefaultIsReadByItsOwnParser) {
  const auto check = [this](const auto& rows) {
    for (const auto& row : rows) {
      for (const char* fallback : {row.text.fallback, row.text.ssl_fallback}) {
        if (fallback == nullptr) continue;
        Scope scope;
        const bool host = row.context == Context::VirtualHost;
        const auto outcome =
            read_line(scope, arena_, std::string(row.name) + " " + fallback, host ? Place::VirtualHost : Place::Server);
        EXPECT_EQ(outcome.error, "") << row.name;
        EXPECT_EQ(outcome.warning, "") << row.name;
      }
    }
  };
  check(all_server_rows);
  check(all_proxy_rows);
}

TEST_F(Effective, TlsDefaults) {
  const EffectivePolicy p = tls({});
  EXPECT_FALSE(p.enabled);
  EXPECT_TRUE(p.negotiated.versions.tls12 && p.negotiated.versions.tls13 && p.strict_sni);
  EXPECT_FALSE(p.negotiated.honor_client_order);
  EXPECT_EQ(p.negotiated.groups, (GroupList{0x11EC, 0x001D, 0x0017, 0x0018}));
  EXPECT_EQ(suites(p),
            "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
            "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
            "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305");
  EXPECT_EQ(p.handshake_timeout_s, 20U);
}

TEST_F(Effective, SslDefaults) {
  const EffectivePolicy p = ssl({});
  EXPECT_FALSE(p.enabled || p.strict_sni || p.refuse_without_sni);
  EXPECT_TRUE(p.negotiated.honor_client_order);
  EXPECT_EQ(suites(p),
            "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
            "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256");
  EXPECT_EQ(p.sni_policy, SniPolicy::Secure);
  EXPECT_EQ(p.client.verify, VerifyClient::None);
  EXPECT_EQ(p.client.depth, 1U);
  EXPECT_EQ(p.negotiated.lifetime, (Lifetimes{300, 300}));
}

TEST_F(Effective, MinimumVersionTakesItsSuitesAway) {
  const EffectivePolicy p = tls({"TLSProtocol TLSv1.3+"});
  EXPECT_FALSE(p.negotiated.versions.tls12);
  EXPECT_EQ(suites(p), "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
}

TEST_F(Effective, PreferredSuitesComeFirstSuppressedOnesNotAtAll) {
  EXPECT_EQ(suites(tls({"TLSProtocol TLSv1.3+", "TLSCiphersPrefer TLS_CHACHA20_POLY1305_SHA256",
                        "TLSCiphersSuppress TLS_AES_128_GCM_SHA256"})),
            "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384");
}

TEST_F(Effective, CipherSuiteGivesExactlyItsListForTls12) {
  const EffectivePolicy p = ssl({"SSLProtocol -all +TLSv1.2", "SSLCipherSuite ECDHE-RSA-AES128-GCM-SHA256:HIGH"});
  EXPECT_EQ(p.negotiated.suites.front(), 0xC02F);
  EXPECT_EQ(p.negotiated.suites.size(), 6U);
  EXPECT_EQ(suites(ssl({"SSLProtocol -all +TLSv1.3", "SSLCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384"})),
            "TLS_AES_256_GCM_SHA384");
}

TEST_F(Effective, BoundsOfConfCommandsReplaceThoseOfProtocol) {
  EXPECT_FALSE(ssl({"SSLOpenSSLConfCmd MinProtocol TLSv1.3"}).negotiated.versions.tls12);
  EXPECT_FALSE(ssl({"SSLOpenSSLConfCmd MaxProtocol TLSv1.2"}).negotiated.versions.tls13);
  EXPECT_TRUE(ssl({"SSLProtocol TLSv1.3", "SSLOpenSSLConfCmd MinProtocol TLSv1.2"}).negotiated.versions.tls12);
  EXPECT_FALSE(ssl({"SSLOpenSSLConfCmd Protocol ALL,-TLSv1.3"}).negotiated.versions.tls13);
  EXPECT_FALSE(ssl({"SSLOpenSSLConfCmd Options -SessionTicket"}).negotiated.tickets);
  EXPECT_FALSE(ssl({"SSLOpenSSLConfCmd Options ServerPreference"}).negotiated.honor_client_order);
}

TEST_F(Effective, GroupsOfConfCommands) {
  const auto groups = [this](const char* line) { return ssl({line}).negotiated.groups; };
  EXPECT_EQ(groups("SSLOpenSSLConfCmd Curves X25519:prime256v1:secp384r1"), (GroupList{0x1D, 0x17, 0x18}));
  EXPECT_EQ(groups("SSLOpenSSLConfCmd Groups ?SecP384r1MLKEM1024:*X25519MLKEM768/?nonsense:P-521:secp256r1"),
            (GroupList{0x11ED, 0x11EC, 0x17}));
  EXPECT_EQ(groups("SSLOpenSSLConfCmd Groups DEFAULT:-X25519"), (GroupList{0x11EC, 0x17, 0x18}));
  EXPECT_EQ(groups("SSLOpenSSLConfCmd ECDHParameters secp384r1"), (GroupList{0x18}));
  EXPECT_EQ(groups("SSLOpenSSLConfCmd ECDHParameters Automatic").size(), 4U);
  Scope scope;
  EXPECT_EQ(
      read_line(scope, arena_, "SSLOpenSSLConfCmd Groups P-521:X448").error,
      "SSLOpenSSLConfCmd: none of the groups in \"P-521:X448\" exists here; there are X25519MLKEM768, X25519, P-256, "
      "P-384, SecP256r1MLKEM768 and SecP384r1MLKEM1024");
  EXPECT_EQ(read_line(scope, arena_, "SSLOpenSSLConfCmd Curves X25519:prime256v2").error,
            "SSLOpenSSLConfCmd: unknown group \"prime256v2\"; did you mean \"prime256v1\"?");
}

TEST_F(Effective, PostQuantumGoesBeforeTheListOfGroups) {
  const auto tls_groups = [this](const std::vector<const char*>& lines) { return tls(lines).negotiated.groups; };
  EXPECT_EQ(tls_groups({"TLSPostQuantum prefer"}), (GroupList{0x11EC, 0x1D, 0x17, 0x18}));
  EXPECT_EQ(tls_groups({"TLSPostQuantum prefer", "TLSGroups X25519:P-256"}), (GroupList{0x11EC, 0x1D, 0x17}));
  EXPECT_EQ(tls_groups({"TLSPostQuantum prefer", "TLSGroups X25519:SecP256r1MLKEM768"}), (GroupList{0x11EB, 0x1D}));
  EXPECT_EQ(tls_groups({"TLSPostQuantum require"}), (GroupList{0x11EC, 0x11EB, 0x11ED}));
  EXPECT_EQ(tls_groups({"TLSPostQuantum require", "TLSGroups X25519"}), (GroupList{0x11EC, 0x11EB, 0x11ED}));
  EXPECT_EQ(tls_groups({"TLSPostQuantum require", "TLSGroups X25519:MLKEM1024"}), (GroupList{0x202}));
  EXPECT_EQ(tls_groups({"TLSPostQuantum off"}), (GroupList{0x1D, 0x17, 0x18}));
  EXPECT_EQ(ssl({"SSLPostQuantum require", "SSLOpenSSLConfCmd Groups SecP384r1MLKEM1024:P-256"}).negotiated.groups,
            (GroupList{0x11ED}));
  EXPECT_TRUE(tls({"TLSPostQuantum require"}).negotiated.needs_post_quantum);
  EXPECT_NE(encode_policy(tls({"TLSPostQuantum require", "TLSGroups X25519MLKEM768"})),
            encode_policy(tls({"TLSGroups X25519MLKEM768"})));
}

TEST_F(Effective, ClientsSignAsTheServerDoesUnlessTheyHaveAListOfTheirOwn) {
  const auto lists = [](const EffectivePolicy& p) { return std::pair(p.negotiated.signatures, p.client.signatures); };
  using Lists = std::pair<SchemeList, SchemeList>;
  EXPECT_EQ(lists(tls({})), Lists());
  EXPECT_EQ(lists(tls({"TLSSignatureAlgorithms ed25519"})), (Lists{{0x0807}, {0x0807}}));
  EXPECT_EQ(lists(tls({"TLSSignatureAlgorithms ed25519", "TLSClientSignatureAlgorithms default"})),
            (Lists{{0x0807}, {}}));
  EXPECT_EQ(lists(ssl({"SSLOpenSSLConfCmd ClientSignatureAlgorithms RSA+SHA256"})), (Lists{{}, {0x0401}}));
}

TEST_F(Effective, EngineFollowsListenersByAddressAndPort) {
  const std::vector<const char*> base = {"TLSEngine 443 192.0.2.1:8443 [2001:db8::1]:9443"};
  const auto here = [&](const char* address) { return policy(Vocabulary::Tls, {}, base, {at(address)}).enabled; };
  EXPECT_TRUE(here("*:443"));
  EXPECT_TRUE(here("198.51.100.7:443"));
  EXPECT_TRUE(here("192.0.2.1:8443"));
  EXPECT_FALSE(here("192.0.2.2:8443"));
  EXPECT_TRUE(here("*:8443")) << "some of its connections arrive at 192.0.2.1";
  EXPECT_FALSE(here("*:80"));
  const EffectivePolicy wide = policy(Vocabulary::Tls, {}, base, {at("*:8443")});
  EXPECT_TRUE(wide.engine.on_at(at("192.0.2.1:8443")));
  EXPECT_FALSE(wide.engine.on_at(at("192.0.2.2:8443")));
  EXPECT_TRUE(wide.engine.on_at(at("[2001:db8::1]:9443")));
  EXPECT_FALSE(wide.engine.on_at(at("[2001:db8::2]:9443")));
  const EffectivePolicy main = policy(Vocabulary::Tls, {}, base, {});
  EXPECT_TRUE(main.enabled);
  EXPECT_FALSE(main.engine.on_at(at("192.0.2.9:80"))) << "the main server is plain where no listener says otherwise";
}

TEST_F(Effective, AVirtualHostsOwnSwitchCountsMore) {
  EXPECT_FALSE(tls({"TLSEngine off"}, {"TLSEngine 443"}).enabled);
  EXPECT_TRUE(tls({"TLSEngine on"}, {"TLSEngine 8443"}).enabled);
  EXPECT_TRUE(tls({"TLSEngine on"}).engine.on_at(at("192.0.2.1:1")));
  EXPECT_TRUE(ssl({}, {"SSLEngine on"}).enabled) << "inherited from the global scope";
  EXPECT_FALSE(ssl({"SSLEngine off"}, {"SSLEngine on"}).enabled);
}

TEST_F(Effective, KeysArePairedInTheirOrder) {
  const EffectivePolicy p =
      ssl({"SSLCertificateFile /rsa.pem", "SSLCertificateFile /ec.pem", "SSLCertificateKeyFile /rsa.key",
           "SSLCertificateKeyFile /ec.key", "SSLCertificateKeyFile /more.key"});
  ASSERT_EQ(p.certificates.size(), 2U);
  EXPECT_EQ(p.certificates[0].key, "/rsa.key");
  EXPECT_EQ(p.certificates[1].key, "/ec.key");
  ASSERT_EQ(p.spare_keys.size(), 1U);
  EXPECT_EQ(p.spare_keys.front().path, "/more.key");
}

TEST_F(Effective, PolicyEncodingTellsSettingsApartAndNotFiles) {
  const auto code = [this](const char* line) { return encode_policy(tls({line})); };
  EXPECT_EQ(code("TLSProtocol default"), code("TLSProtocol TLSv1.2+"));
  EXPECT_EQ(code("TLSCertificate a.pem"), code("TLSCertificate b.pem"));
  for (const char* line :
       {"TLSProtocol TLSv1.3+", "TLSGroups X25519", "TLSHonorClientOrder on", "TLSSignatureAlgorithms ed25519",
        "TLSClientSignatureAlgorithms ed25519", "TLSSessionTickets off", "TLSCiphersSuppress TLS_AES_128_GCM_SHA256"}) {
    EXPECT_NE(code(line), code("TLSProtocol default")) << line;
  }
}

TEST_F(Effective, HostEncodings) {
  const auto secure = [this](const std::vector<const char*>& lines) {
    return encode_host(ssl(lines), HostDigest::Secure);
  };
  const auto auth = [this](const std::vector<const char*>& lines) {
    return encode_host(ssl(lines), HostDigest::AuthOnly);
  };
  EXPECT_NE(secure({"SSLCertificateFile /a"}), secure({"SSLCertificateFile /b"}));
  EXPECT_EQ(auth({"SSLCertificateFile /a"}), auth({"SSLCertificateFile /b"}));
  EXPECT_NE(secure({"SSLProtocol TLSv1.3"}), secure({}));
  EXPECT_EQ(auth({"SSLProtocol TLSv1.3"}), auth({}));
  EXPECT_EQ(secure({"SSLHonorCipherOrder on"}), secure({}));
  EXPECT_NE(auth({"SSLVerifyClient require"}), auth({}));
  EXPECT_NE(auth({"SSLOpenSSLConfCmd SignatureAlgorithms ed25519"}), auth({}));
  EXPECT_NE(secure({"SSLVerifyClient require"}), secure({}));
  EXPECT_EQ(secure({"SSLCertificateFile /a"}), secure({"SSLCertificateFile /a"}));
}

TEST(Listeners, WhatIsRead) {
  for (const char* bad :
       {"", ":", "x", "0", "65536", "443 ", "*:", "1.2.3:443", "2001:db8::1:443", "[::1]", "[x]:443"}) {
    EXPECT_FALSE(parse_listener(bad)) << bad;
  }
  EXPECT_TRUE(at("*:443").address.is_any());
  EXPECT_TRUE(at("0.0.0.0:443").address.is_any());
  EXPECT_EQ(at("[::ffff:192.0.2.1]:443"), at("192.0.2.1:443"));
}

}  // namespace
TEST_F(Effective, SslWordsFollowTheProtocolOfTheListenerWhereACertificateIsNamed) {
  const auto on = [this](Vocabulary words, const std::vector<const char*>& lines,
                         const std::vector<const char*>& base = {}) {
    return policy(words, lines, base, {{{}, 443}}, true).enabled;
  };
  EXPECT_TRUE(on(Vocabulary::Ssl, {"SSLCertificateFile a.pem"}));
  EXPECT_TRUE(on(Vocabulary::Ssl, {}, {"SSLCertificateFile a.pem"})) << "it is inherited as any other word";
  EXPECT_FALSE(on(Vocabulary::Ssl, {})) << "nothing to show";
  EXPECT_FALSE(on(Vocabulary::Ssl, {"SSLEngine off", "SSLCertificateFile a.pem"}));
  EXPECT_FALSE(on(Vocabulary::Ssl, {"SSLCertificateFile a.pem"}, {"SSLEngine off"}));
  EXPECT_FALSE(on(Vocabulary::Tls, {"TLSCertificate a.pem"})) << "TLSEngine is what our own words go by";
}

}  // namespace tls::config::testing
