// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "config_reader.hpp"

// What a refusal says of a directive's range stands in the reference too: an administrator need not try it out.
namespace {

using namespace tls::config;
using tls::config::testing::HeapArena;
using tls::config::testing::Place;
using tls::config::testing::read_line;
using tls::config::testing::Scope;

// Whole numbers of a text, without what it quotes and without parts of names.
std::set<std::string> numbers(std::string text) {
  static const std::regex quoted("\"[^\"]*\"|'[^']*'");
  static const std::regex number("(^|[^A-Za-z0-9.:/-])([0-9]+)(?![A-Za-z0-9:/-])");
  text = std::regex_replace(text, quoted, "");
  std::set<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), number), end; it != end; ++it) found.insert((*it)[2]);
  return found;
}

template <class S, std::size_t N>
int check(const std::array<Row<S>, N>& rows) {
  int with_a_range = 0;
  for (const Row<S>& row : rows) {
    // A row without a text is the same directive in another scope, whose row has it.
    if (row.context == Context::Nowhere || *row.text.doc == '\0') continue;
    const std::set<std::string> told = numbers(std::string(row.text.syntax) + " " + row.text.doc);
    for (const std::string_view words : {"4000000000", "file:x 4000000000", "4000000000 all", "nonsense"}) {
      Scope scope;
      HeapArena arena;
      const Place place = row.context == Context::VirtualHost ? Place::VirtualHost
                          : row.context == Context::Directory ? Place::Directory
                                                              : Place::Server;
      const std::string line = std::string(row.name) + " " + std::string(words);
      const std::string error = read_line(scope, arena, line, place).error;
      for (const std::string& number : numbers(error)) {
        if (number == "4000000000") continue;
        ++with_a_range;
        EXPECT_TRUE(told.contains(number)) << error << "\nbut the reference has: " << row.text.doc;
      }
    }
  }
  return with_a_range;
}

TEST(Reference, HasEveryRangeThatARefusalNames) {
  EXPECT_GT(check(all_server_rows) + check(all_directory_rows) + check(all_proxy_rows), 20);
}

}  // namespace
