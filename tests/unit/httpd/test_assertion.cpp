// SPDX-License-Identifier: Apache-2.0
// The C++ library's checks end the process by a function of ours, which says what did not hold.
#include <gtest/gtest.h>

#include <vector>

namespace {

TEST(AssertionDeathTest, SaysWhereAndWhatAndEndsTheProcess) {
  const std::vector<int> three(3);
  const volatile std::size_t behind = 3;
  EXPECT_DEATH(static_cast<void>(three[behind]), "stl_vector\\.h:[0-9]+: .*'__n < this->size\\(\\)' does not hold");
}

}  // namespace
