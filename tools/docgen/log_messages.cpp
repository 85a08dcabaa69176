// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "documents.hpp"

namespace docgen {
namespace {

struct Message {
  std::string_view id;
  std::string_view level;
  std::string_view text;
  std::string_view cause;
  std::string_view remedy;
};

// APR's words for the lengths of numbers; the table is read without APR here.
#define APR_SIZE_T_FMT "zu"
#define APR_UINT64_T_FMT "lu"
#define TLS_MESSAGE(name, number, level, text, cause, remedy) Message{"TLS" #number, #level, text, cause, remedy},
#define MOD_SSL_MESSAGE(name, number, level, text, cause, remedy) Message{"AH" #number, #level, text, cause, remedy},
constexpr std::array messages = {
#include "log/messages.def"
};
#undef MOD_SSL_MESSAGE
#undef TLS_MESSAGE

// APLOG_WARNING -> warning
std::string level_word(std::string_view macro) {
  std::string word;
  for (const char c : macro.substr(std::string_view("APLOG_").size())) {
    word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return word;
}

// As a cell of a table, with these characters standing for themselves.
std::string cell(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string log_messages() {
  std::string out =
      "# Log messages\n"
      "\n"
      "Made from `src/log/messages.def` by `./dev docs`. Every line of the module in the error log begins\n"
      "with its id. An id keeps its meaning for ever; its text may improve. Lines that mod_ssl has too keep\n"
      "its number (AH) and its first words, which log filters know. `%s` and the like are replaced in the\n"
      "log.\n"
      "\n"
      "| id | level | text | cause | what to do |\n|---|---|---|---|---|\n";
  std::array sorted = messages;
  // TLS before AH, since those are this module's own; by number, which is how a line is looked up.
  std::ranges::sort(sorted, [](const Message& a, const Message& b) {
    return std::pair(a.id[0] == 'A', a.id) < std::pair(b.id[0] == 'A', b.id);
  });
  for (const Message& m : sorted) {
    out += "| " + std::string(m.id) + " | " + level_word(m.level) + " | `" + cell(m.text, "|") + "` | " +
           cell(m.cause, "|<") + " | " + cell(m.remedy, "|<") + " |\n";
  }
  return out;
}

}  // namespace docgen
