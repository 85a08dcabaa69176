// SPDX-License-Identifier: Apache-2.0
// Which virtual host a server name means, as httpd itself chooses: the first in the configuration's order.
#include <apr_tables.h>
#include <gtest/gtest.h>

#include <deque>

#include "apr/httpd.hpp"
#include "server/vhosts.hpp"

namespace tls::server {
namespace {

class Chain : public testing::Test {
 protected:
  static void SetUpTestSuite() { apr_initialize(); }
  void SetUp() override { apr_pool_create(&pool_, nullptr); }
  void TearDown() override { apr_pool_destroy(pool_); }

  // A virtual host with these aliases; those with a wildcard are kept apart, as httpd does.
  const server_rec* host(const char* name, std::initializer_list<const char*> aliases = {}) {
    server_rec& s = hosts_.emplace_back();
    s.server_hostname = const_cast<char*>(name);
    s.names = apr_array_make(pool_, 1, sizeof(char*));
    s.wild_names = apr_array_make(pool_, 1, sizeof(char*));
    for (const char* alias : aliases) {
      const bool wild = std::string_view(alias).find_first_of("*?") != std::string_view::npos;
      *static_cast<const char**>(apr_array_push(wild ? s.wild_names : s.names)) = alias;
    }
    chain_.add(&s);
    return &s;
  }

  apr_pool_t* pool_ = nullptr;
  std::deque<server_rec> hosts_;
  NameChain chain_;
};

TEST_F(Chain, NamesAndAliases) {
  const server_rec* const a = host("A.example", {"www.a.example."});
  const server_rec* const b = host("b.example");
  EXPECT_EQ(chain_.find("a.example"), a);
  EXPECT_EQ(chain_.find("www.a.example"), a);
  EXPECT_EQ(chain_.find("b.example"), b);
  EXPECT_EQ(chain_.find("c.example"), nullptr);
  EXPECT_EQ(chain_.find(""), nullptr);
}

TEST_F(Chain, TheFirstOfTheOrderWinsWhateverMatches) {
  const server_rec* const wild = host("first.example", {"*.example"});
  host("www.example");
  EXPECT_EQ(chain_.find("www.example"), wild);
  const server_rec* const odd = host("odd.test", {"w?w.test"});
  host("wow.test");
  EXPECT_EQ(chain_.find("wow.test"), odd);
}

TEST_F(Chain, AWildcardTakesDotsAndNothingAtAll) {
  const server_rec* const wild = host("x.test", {"*.example.com"});
  EXPECT_EQ(chain_.find("a.b.c.example.com"), wild);
  EXPECT_EQ(chain_.find(".example.com"), wild);
  EXPECT_EQ(chain_.find("example.com"), nullptr);
}

TEST_F(Chain, ThousandsOfNamesAreStillOneLookup) {
  std::deque<std::string> names;
  for (int i = 0; i < 5000; ++i) host(names.emplace_back("h" + std::to_string(i) + ".test").c_str());
  EXPECT_EQ(chain_.size(), 5000U);
  EXPECT_EQ(chain_.find("h4999.test"), &hosts_.back());
}

}  // namespace
}  // namespace tls::server
