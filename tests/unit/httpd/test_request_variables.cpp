// SPDX-License-Identifier: Apache-2.0
// Variables of the request itself, as SSLRequire knows them: nothing of a request that has none of it is made up.
#include <apr_strings.h>
#include <apr_tables.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>

#include "apr/httpd.hpp"
#include "report/request_variables.hpp"

namespace tls::report {
namespace {

class RequestVariables : public testing::Test {
 protected:
  static void SetUpTestSuite() { apr_initialize(); }
  void SetUp() override {
    apr_pool_create(&pool_, nullptr);
    request_.pool = pool_;
    request_.server = &server_;
    request_.headers_in = apr_table_make(pool_, 2);
    request_.notes = apr_table_make(pool_, 2);
    request_.subprocess_env = apr_table_make(pool_, 2);
  }
  void TearDown() override { apr_pool_destroy(pool_); }

  const char* get(const char* name) { return request_variable(pool_, &request_, name); }

  apr_pool_t* pool_ = nullptr;
  server_rec server_{};
  request_rec request_{};
};

TEST_F(RequestVariables, AreWhatTheRequestHas) {
  request_.method = "GET";
  request_.uri = const_cast<char*>("/a");
  request_.args = const_cast<char*>("b=c");
  apr_table_set(request_.headers_in, "User-Agent", "an agent");
  EXPECT_STREQ(get("REQUEST_METHOD"), "GET");
  EXPECT_STREQ(get("request_uri"), "/a") << "in any case";
  EXPECT_STREQ(get("QUERY_STRING"), "b=c");
  EXPECT_STREQ(get("HTTP_USER_AGENT"), "an agent");
  EXPECT_STREQ(get("HTTP:User-Agent"), "an agent");
  EXPECT_STREQ(get("IS_SUBREQ"), "false");
  request_.main = &request_;
  EXPECT_STREQ(get("IS_SUBREQ"), "true");
}

TEST_F(RequestVariables, OfWhatItHasNotThereIsNothing) {
  for (const char* name : {"REMOTE_USER", "QUERY_STRING", "PATH_INFO", "AUTH_TYPE", "REMOTE_ADDR", "SCRIPT_FILENAME",
                           "HTTP_COOKIE", "HTTP:X-Nothing", "HTTP:", "ENV:", "ENV:MOD_TLS_NOTHING", "NO_SUCH", ""}) {
    EXPECT_EQ(get(name), nullptr) << name;
  }
}

TEST_F(RequestVariables, TheEnvironmentIsThatOfNotesThenOfTheRequestThenOfTheServer) {
  setenv("MOD_TLS_X", "server", 1);
  EXPECT_STREQ(get("ENV:MOD_TLS_X"), "server");
  apr_table_set(request_.subprocess_env, "MOD_TLS_X", "request");
  EXPECT_STREQ(get("ENV:MOD_TLS_X"), "request");
  apr_table_set(request_.notes, "MOD_TLS_X", "note");
  EXPECT_STREQ(get("ENV:MOD_TLS_X"), "note");
  EXPECT_STREQ(request_variable(pool_, nullptr, "ENV:MOD_TLS_X"), "server") << "without a request";
  unsetenv("MOD_TLS_X");
}

TEST_F(RequestVariables, TimesAreNumbers) {
  EXPECT_TRUE(std::regex_match(get("TIME"), std::regex("20\\d{12}")));
  EXPECT_TRUE(std::regex_match(get("TIME_YEAR"), std::regex("20\\d\\d")));
  EXPECT_TRUE(std::regex_match(get("TIME_WDAY"), std::regex("[0-6]")));
}

TEST_F(RequestVariables, AllThatIsKnownHasAName) {
  for (const char* name : {"TIME", "REQUEST_METHOD", "HTTP:Any", "ENV:any", "HTTP_HOST", "API_VERSION"}) {
    EXPECT_TRUE(is_request_variable(name)) << name;
  }
  for (const char* name : {"", "HTTP", "ENV", "SSL_PROTOCOL", "TIMES"}) EXPECT_FALSE(is_request_variable(name)) << name;
}

}  // namespace
}  // namespace tls::report
