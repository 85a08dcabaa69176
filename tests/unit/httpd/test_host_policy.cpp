// SPDX-License-Identifier: Apache-2.0
// Requests for another virtual host than the one that the handshake was for: 421 where their policies differ.
#include <apr_tables.h>
#include <gtest/gtest.h>

#include <map>

#include "access/access.hpp"
#include "lines.hpp"
#include "server/metrics.hpp"
#include "server/policies.hpp"

namespace {

std::map<const server_rec*, tls::config::EffectivePolicy> policies;
const tls::facts::SessionFacts* of_connection = nullptr;
int misdirected = 0;

}  // namespace

namespace tls {

const config::EffectivePolicy& server::effective(const server_rec* s) { return policies[s]; }
void server::count_misdirected() { ++misdirected; }
const facts::SessionFacts* facts::session_facts(const conn_rec*) { return of_connection; }

}  // namespace tls

namespace tls::access {
namespace {

class HostPolicy : public testing::Test {
 protected:
  static void SetUpTestSuite() { apr_initialize(); }
  void SetUp() override {
    apr_pool_create(&pool_, nullptr);
    httpd_stub::lines().clear();
    policies.clear();
    misdirected = 0;
    facts_.sni = "a.test";
    facts_.host = &a_;
    of_connection = &facts_;
    a_.log.level = b_.log.level = APLOG_INFO;
    connection_.base_server = &a_;
    a_.server_hostname = const_cast<char*>("a.test");
    request_.pool = pool_;
    request_.connection = &connection_;
    request_.notes = apr_table_make(pool_, 1);
    request_.hostname = "b.test";
    request_.server = &b_;
  }
  void TearDown() override {
    of_connection = nullptr;
    apr_pool_destroy(pool_);
  }

  apr_pool_t* pool_ = nullptr;
  server_rec a_{}, b_{};
  conn_rec connection_{};
  request_rec request_{};
  facts::SessionFacts facts_;
};

TEST_F(HostPolicy, EqualPoliciesShareAConnection) {
  EXPECT_EQ(check_host(&request_), DECLINED);
  EXPECT_TRUE(httpd_stub::lines().empty());
}

TEST_F(HostPolicy, StrictSharesNone) {
  policies[&a_].sni_policy = config::SniPolicy::Strict;
  EXPECT_EQ(check_host(&request_), HTTP_MISDIRECTED_REQUEST);
  EXPECT_EQ(misdirected, 1);
  ASSERT_EQ(httpd_stub::lines().size(), 1U);
  for (const char* part : {"a.test", "b.test", "provided via SNI"}) {
    EXPECT_NE(httpd_stub::lines()[0].find(part), std::string::npos) << httpd_stub::lines()[0];
  }
}

TEST_F(HostPolicy, TheSameHostIsNeverMisdirected) {
  policies[&a_].sni_policy = config::SniPolicy::Strict;
  request_.server = &a_;
  EXPECT_EQ(check_host(&request_), DECLINED);
}

TEST_F(HostPolicy, ANameInTheHandshakeAndNoneInTheRequestIsABadRequest) {
  request_.hostname = nullptr;
  EXPECT_EQ(check_host(&request_), HTTP_BAD_REQUEST);
}

TEST_F(HostPolicy, WhereNamesAreRequiredAClientWithoutOneIsForbidden) {
  facts_.sni = {};
  policies[&b_].refuse_without_sni = true;
  EXPECT_EQ(check_host(&request_), DECLINED) << "no name-based virtual hosts here";
  connection_.vhost_lookup_data = this;
  EXPECT_EQ(check_host(&request_), HTTP_FORBIDDEN);
  EXPECT_NE(apr_table_get(request_.notes, "error-notes"), nullptr);
}

TEST_F(HostPolicy, NothingIsAskedOfOthers) {
  policies[&a_].sni_policy = config::SniPolicy::Strict;
  request_.proxyreq = PROXYREQ_PROXY;
  EXPECT_EQ(check_host(&request_), DECLINED);
  request_.proxyreq = PROXYREQ_NONE;
  request_.prev = &request_;
  EXPECT_EQ(check_host(&request_), DECLINED) << "what ErrorDocument makes of a refusal";
  request_.prev = nullptr;
  of_connection = nullptr;
  EXPECT_EQ(check_host(&request_), DECLINED) << "a connection without TLS";
}

}  // namespace
}  // namespace tls::access
