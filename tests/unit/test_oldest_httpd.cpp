// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "config/policy/oldest_httpd.hpp"

namespace {

using tls::config::is_old;

TEST(OldestHttpd, IsComparedNumberByNumber) {
  EXPECT_TRUE(is_old({2, 4, 51}));
  EXPECT_TRUE(is_old({2, 2, 99}));
  EXPECT_TRUE(is_old({1, 9, 99}));
  EXPECT_FALSE(is_old({2, 4, 52}));
  EXPECT_FALSE(is_old({2, 4, 71}));
  EXPECT_FALSE(is_old({2, 5, 0}));
  EXPECT_FALSE(is_old({3, 0, 0}));
}

}  // namespace
