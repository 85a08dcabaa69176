// SPDX-License-Identifier: Apache-2.0
// The typed row: all that is known of one directive. Parser, merge, default, error text and documentation follow from
// it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "config/setting.hpp"
#include "config/words.hpp"

namespace tls::config {

// Where a directive may stand.
enum class Context : std::uint8_t {
  Nowhere,      // a further member of the row before it, which does the reading
  Global,       // outside of virtual hosts
  Server,       // there and in virtual hosts
  VirtualHost,  // only in virtual hosts
  Directory,    // only in <Directory>, <Location> and .htaccess; AllowOverride AuthConfig
  Everywhere,   // Server and Directory; AllowOverride AuthConfig
  Options,      // Server and Directory; AllowOverride Options
  Anywhere,     // Server and Directory; any AllowOverride
  Proxy,        // Server and <Proxy>
};

// The words after a directive's name, and where they stand.
struct Arguments {
  std::string_view directive;
  std::span<const char* const> words;
  Source where;
  bool in_virtual_host = false;
  std::string_view server_root{};  // what relative file names begin at
  const void* compiled = nullptr;  // the words as an expression of httpd's, where the row wants one

  [[nodiscard]] std::string_view operator[](std::size_t i) const { return words[i]; }
  [[nodiscard]] std::size_t size() const { return words.size(); }
};

// What reading a directive came to. An empty error means that it was taken; a warning or a notice may come with it.
struct Outcome {
  std::string error;
  std::string warning;
  std::string notice;
};

// What a parser makes of the words: a value, or an error.
template <class T>
struct Parsed {
  std::optional<T> value;
  Outcome outcome;

  Parsed(T v) : value(std::move(v)) {}  // NOLINT(google-explicit-constructor): parsers return values
  Parsed(T v, std::string warning) : value(std::move(v)), outcome{{}, std::move(warning), {}} {}
  Parsed(T v, Outcome o) : value(std::move(v)), outcome(std::move(o)) {}
  static Parsed refuse(std::string error) { return Parsed(Outcome{std::move(error), {}, {}}); }

