// SPDX-License-Identifier: Apache-2.0
// What peers can cause stands in the log once, and then so seldom that it fills no disk.
#include <gtest/gtest.h>

#include "lines.hpp"
#include "log/log.hpp"

namespace tls::log {
namespace {

class Lines : public testing::Test {
 protected:
  void SetUp() override {
    httpd_stub::lines().clear();
    server_.log.level = APLOG_INFO;
    connection_.base_server = &server_;
  }

  server_rec server_{};
  conn_rec connection_{};
};

TEST_F(Lines, TheFirstFailureOfAKindIsLoudAndTheNextIsNot) {
  const int host = 0;
  EXPECT_TRUE(count_failure(201, &host).loud);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(count_failure(201, &host).loud);
}

TEST_F(Lines, KindsAndVirtualHostsAreToldApart) {
  const int hosts[2] = {};
  EXPECT_TRUE(count_failure(202, &hosts[0]).loud);
  EXPECT_TRUE(count_failure(203, &hosts[0]).loud);
  EXPECT_TRUE(count_failure(202, &hosts[1]).loud);
  EXPECT_FALSE(count_failure(203, &hosts[0]).loud);
}

TEST_F(Lines, OneIdGetsTwentyLinesAtATime) {
  Budget budget{"TLS9999"};
  int granted = 0;
  for (int i = 0; i < 1000; ++i) granted += admit(budget, &connection_, nullptr) ? 1 : 0;
  EXPECT_GE(granted, 20);
  EXPECT_LE(granted, 21);  // a token may have come back meanwhile
  EXPECT_EQ(budget.left_out, 1000U - static_cast<unsigned>(granted));
  EXPECT_TRUE(httpd_stub::lines().empty()) << "what was left out is told a minute later";
}

TEST_F(Lines, WhatWasLeftOutForAMinuteIsToldWithTheNextLine) {
  Budget budget{"TLS9998"};
  ASSERT_TRUE(admit(budget, &connection_, nullptr));
  budget.left_out = 7;
  budget.left_out_since = budget.counted_at - 60'000;
  ASSERT_TRUE(admit(budget, &connection_, nullptr));
  ASSERT_EQ(httpd_stub::lines().size(), 1U);
  EXPECT_NE(httpd_stub::lines()[0].find("TLS9998"), std::string::npos) << httpd_stub::lines()[0];
  EXPECT_EQ(budget.left_out, 0U);
}

}  // namespace
}  // namespace tls::log
