// SPDX-License-Identifier: Apache-2.0
// The exception wall: whatever throws below it becomes the answer that loses one connection, request or start, and one
// line that says where.
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "apr/hook.hpp"
#include "lines.hpp"

namespace tls::apr {
namespace {

enum class Way { Returns, Throws, RunsOut, ThrowsSomethingElse };
Way way = Way::Returns;
int told = 0;
int counted = 0;

int of_request(request_rec* /*r*/) {
  switch (way) {
    case Way::Throws:
      throw std::runtime_error("the reason");
    case Way::RunsOut:
      throw std::bad_alloc();
    case Way::ThrowsSomethingElse:
      throw 7;
    case Way::Returns:
      break;
  }
  return OK;
}

void without_answer(server_rec* /*s*/) { of_request(nullptr); }

int leaves_in_order(const char* why, request_rec* /*r*/) noexcept {
  told = why != nullptr && *why != '\0' ? 1 : 0;
  return HTTP_FORBIDDEN;
}

class Wall : public testing::Test {
 protected:
  void SetUp() override {
    httpd_stub::lines().clear();
    server_.log.level = APLOG_INFO;
    connection_.base_server = &server_;
    request_.connection = &connection_;
    request_.server = &server_;
    ap_server_conf = &server_;
    lost_counter = [] { ++counted; };
    told = counted = 0;
  }
  void TearDown() override {
    ap_server_conf = nullptr;
    lost_counter = nullptr;
    way = Way::Returns;
  }

  server_rec server_{};
  conn_rec connection_{};
  request_rec request_{};
};

TEST_F(Wall, WhatReturnsIsAnsweredAsItAnswers) {
  way = Way::Returns;
  EXPECT_EQ((hook<of_request, HTTP_INTERNAL_SERVER_ERROR>(&request_)), OK);
  EXPECT_TRUE(httpd_stub::lines().empty());
  EXPECT_EQ(counted, 0);
}

TEST_F(Wall, WhateverIsThrownBecomesTheAnswerOfAFailureAndOneLine) {
  for (const auto& [thrown, reason] : {std::pair(Way::Throws, "the reason"), std::pair(Way::RunsOut, "bad_alloc"),
                                       std::pair(Way::ThrowsSomethingElse, "unknown exception")}) {
    SetUp();
    way = thrown;
    EXPECT_EQ((hook<of_request, HTTP_INTERNAL_SERVER_ERROR>(&request_)), HTTP_INTERNAL_SERVER_ERROR);
    ASSERT_EQ(httpd_stub::lines().size(), 1U);
    for (const char* part : {"TLS0102", "of_request", reason}) {
      EXPECT_NE(httpd_stub::lines()[0].find(part), std::string::npos) << httpd_stub::lines()[0];
    }
    EXPECT_EQ(counted, 1);
  }
}

TEST_F(Wall, WhoHasToLeaveThingsInOrderIsToldInstead) {
  way = Way::Throws;
  EXPECT_EQ((hook<of_request, leaves_in_order>(&request_)), HTTP_FORBIDDEN);
  EXPECT_EQ(told, 1);
}

TEST_F(Wall, WhatHasNoAnswerIsOnlyLogged) {
  way = Way::ThrowsSomethingElse;
  hook<without_answer>(&server_);
  EXPECT_EQ(httpd_stub::lines().size(), 1U);
}

TEST_F(Wall, WhatCanBeLeftOutIsReplaced) {
  EXPECT_EQ(guarded(3, [] { return 4; }), 4);
  EXPECT_EQ(guarded(3, []() -> int { throw std::bad_alloc(); }), 3);
  EXPECT_EQ(guarded(3, []() -> int { throw 'x'; }), 3);
  EXPECT_EQ(httpd_stub::lines().size(), 2U);
}

}  // namespace
}  // namespace tls::apr