 private:
  explicit Parsed(Outcome o) : outcome(std::move(o)) {}
};

// Reads the words of a directive. `before` is what the same scope has so far, for directives that add to it.
template <class T>
using Parser = Parsed<T> (*)(const Arguments& words, const T* before);

// How many words a directive takes.
struct Arity {
  unsigned least = 0;
  unsigned most = 0;
};
inline constexpr Arity one_word{1, 1};
inline constexpr Arity one_or_two{1, 2};
inline constexpr Arity any_number{1, 62};

// What becomes of a directive of mod_ssl: it works, it is accepted and changes nothing (the log says why, where that is
// not plain), or it stops the start.
enum class Answer : std::uint8_t { Works, Ignored, Refused };

// What is said of a directive to its reader.
struct Text {
  const char* syntax = "";             // the words after the name
  const char* fallback = nullptr;      // the default, in the directive's own words; nullptr: none
  const char* doc = "";                // one sentence
  const char* ssl_fallback = nullptr;  // the default in virtual hosts of SSL* words, where it is another
};

template <class S>
struct Row {
  const char* name = nullptr;
  Arity arity{};
  Context context = Context::Server;
  Text text{};
  std::string_view member;  // identity of the member written; see member_id
  Outcome (*set)(S& settings, Arena& arena, const Arguments& words) = nullptr;
  void (*merge)(Arena& arena, S& out, const S& base, const S& add) = nullptr;
  bool engine_wide = false;  // governs the engine and not a site, so that both vocabularies have it
  bool raw = false;          // all that stands after the name is one word
  Answer answer = Answer::Works;
};

// A text that stands for a member in comparisons at compile time, where pointers to members of several types have no
// order and addresses of templates are not always constants.
template <auto Member>
constexpr std::string_view member_id() {
  return __PRETTY_FUNCTION__;
}

template <class S, class T>
consteval S struct_of(T S::* /*member*/);

// `add` over `base`: the inner value replaces the outer one, except for values that say how they combine.
template <class T>
Setting<T> merged(Arena& arena, const Setting<T>& base, const Setting<T>& add) {
  if (!add) return base;
  if constexpr (requires { T::over(*base, *add); }) {
    if (base) {
      Setting<T> both;
      both.write(arena, T::over(*base, *add), add.where());
      return both;
    }
  }
  return add;
}

// The row of a directive whose words `parse` turns into the value of `Member`.
template <auto Member, auto parse>
constexpr auto row(const char* name, Arity arity, Context context, Text text) {
  using S = decltype(struct_of(Member));
  return Row<S>{name,
                arity,
                context,
                text,
                member_id<Member>(),
                [](S& settings, Arena& arena, const Arguments& words) {
                  auto parsed = parse(words, (settings.*Member).get());
                  if (parsed.value) (settings.*Member).write(arena, std::move(*parsed.value), words.where);
                  return std::move(parsed.outcome);
                },
                [](Arena& arena, S& out, const S& base, const S& add) {
                  out.*Member = merged(arena, base.*Member, add.*Member);
                }};
}

// A directive that sets nothing: `check` accepts its words, says what is ignored, or refuses them.
template <class S, Outcome (*check)(const Arguments&), Answer answer = Answer::Ignored>
constexpr Row<S> word_row(const char* name, Arity arity, Context context, Text text) {
  Row<S> row{name, arity, context, text, {}};
  row.set = [](S& /*settings*/, Arena& /*arena*/, const Arguments& words) { return check(words); };
  row.answer = answer;
  return row;
}

// A further member that the row before it writes, so that it is merged and counted.
template <auto Member>
constexpr auto also(const char* name) {
  using S = decltype(struct_of(Member));
  return Row<S>{name,
                {},
                Context::Nowhere,
                {},
                member_id<Member>(),
                nullptr,
                [](Arena& arena, S& out, const S& base, const S& add) {
                  out.*Member = merged(arena, base.*Member, add.*Member);
                }};
}

// The same row, registered by both module records.
template <class S>
constexpr Row<S> engine_wide(Row<S> row) {
  row.engine_wide = true;
  return row;
}

// How many rows of a table both module records register.
template <class S, std::size_t N>
constexpr std::size_t engine_wide_count(const std::array<Row<S>, N>& rows) {
  std::size_t count = 0;
  for (const Row<S>& row : rows) count += row.engine_wide ? 1U : 0U;
  return count;
}

// The same row, taking the whole line as one word.
template <class S>
constexpr Row<S> raw(Row<S> row) {
  row.raw = true;
  return row;
}

// Tables put together, such as all rows that write one struct.
template <class S, std::size_t... N>
constexpr auto joined(const std::array<Row<S>, N>&... tables) {
  std::array<Row<S>, (N + ...)> all{};
  std::size_t next = 0;
  (
      [&] {
        for (const Row<S>& row : tables) all[next++] = row;
      }(),
      ...);
  return all;
}

// Reads one directive into `settings`. Every error begins with the directive's name, because httpd prints none.
template <class S>
Outcome apply(const Row<S>& row, S& settings, Arena& arena, const Arguments& words) {
  if (words.size() < row.arity.least || words.size() > row.arity.most) {
    const std::string_view syntax = row.text.syntax;
    const char* const comment = has_comment(words.words) ? "; a comment (#) needs a line of its own" : "";
    if (syntax.empty()) return {std::string(row.name) + ": takes no words" + comment, {}, {}};
    return {std::string(row.name) + ": expected \"" + row.name + " " + row.text.syntax + "\"" + comment, {}, {}};
  }
  if (std::string fault = row.raw ? std::string() : typed_elsewhere(words.words); !fault.empty()) {
    return {std::string(row.name) + ": " + fault, {}, {}};
  }
  Outcome outcome = row.set(settings, arena, words);
  if (!outcome.error.empty()) outcome.error = std::string(row.name) + ": " + outcome.error;
  if (!outcome.notice.empty()) outcome.notice = std::string(row.name) + ": " + outcome.notice;
  if (!outcome.warning.empty()) outcome.warning = std::string(row.name) + ": " + outcome.warning;
  return outcome;
}

// How each member of S is merged, once, though rows of both vocabularies write it.
template <class S>
struct Merges {
  std::array<decltype(Row<S>::merge), member_count<S>()> all{};
  std::size_t count = 0;

  // Whether no member is without a row.
  [[nodiscard]] constexpr bool complete() const { return count == all.size(); }
};

// Of all rows that write S.
template <class S, std::size_t N>
constexpr Merges<S> merges_of(const std::array<Row<S>, N>& rows) {
  Merges<S> merges;
  std::array<std::string_view, member_count<S>()> seen{};
  for (const Row<S>& row : rows) {
    if (row.member.empty() || std::ranges::find(seen, row.member) != seen.end()) continue;
    seen.at(merges.count) = row.member;
    merges.all.at(merges.count++) = row.merge;
  }
  return merges;
}

// `out` = `add` over `base`.
template <class S>
void merge(const Merges<S>& merges, Arena& arena, S& out, const S& base, const S& add) {
  for (const auto one : merges.all) one(arena, out, base, add);
}

}  // namespace tls::config
