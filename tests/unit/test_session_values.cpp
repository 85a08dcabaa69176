// SPDX-License-Identifier: Apache-2.0
// How directives of resumption are read, inherited and encoded.
#include <gtest/gtest.h>

#include "config/policy/effective.hpp"
#include "config/vocabulary/session_values.hpp"

namespace tls::config {
namespace {

template <class T>
Parsed<T> read(Parser<T> parse, std::vector<const char*> words, bool in_virtual_host = false) {
  return parse(Arguments{"Directive", words, Source{"test.conf", 7}, in_virtual_host}, nullptr);
}

std::string error_of(std::vector<const char*> words, bool in_virtual_host = false) {
  return read<Tickets>(session_tickets, std::move(words), in_virtual_host).outcome.error;
}

TEST(SessionTickets, OnAndOff) {
  EXPECT_EQ(read<Tickets>(session_tickets, {"on"}).value->on, true);
  EXPECT_EQ(read<Tickets>(session_tickets, {"OFF"}, true).value->on, false);
  EXPECT_EQ(error_of({"offf"}), "expected on, off or file:path, not \"offf\"; did you mean \"off\"?");
  EXPECT_EQ(error_of({"on", "1h"}), "only file: takes an interval");
}

TEST(SessionTickets, SecretFile) {
  const auto parsed = read<Tickets>(session_tickets, {"file:/etc/tickets", "2h"});
  EXPECT_EQ(*parsed.value, (Tickets{true, "/etc/tickets", 7200, parsed.value->secret_written}));
  EXPECT_EQ(parsed.value->secret_written.line, 7U);
  EXPECT_EQ(read<Tickets>(session_tickets, {"file:conf/t"}).value->interval_s, 0U);
  EXPECT_EQ(error_of({"file:"}), "the name of the file is empty");
  EXPECT_EQ(error_of({"file:/x"}, true), "file: is for the whole server; put it outside of <VirtualHost>");
  const std::string range = "expected an interval from 60 to 604800 seconds, such as \"1h\", not ";
  EXPECT_EQ(error_of({"file:/x", "59"}), range + "\"59\"");
  EXPECT_EQ(error_of({"file:/x", "8d"}), range + "\"8d\"");
}

TEST(SessionTickets, VirtualHostKeepsTheServersSecret) {
  const Tickets server{true, "/etc/tickets", 7200};
  EXPECT_EQ(Tickets::over(server, Tickets{false, "", 0}), (Tickets{false, "/etc/tickets", 7200}));
  EXPECT_EQ(Tickets::over(Tickets{false, "", 0}, server), server);
  EXPECT_EQ(Tickets::over(Tickets{false, "", 0}, Tickets{std::nullopt, "/other", 0}), (Tickets{false, "/other", 0}));
}

TEST(SessionLifetime, OneOrTwoTimes) {
  EXPECT_EQ(*read<Lifetimes>(session_lifetime, {"300"}).value, (Lifetimes{300, 300}));
  EXPECT_EQ(*read<Lifetimes>(session_lifetime, {"7d", "30min"}).value, (Lifetimes{604'800, 1'800}));
  for (const char* bad : {"0", "604801", "8d", "-1", "soon", ""}) {
    EXPECT_EQ(read<Lifetimes>(session_lifetime, {"60", bad}).outcome.error,
              "expected a time from 1 to 604800 seconds, such as \"12h\", not " + quoted(bad));
  }
}

TEST(SessionCache, ProviderAndArguments) {
  EXPECT_EQ(*read<SessionCacheName>(session_cache, {"none"}).value, SessionCacheName{});
  EXPECT_EQ(*read<SessionCacheName>(session_cache, {"shmcb:/run/x(512000)"}).value,
            (SessionCacheName{"shmcb", "/run/x(512000)"}));
  EXPECT_EQ(*read<SessionCacheName>(session_cache, {"Redis:a:1,b:2"}).value, (SessionCacheName{"redis", "a:1,b:2"}));
  EXPECT_EQ(*read<SessionCacheName>(session_cache, {"shmcb"}).value, (SessionCacheName{"shmcb", ""}));
  EXPECT_EQ(read<SessionCacheName>(session_cache, {"shmcp:x"}).outcome.error,
            "expected none, shmcb, redis, memcache, dbm or dc, not \"shmcp\"; did you mean \"shmcb\"?");
}

TEST(PolicyId, CoversResumption) {
  const EffectivePolicy policy;
  const auto changed = [&](auto change) {
    EffectivePolicy other = policy;
    change(other);
    return encode_policy(other) != encode_policy(policy);
  };
  EXPECT_TRUE(changed([](EffectivePolicy& p) { p.negotiated.tickets = true; }));
  EXPECT_TRUE(changed([](EffectivePolicy& p) { p.negotiated.ticket_count = 3; }));
  EXPECT_TRUE(changed([](EffectivePolicy& p) { p.negotiated.lifetime.tls12_s = 60; }));
  EXPECT_TRUE(changed([](EffectivePolicy& p) { p.negotiated.lifetime.tls13_s += 65'536; }));
  EXPECT_FALSE(changed([](EffectivePolicy& p) { p.resumption.secret = "/elsewhere/on/another/machine"; }));
}

}  // namespace
}  // namespace tls::config
