// SPDX-License-Identifier: Apache-2.0
// Rules over several settings: what is found, in which words, and that all is found at once.
#include <gtest/gtest.h>

#include "config/policy/checks.hpp"
#include "config/vocabulary/defaults.hpp"
#include "config_reader.hpp"

namespace tls::config::testing {
namespace {

class Checks : public ::testing::Test {
 protected:
  struct Host {
    Scope scope;
    EffectivePolicy policy;
    CheckedHost checked;
  };

  // A virtual host of `lines`, whose first word says the vocabulary it counts as.
  void add(const std::vector<const char*>& lines, const char* address = "*:443") {
    Host& host = hosts_.emplace_back();
    for (const char* line : lines) {
      EXPECT_EQ(read_line(host.scope, arena_, line, Place::VirtualHost).error, "") << line;
      const char*& first =
          std::string_view(line).starts_with("SSL") ? host.checked.ssl_directive : host.checked.tls_directive;
      if (first == nullptr) first = arena_.keep(words_of(line)[0])->c_str();
    }
    const bool ssl = std::string_view(lines[0]).starts_with("SSL");
    Scope defaults;
    defaults.server = server_defaults(ssl ? Vocabulary::Ssl : Vocabulary::Tls, arena_);
    host.checked.addresses = {*parse_listener(address)};
    host.scope = merged_scopes(arena_, base_, host.scope);
    host.policy = effective_policy(merged_scopes(arena_, defaults, host.scope).server,
                                   ssl ? Vocabulary::Ssl : Vocabulary::Tls, host.checked.addresses, false);
    host.checked.name = "host" + std::to_string(hosts_.size());
    host.checked.is_virtual = true;
    host.checked.policy = &host.policy;
    host.checked.settings = &host.scope.server;
  }

  std::vector<std::string> problems() {
    std::vector<CheckedHost> checked;
    for (const Host& host : hosts_) checked.push_back(host.checked);
    std::vector<std::string> texts;
    const std::vector<Listener> listening = {*parse_listener("443"), *parse_listener("80")};
    for (const PolicyProblem& p : check_hosts(checked, listening)) {
      const char* const kind = p.severity == Severity::Error ? "E " : p.severity == Severity::Notice ? "N " : "W ";
      texts.push_back(kind + p.host + ": " + p.text);
    }
    return texts;
  }

