// SPDX-License-Identifier: Apache-2.0
// Rows grouped by directive, and httpd's command_rec tables made of them at compile time.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "apr/httpd.hpp"
#include "config/settings.hpp"
#include "config/vocabulary/near_words.hpp"
#include "config/vocabulary/row.hpp"

namespace tls::module {

// All rows of one directive, by the settings they write. Rows of one name stand together in each table.
// Counts and not null pointers say what is there: comparing addresses with null is no constant expression under
// -fno-delete-null-pointer-checks.
struct Command {
  const char* name = nullptr;
  const config::Row<config::ServerSettings>* server = nullptr;
  std::size_t server_count = 0;
  const config::Row<config::DirectorySettings>* directory = nullptr;
  std::size_t directory_count = 0;
  const config::Row<config::ProxySettings>* proxy = nullptr;
  std::size_t proxy_count = 0;
};

constexpr int override_of(config::Context context) {
  using config::Context;
  switch (context) {
    case Context::Nowhere:
      return 0;
    case Context::Global:
    case Context::Server:
    case Context::VirtualHost:
      return RSRC_CONF;
    case Context::Directory:
      return OR_AUTHCFG;
    case Context::Everywhere:
      return RSRC_CONF | OR_AUTHCFG;
    case Context::Options:
      return OR_OPTIONS;
    case Context::Anywhere:
      return OR_ALL;
    case Context::Proxy:
      return RSRC_CONF | PROXY_CONF;
  }
  return RSRC_CONF;
}

// Commands out of rows, in the order of their names' first appearance.
template <std::size_t Most>
class CommandList {
 public:
  constexpr void add(const config::Row<config::ServerSettings>& row) {
    Command& c = named(row.name);
    if (c.server_count++ == 0) c.server = &row;
  }
  constexpr void add(const config::Row<config::DirectorySettings>& row) {
    Command& c = named(row.name);
    if (c.directory_count++ == 0) c.directory = &row;
  }
  constexpr void add(const config::Row<config::ProxySettings>& row) {
    Command& c = named(row.name);
    if (c.proxy_count++ == 0) c.proxy = &row;
  }

  std::array<Command, Most> all{};
  std::size_t used = 0;

 private:
  constexpr Command& named(const char* name) {
    for (std::size_t i = 0; i < used; ++i) {
      if (std::string_view(all[i].name) == name) return all[i];
    }
    all[used].name = name;
    return all[used++];
  }
};

// The commands of some tables of rows.
template <const auto&... Tables>
inline constexpr auto commands_of = [] {
  CommandList<(Tables.size() + ...)> list;
  (
      [&list] {
        for (const auto& row : Tables) list.add(row);
      }(),
      ...);
  return list;
}();

// What the handlers of one module record are.
struct Handlers {
  const char* (*words)(cmd_parms*, void*, int, char* const[]);
  const char* (*raw)(cmd_parms*, void*, const char*);
};

// `Records` and, before their end, one for each word of `Others` that `Own` has not: `refuse` says whose it is.
template <const auto& Records, const auto& Own, const auto& Others>
consteval auto with_foreign(const char* (*refuse)(cmd_parms*, void*, const char*)) {
  std::array<command_rec, Records.size() + Others.all.size()> out{};
  std::size_t next = 0;
  for (; next < Own.used; ++next) out[next] = Records[next];
  for (std::size_t i = 0; i < Others.used; ++i) {
    const std::string_view name = Others.all[i].name;
    bool known = false;
    for (std::size_t j = 0; j < Own.used; ++j) known = known || Own.all[j].name == name;
    if (known) continue;
    out[next++] = {Others.all[i].name,
                   {.raw_args = refuse},
                   nullptr,
                   RSRC_CONF | ACCESS_CONF | PROXY_CONF | OR_ALL,
                   RAW_ARGS,
                   "A word of the other vocabulary."};
  }
  return out;
}

// `Records` and, before their end, one for each name of `Near`, whose advice `refuse` finds as the command's data.
template <const auto& Records, const auto& Near>
consteval auto with_near(const char* (*refuse)(cmd_parms*, void*, const char*)) {
  std::array<command_rec, Records.size() + Near.size()> out{};
  std::size_t next = 0;
  for (; Records[next].name != nullptr; ++next) out[next] = Records[next];
  for (const config::NearWord& word : Near) {
    for (std::size_t i = 0; i < next; ++i) {
      if (std::string_view(out[i].name) == word.name) throw "there is such a word";
    }
    auto* const advice = const_cast<char*>(word.advice);  // httpd hands it back; nobody writes to it
    out[next++] = {word.name, {.raw_args = refuse},
                   advice,    RSRC_CONF | ACCESS_CONF | PROXY_CONF | OR_ALL,
                   RAW_ARGS,  "No word; its error says what to write."};
  }
  return out;
}

// httpd's records for `Commands`, ended by an empty one. Each carries its Command as cmd_data.
template <const auto& Commands>
consteval auto records_of(Handlers handlers) {
  std::array<command_rec, Commands.all.size() + 1> out{};
  for (std::size_t i = 0; i < Commands.used; ++i) {
    const Command& c = Commands.all[i];
    int where = 0;
    const char* doc = "";
    bool raw = false;
    const auto note = [&](const auto* rows, std::size_t count) {
      for (std::size_t j = 0; j < count; ++j) {
        where |= override_of(rows[j].context);
        raw = raw || rows[j].raw;
        if (std::string_view(doc).empty()) doc = rows[j].text.doc;
      }
    };
    note(c.server, c.server_count);
    note(c.directory, c.directory_count);
    note(c.proxy, c.proxy_count);
    auto* const data = const_cast<Command*>(&c);  // httpd hands it back; nobody writes to it
    if (raw) {
      out[i] = {c.name, {.raw_args = handlers.raw}, data, where, RAW_ARGS, doc};
    } else {
      out[i] = {c.name, {.take_argv = handlers.words}, data, where, TAKE_ARGV, doc};
    }
  }
  return out;
}

}  // namespace tls::module
