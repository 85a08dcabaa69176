// SPDX-License-Identifier: Apache-2.0
// mod_reqtimeout's limit for handshakes, read from the configuration tree as mod_reqtimeout reads it: what it takes for
// a limit is one here.
#include <gtest/gtest.h>

#include <deque>

#include "apr/httpd.hpp"
#include "mpm.hpp"
#include "server/read_limit.hpp"

namespace tls::server {
namespace {

class ReadLimits : public testing::Test {
 protected:
  static void SetUpTestSuite() { apr_initialize(); }
  void SetUp() override {
    apr_pool_create(&pool_, nullptr);
    httpd_stub::modules() = {"mod_reqtimeout.c"};
    host_.defn_name = "/etc/site.conf";
    host_.defn_line_number = 10;
    main_.next = &host_;
  }
  void TearDown() override {
    ap_conftree = nullptr;
    apr_pool_destroy(pool_);
  }

  ap_directive_t* line(const char* directive, const char* args) {
    ap_directive_t& made = lines_.emplace_back();
    made.directive = directive;
    made.args = args;
    return &made;
  }
  void general(const char* args) {
    ap_directive_t* const made = line("RequestReadTimeout", args);
    made->next = ap_conftree;
    ap_conftree = made;
  }
  void own(const char* args) {
    ap_directive_t* const section = line("<VirtualHost", "*:443");
    section->filename = "/etc/site.conf";
    section->line_num = 10;
    section->first_child = line("requestreadtimeout", args);
    section->next = ap_conftree;
    ap_conftree = section;
  }
  // The limit of a server as the directive would have it; "" for none.
  std::string limit(const server_rec& s) {
    const auto limits = read_limits(pool_, &main_);
    const auto found = limits.find(&s);
    return found == limits.end() ? "" : found->second.text();
  }

  apr_pool_t* pool_ = nullptr;
  server_rec main_{}, host_{};
  std::deque<ap_directive_t> lines_;
};

TEST_F(ReadLimits, EveryFormThatModReqtimeoutTakes) {
  for (const auto& [args, expected] :
       {std::pair("handshake=5", "5"), std::pair("header=20 handshake=5", "5"),
        std::pair("header=20\thandshake=5", "5"), std::pair("\"handshake=5\"", "5"),
        std::pair("HandShake=5-20,MinRate=500", "5-20,MinRate=500"),
        std::pair("handshake=5,MINRATE=500", "5,MinRate=500"), std::pair("handshake=5 handshake=7", "7"),
        std::pair("header=20-40,MinRate=500", ""), std::pair("handshake=0", "")}) {
    ap_conftree = nullptr;
    general(args);
    EXPECT_EQ(limit(main_), expected) << args;
    EXPECT_EQ(limit(host_), expected) << args;
  }
}

TEST_F(ReadLimits, WhatIsNoNumberIsNoLimit) {
  for (const char* args :
       {"handshake=", "handshake=x", "handshake=5x", "handshake=-5", "handshake=99999999999", "handshake=5-9",
        "handshake=5,MinRate=0", "handshake=5,MinRate=x", "handshake=5-x,MinRate=1"}) {
    ap_conftree = nullptr;
    general(args);
    EXPECT_EQ(limit(main_), "") << args;
  }
}

TEST_F(ReadLimits, AVirtualHostHasItsOwn) {
  general("handshake=5");
  own("handshake=9");
  EXPECT_EQ(limit(main_), "5");
  EXPECT_EQ(limit(host_), "9");
}

TEST_F(ReadLimits, NoneInAVirtualHostIsNoneThereWhateverHoldsElsewhere) {
  general("handshake=5");
  own("handshake=0");
  EXPECT_EQ(limit(main_), "5");
  EXPECT_EQ(limit(host_), "");
}

TEST_F(ReadLimits, AVirtualHostThatLimitsSomethingElseHasTheGeneralOne) {
  general("handshake=5");
  own("body=9");
  EXPECT_EQ(limit(host_), "5");
}

TEST_F(ReadLimits, WithoutTheModuleThereIsNone) {
  httpd_stub::modules().clear();
  general("handshake=5");
  EXPECT_EQ(limit(main_), "");
}

TEST_F(ReadLimits, BytesBuyTimeUpToTheMaximum) {
  const ReadLimit limit{5, 20, 500};
  EXPECT_EQ(limit.after(0), apr_time_from_sec(5));
  EXPECT_EQ(limit.after(500), apr_time_from_sec(6));
  EXPECT_EQ(limit.after(1'000'000'000), apr_time_from_sec(20));
  EXPECT_EQ((ReadLimit{5, 0, 0}.after(1'000'000)), apr_time_from_sec(5));
  EXPECT_EQ((ReadLimit{5, 0, 500}.after(5'000)), apr_time_from_sec(15)) << "no maximum";
  EXPECT_EQ(ReadLimit{}.after(0), 0) << "never";
}

}  // namespace
}  // namespace tls::server
