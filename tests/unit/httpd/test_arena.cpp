// SPDX-License-Identifier: Apache-2.0
// Settings live as long as the pool of their configuration, and those that could not be made leave nothing there.
#include <apr_general.h>
#include <gtest/gtest.h>

#include <string>

#include "allocation.hpp"
#include "server/arena.hpp"

namespace tls::server {
namespace {

struct Counted {
  explicit Counted(int& alive) : alive_(&alive) { ++*alive_; }
  Counted(const Counted& other) : text(other.text), alive_(other.alive_) { ++*alive_; }
  ~Counted() { --*alive_; }
  std::string text = std::string(100, 't');

 private:
  int* alive_;
};

class Arenas : public testing::Test {
 protected:
  static void SetUpTestSuite() { apr_initialize(); }
  void SetUp() override { apr_pool_create(&pool_, nullptr); }
  void TearDown() override {
    if (pool_ != nullptr) apr_pool_destroy(pool_);
  }
  void end() {
    apr_pool_destroy(pool_);
    pool_ = nullptr;
  }

  apr_pool_t* pool_ = nullptr;
  int alive_ = 0;
};

TEST_F(Arenas, ValuesEndWithThePool) {
  PoolArena arena(pool_);
  config::Setting<Counted> a;
  a.write(arena, Counted(alive_), {"file", 7});
  const config::Setting<Counted> shared = a;
  EXPECT_EQ(alive_, 1);
  EXPECT_EQ(shared->text, std::string(100, 't'));
  EXPECT_EQ(shared.where().line, 7U);
  end();
  EXPECT_EQ(alive_, 0);
}

TEST_F(Arenas, WhereMemoryRunsOutTheSettingIsAsBefore) {
  PoolArena arena(pool_);
  config::Setting<Counted> setting;
  const Counted value(alive_);
  unsigned failed = 0;
  for (unsigned number = 1; number < 20; ++number) {
    setting = {};
    httpd_stub::fail_allocation(number);
    try {
      setting.write(arena, value, {});
    } catch (const std::bad_alloc&) {
      ++failed;
      EXPECT_FALSE(setting);
    }
    if (!httpd_stub::allocation_failed()) break;
  }
  EXPECT_GT(failed, 1U) << "copies of the text";
  EXPECT_TRUE(setting);
  end();
  EXPECT_EQ(alive_, 1) << "value itself: what was half made was ended then, and what was made with the pool";
}

}  // namespace
}  // namespace tls::server
