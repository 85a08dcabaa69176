// SPDX-License-Identifier: Apache-2.0
#include "config/vocabulary/session_values.hpp"

#include <algorithm>

namespace tls::config {
namespace {

constexpr std::uint32_t longest_lifetime = 604'800;  // RFC 8446 4.6.1: seven days
constexpr std::uint32_t shortest_interval = 60;
constexpr std::string_view file_prefix = "file:";

constexpr std::array<std::string_view, 6> cache_names = {"none", "shmcb", "redis", "memcache", "dbm", "dc"};

std::optional<std::uint32_t> lifetime(std::string_view word) {
  const auto value = seconds(word);
  return value && *value >= 1 && *value <= longest_lifetime ? value : std::nullopt;
}

Parsed<Tickets> secret_file(const Arguments& words, Tickets tickets) {
  if (words.in_virtual_host) {
    return Parsed<Tickets>::refuse("file: is for the whole server; put it outside of <VirtualHost>");
  }
  tickets.on = true;
  tickets.secret_written = words.where;
  tickets.secret = words[0].substr(file_prefix.size());
  if (tickets.secret.empty()) return Parsed<Tickets>::refuse("the name of the file is empty");
  const auto full = absolute_path(words.server_root, tickets.secret);
  if (!full.value) return Parsed<Tickets>::refuse(full.outcome.error);
  if (words.size() > 1) {
    const auto interval = seconds(words[1]);
    if (!interval || *interval < shortest_interval || *interval > longest_lifetime) {
      return Parsed<Tickets>::refuse("expected an interval from 60 to 604800 seconds, such as \"1h\", not " +
                                     quoted(words[1]));
    }
    tickets.interval_s = *interval;
  }
  return tickets;
}

}  // namespace

Parsed<Tickets> session_tickets(const Arguments& words, const Tickets* before) {
  Tickets tickets = before == nullptr ? Tickets{} : *before;
  if (starts_with_word(words[0], file_prefix)) return secret_file(words, std::move(tickets));
  if (!same_word(words[0], "on") && !same_word(words[0], "off")) {
    constexpr std::array<std::string_view, 3> expected = {"on", "off", "file:path"};
    return Parsed<Tickets>::refuse(unexpected(expected, words[0]));
  }
  if (words.size() > 1) return Parsed<Tickets>::refuse("only file: takes an interval");
  tickets.on = same_word(words[0], "on");
  return tickets;
}

Parsed<Lifetimes> session_lifetime(const Arguments& words, const Lifetimes* /*before*/) {
  std::array<std::uint32_t, 2> both{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto value = lifetime(words[i]);
    if (!value) {
      return Parsed<Lifetimes>::refuse("expected a time from 1 to 604800 seconds, such as \"12h\", not " +
                                       quoted(words[i]));
    }
    both.at(i) = *value;
  }
  return Lifetimes{both[0], words.size() > 1 ? both[1] : both[0]};
}

Parsed<SessionCacheName> session_cache(const Arguments& words, const SessionCacheName* /*before*/) {
  const std::size_t colon = std::min(words[0].find(':'), words[0].size());
  const std::string_view name = words[0].substr(0, colon);
  const std::string_view arguments = words[0].substr(std::min(colon + 1, words[0].size()));
  if (same_word(name, "none") || same_word(name, "nonenotnull") || same_word(name, "default"))
    return SessionCacheName{};
  const auto* known = std::ranges::find_if(cache_names, [&](std::string_view n) { return same_word(n, name); });
  if (known == cache_names.end() || name.empty()) {
    return Parsed<SessionCacheName>::refuse(unexpected(cache_names, name));
  }
  return SessionCacheName{std::string(*known), std::string(arguments)};
}

}  // namespace tls::config