  HeapArena arena_;
  Scope base_;
  std::deque<Host> hosts_;
};

using Texts = std::vector<std::string>;

TEST_F(Checks, ListsOfGroupsThatTakePostQuantumAwayAreNamedWithTheLineToWrite) {
  add({"TLSEngine on", "TLSGroups X25519:P-256"});
  add({"SSLEngine on", "SSLOpenSSLConfCmd Curves X25519:prime256v1:secp384r1"});
  for (const char* silent : {"TLSPostQuantum off", "TLSPostQuantum prefer", "TLSGroups X25519:MLKEM768"}) {
    add({"TLSEngine on", "TLSGroups X25519:P-256", silent});
  }
  add({"SSLEngine on", "SSLOpenSSLConfCmd Curves X25519", "SSLProtocol TLSv1.2"});
  add({"TLSEngine on", "TLSGroups X25519MLKEM768", "TLSPostQuantum off"});
  const std::string begin =
      ": this list of groups turns post-quantum key exchange off: what is recorded today can be "
      "read once there is a quantum computer. Write \"";
  EXPECT_EQ(problems(),
            (std::vector<std::string>{
                "N host1" + begin +
                    "TLSGroups X25519MLKEM768:X25519:P-256\" instead, or \"TLSPostQuantum prefer\" "
                    "beside it; \"TLSPostQuantum off\" says that it is meant",
                "N host2" + begin +
                    "SSLOpenSSLConfCmd Groups X25519MLKEM768:X25519:P-256:P-384\" instead, or "
                    "\"SSLPostQuantum prefer\" beside it; \"SSLPostQuantum off\" says that it is meant",
                "E host7: no group is left for key exchange: the list has none but post-quantum ones, and those are "
                "off; add X25519 to TLSGroups"}));
}

TEST_F(Checks, GroupsThatOnlyTls13HasNeedIt) {
  add({"SSLEngine on", "SSLOpenSSLConfCmd Groups X25519MLKEM768", "SSLProtocol TLSv1.2"});
  add({"SSLEngine on", "SSLOpenSSLConfCmd Groups X25519MLKEM768:X25519", "SSLProtocol TLSv1.2"});
  add({"SSLEngine on", "SSLOpenSSLConfCmd Groups X25519MLKEM768"});
  EXPECT_EQ(problems(),
            (Texts{"E host1: nobody could connect: all groups of this list are post-quantum ones, which are "
                   "TLS 1.3's, and that is off here; allow TLSv1.3 and a cipher suite of it, or add X25519 "
                   "to SSLOpenSSLConfCmd Groups"}));
}

TEST_F(Checks, ListsThatNobodyLooksIntoAreTold) {
  const char* const asks = "SSLVerifyClient require";
  add({"SSLEngine on", asks, "SSLCARevocationFile /crl"});
  add({"SSLEngine on", asks, "SSLCARevocationFile /crl", "SSLCARevocationCheck leaf"});
  add({"SSLEngine on", asks, "SSLCARevocationPath /crls", "SSLCARevocationCheck none"});
  add({"SSLEngine on", "SSLCARevocationFile /crl"});
  EXPECT_EQ(problems(), (Texts{"W host1: revocation lists are named, but nobody looks into them, so that clients pass "
                               "whose certificates were revoked, as with mod_ssl; write \"SSLCARevocationCheck chain\" "
                               "beside this line, or leave it out"}));
}

TEST_F(Checks, UsersWhomNoCertificateNamesAreTold) {
  for (const char* asks : {"SSLVerifyClient none", "SSLVerifyClient optional"}) {
    add({"SSLEngine on", asks});
    hosts_.back().checked.names_users.push_back({"file", static_cast<unsigned>(hosts_.size())});
  }
  EXPECT_EQ(problems(), (Texts{"W host1: users are to be named by clients' certificates, but nobody is asked for one, "
                               "and no proxy is trusted to tell of them; write \"SSLVerifyClient optional\" and name "
                               "authorities, or leave this line out"}));
}

TEST_F(Checks, ACertificateWithoutTheSwitchIsTold) {
  const char* const certificate = "SSLCertificateFile /a";
  add({certificate}, "*:8443");
  add({certificate, "SSLEngine off"}, "*:8444");
  add({certificate}, "*:80");
  EXPECT_EQ(problems(), (Texts{"W host1: has a certificate, but its SSLEngine is not on, so that it speaks plain HTTP; "
                               "write \"SSLEngine on\" into it, or take the certificate out"}));
}

TEST_F(Checks, WhoHasNoTlsWhereTheFirstHasItIsTold) {
  add({"SSLEngine on"}, "*:8443");
  add({"SSLCertificateFile /a"}, "*:8443");
  add({"SSLEngine off"}, "*:8443");
  EXPECT_EQ(problems(),
            (Texts{"W host1: speaks TLS, but httpd listens at none of its addresses; add \"Listen 8443\"",
                   "W host2: has no TLS of its own: connections to its address are those of the first virtual host "
                   "there, host1, which speaks TLS with its own certificate and settings; write \"SSLEngine on\" into "
                   "this one too and name a certificate, or give it another address or port"}));
}

TEST_F(Checks, NothingIsSaidOfWhatIsRight) {
  add({"TLSEngine on", "TLSCertificate a.pem", "TLSProtocol TLSv1.3+"});
  add({"SSLEngine on", "SSLCertificateFile a.pem", "SSLVerifyClient require", "SSLCACertificateFile ca.pem"});
  add({"SSLEngine off"}, "*:80");
  EXPECT_EQ(problems(), Texts{});
}

TEST_F(Checks, AllProblemsAtOnce) {
  add({"TLSEngine on", "SSLProtocol all"});
  add({"TLSEngine on",
       "TLSCiphersSuppress TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"});
  add({"SSLEngine on", "SSLVerifyClient optional", "SSLCARevocationCheck chain"});
  add({"SSLEngine on"}, "*:80");
  add({"SSLEngine off"}, "192.0.2.1:443");
  add({"TLSCertificate a.pem"});
  EXPECT_EQ(
      problems(),
      (Texts{"E host1: SSLProtocol stands in a virtual host that also has TLSEngine; use either the TLS* or the SSL* "
             "words in one virtual host",
             "W host2: no cipher suite is left for TLSv1.3, so that it is never spoken; allow one",
             "E host3: CRL checking has been enabled, but neither SSLCARevocationFile nor SSLCARevocationPath is "
             "configured",
             "W host4: You configured HTTPS(443) on the standard HTTP(80) port!",
             "W host5: You configured HTTP(80) on the standard HTTPS(443) port!",
             "W host6: has a certificate, but none of its ports is listed by TLSEngine, so that it speaks no TLS; "
             "write \"TLSEngine on\" into it, or list its port"}));
}

TEST_F(Checks, ANameThatAnEarlierHostHasIsNeverAskedHere) {
  add({"TLSEngine on"});
  hosts_.back().checked.server_name = "www.test";
  hosts_.back().checked.aliases = {"Alias.test", "*.wild.test"};
  for (const char* name : {"WWW.test", "alias.test", "a.b.wild.test", "other.test", "wild.test"}) {
    add({"TLSEngine on"});
    hosts_.back().checked.server_name = name;
  }
  add({"TLSEngine on"}, "192.0.2.1:443");
  hosts_.back().checked.server_name = "alias.test";
  const std::string behind =
      " of a virtual host before it at *:443 (:0), which gets all its requests; move it before "
      "that one, or take the alias out there";
  EXPECT_EQ(
      problems(),
      (Texts{"W host2: has the ServerName of a virtual host before it at *:443 (:0), which gets all its requests; "
             "give it another ServerName, or make one of the two",
             "W host3: has a ServerName that is covered by ServerAlias Alias.test" + behind,
             "W host4: has a ServerName that is covered by ServerAlias *.wild.test" + behind}));
}

TEST_F(Checks, AHostThatNobodyListensForIsNamedWithTheLineToAdd) {
  add({"SSLEngine on"}, "*:8443");
  add({"SSLEngine on"}, "192.0.2.1:8444");
  add({"SSLEngine off"}, "*:8445");
  EXPECT_EQ(problems(),
            (Texts{"W host1: speaks TLS, but httpd listens at none of its addresses; add \"Listen 8443\"",
                   "W host2: speaks TLS, but httpd listens at none of its addresses; add \"Listen 192.0.2.1:8444\""}));
}

TEST_F(Checks, LinesAboutClientsThatAnotherHostGoesByAreNotInVain) {
  read_line(base_, arena_, "TLSClientCA ca.pem");
  read_line(base_, arena_, "TLSClientOCSP chain");
  add({"TLSEngine on", "TLSClientCertificate required"});
  add({"TLSEngine on"});
  EXPECT_EQ(problems(), Texts{});
  hosts_.pop_front();
  EXPECT_EQ(problems(),
            (Texts{"W host2: authorities of clients are named, but nobody is asked for a certificate; write "
                   "\"TLSClientCertificate required\" or \"optional\", or leave this line out",
                   "W host2: OCSP responders are to be asked about clients' certificates, but nobody is asked for one; "
                   "write \"TLSClientCertificate required\" or \"optional\", or leave this line out"}));
}

TEST_F(Checks, NothingLeftToNegotiate) {
  add({"SSLEngine on", "SSLProtocol -all +TLSv1.2", "SSLOpenSSLConfCmd MinProtocol TLSv1.3",
       "SSLOpenSSLConfCmd MaxProtocol TLSv1.2"});
  add({"TLSEngine on", "TLSProtocol TLSv1.3+",
       "TLSCiphersSuppress TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"});
  EXPECT_EQ(problems(),
            (Texts{"E host1: no protocol version is left; allow TLSv1.2 or TLSv1.3",
                   "E host2: no cipher suite is left for any protocol version; allow one of the nine there are"}));
}

TEST_F(Checks, ClientsNeedSomethingToSignWith) {
  add({"SSLEngine on", "SSLVerifyClient require", "SSLCACertificateFile ca.pem",
       "SSLOpenSSLConfCmd SignatureAlgorithms RSA+SHA256"});
  add({"SSLEngine on", "SSLVerifyClient require", "SSLCACertificateFile ca.pem", "SSLProtocol TLSv1.2",
       "SSLOpenSSLConfCmd ClientSignatureAlgorithms RSA+SHA256"});
  add({"SSLEngine on", "SSLOpenSSLConfCmd SignatureAlgorithms RSA+SHA256"});
  EXPECT_EQ(problems(), (Texts{"W host1: no client that speaks TLSv1.3 can show a certificate, since none of the "
                               "algorithms that clients may sign with exists there; add RSA-PSS+SHA256, ECDSA+SHA256 "
                               "or both"}));
}

TEST_F(Checks, WhatIsInheritedIsSaidOnce) {
  read_line(base_, arena_, "SSLCARevocationCheck chain");
  for (int i = 0; i < 3; ++i) add({"SSLEngine on"});
  EXPECT_EQ(problems().size(), 1U);
}

TEST_F(Checks, ListedPortsThatNobodyListensOn) {
  read_line(base_, arena_, "TLSEngine 443 8443");
  add({"TLSCertificate a.pem"});
  EXPECT_EQ(problems(), (Texts{"W host1: TLSEngine lists 8443, but httpd does not listen there; add \"Listen 8443\""}));
}

TEST_F(Checks, TheFirstVirtualHostOfAnAddressDecidesForAll) {
  add({"SSLEngine off", "SSLCertificateFile a.pem"});
  add({"SSLEngine on", "SSLCertificateFile a.pem"});
  add({"SSLEngine on", "SSLCertificateFile a.pem"}, "192.0.2.1:443");
  ASSERT_EQ(problems().size(), 2U);  // the other one is mod_ssl's, of HTTP at port 443
  EXPECT_EQ(problems()[1].rfind("W host2: speaks TLS, but is never reached", 0), 0U) << problems()[1];
}

}  // namespace
}  // namespace tls::config::testing
