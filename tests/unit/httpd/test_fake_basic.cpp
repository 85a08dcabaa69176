// SPDX-License-Identifier: Apache-2.0
// FakeBasicAuth: only a certificate makes the user that it makes, and nobody else's header is touched.
#include <apr_base64.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <gtest/gtest.h>

#include "access/access.hpp"
#include "facts/certificates.hpp"
#include "lines.hpp"
#include "server/module_config.hpp"

namespace {

bool fakes = true;
const char* subject = nullptr;

}  // namespace

namespace tls {

config::Options server::options_of(const request_rec*) {
  const auto option = static_cast<std::uint8_t>(config::Option::FakeBasicAuth);
  return {option, fakes ? option : std::uint8_t{0}};
}

const char* facts::certificate_field(apr_pool_t*, const Facts&, Side, std::string_view, bool) { return subject; }

}  // namespace tls

namespace tls::access {
namespace {

class FakeBasic : public testing::Test {
 protected:
  static void SetUpTestSuite() { apr_initialize(); }
  void SetUp() override {
    apr_pool_create(&pool_, nullptr);
    httpd_stub::lines().clear();
    server_.log.level = APLOG_INFO;
    connection_.base_server = &server_;
    request_.pool = pool_;
    request_.server = &server_;
    request_.connection = &connection_;
    request_.headers_in = apr_table_make(pool_, 2);
    facts_.verify = facts::Verify::Success;
    fakes = true;
    subject = "/C=DE/CN=somebody";
  }
  void TearDown() override { apr_pool_destroy(pool_); }

  const char* header() { return apr_table_get(request_.headers_in, "Authorization"); }
  void types(const std::string& credentials, const char* kind = "Basic ") {
    const std::string text = kind + std::string(apr_pstrdup(pool_, encoded(credentials)));
    apr_table_set(request_.headers_in, "Authorization", text.c_str());
  }
  const char* encoded(const std::string& text) {
    auto* const out = static_cast<char*>(
        apr_palloc(pool_, static_cast<apr_size_t>(apr_base64_encode_len(static_cast<int>(text.size())))));
    apr_base64_encode(out, text.data(), static_cast<int>(text.size()));
    return out;
  }

  apr_pool_t* pool_ = nullptr;
  server_rec server_{};
  conn_rec connection_{};
  request_rec request_{};
  facts::Facts facts_;
};

TEST_F(FakeBasic, ASubjectBecomesAUserWithThePasswordOfAll) {
  EXPECT_EQ(fake_basic(&request_, facts_), DECLINED);
  EXPECT_EQ(std::string(header()), std::string("Basic ") + encoded("/C=DE/CN=somebody:password"));
  EXPECT_TRUE(is_fake(&request_, "/C=DE/CN=somebody"));
  EXPECT_FALSE(is_fake(&request_, "/C=DE/CN=somebody else"));
}

TEST_F(FakeBasic, OnlyAVerifiedCertificateOfASectionThatWantsItDoesThat) {
  for (const auto verify : {facts::Verify::None, facts::Verify::Unverified, facts::Verify::Failed}) {
    facts_.verify = verify;
    EXPECT_EQ(fake_basic(&request_, facts_), DECLINED);
    EXPECT_EQ(header(), nullptr);
  }
  facts_.verify = facts::Verify::Success;
  fakes = false;
  EXPECT_EQ(fake_basic(&request_, facts_), DECLINED);
  EXPECT_EQ(header(), nullptr);
}

TEST_F(FakeBasic, ASubjectThatCouldBeSomebodyElsesNameIsRefused) {
  for (const char* odd : {static_cast<const char*>(nullptr), "", "CN=without a slash", "/CN=admin:password"}) {
    subject = odd;
    EXPECT_EQ(fake_basic(&request_, facts_), HTTP_FORBIDDEN);
    EXPECT_EQ(header(), nullptr);
  }
  EXPECT_EQ(httpd_stub::lines().size(), 4U);
}

TEST_F(FakeBasic, WhatTheVisitorHadSentComesBackForOtherSections) {
  types("joe:secret");
  const std::string sent = header();
  EXPECT_EQ(fake_basic(&request_, facts_), DECLINED);
  EXPECT_NE(header(), sent);
  take_fake_back(&request_);
  EXPECT_EQ(header(), sent);
  EXPECT_FALSE(is_fake(&request_, "/C=DE/CN=somebody"));
}

TEST_F(FakeBasic, WhereNothingWasSentNothingIsLeft) {
  EXPECT_EQ(fake_basic(&request_, facts_), DECLINED);
  take_fake_back(&request_);
  EXPECT_EQ(header(), nullptr);
}

TEST_F(FakeBasic, ASubrequestGivesBackNothingOfItsMainRequest) {
  EXPECT_EQ(fake_basic(&request_, facts_), DECLINED);
  request_rec inner = request_;
  inner.main = &request_;
  take_fake_back(&inner);
  EXPECT_EQ(apr_table_get(inner.headers_in, "Authorization"), nullptr);
  EXPECT_NE(header(), nullptr) << "its main request goes on with its own";
}

TEST_F(FakeBasic, NobodyTypesASubject) {
  EXPECT_FALSE(refuse_typed_subject(&request_)) << "nothing was typed";
  for (const char* credentials : {"/C=DE/CN=somebody:password", "/CN=x:anything", "/", "/:", "/CN=x"}) {
    types(credentials);
    EXPECT_TRUE(refuse_typed_subject(&request_)) << credentials;
  }
  types("/CN=x:password", "bAsIc  \t");
  EXPECT_TRUE(refuse_typed_subject(&request_)) << "in any case, with any white space";
  types("joe:password");
  EXPECT_FALSE(refuse_typed_subject(&request_)) << "an ordinary user";
  types("/CN=x:password", "Bearer ");
  EXPECT_FALSE(refuse_typed_subject(&request_));
}

TEST_F(FakeBasic, WhereItIsOffTheKnownPasswordAloneIsRefused) {
  fakes = false;
  types("/CN=x:password");
  EXPECT_TRUE(refuse_typed_subject(&request_));
  types("/CN=x:passwordlonger");
  EXPECT_TRUE(refuse_typed_subject(&request_)) << "crypt(3) looks at eight octets";
  types("/CN=x:other");
  EXPECT_FALSE(refuse_typed_subject(&request_));
}

}  // namespace
}  // namespace tls::access
