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
};

// APR's words for the lengths of numbers; the table is read without APR here.
#define APR_SIZE_T_FMT "zu"
#define APR_UINT64_T_FMT "lu"
#define TLS_MESSAGE(name, number, level, text) Message{"TLS" #number, #level, text},
#define MOD_SSL_MESSAGE(name, number, level, text) Message{"AH" #number, #level, text},
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

}  // namespace

std::string log_messages() {
  std::string out =
      "# Log messages\n\n"
      "Made from `src/log/messages.def` by `./dev docs`. Every line of the module in the error log begins with its\n"
      "id. Ids are stable: they keep their meaning for ever, texts may get better. Lines that mod_ssl has too keep "
      "its\n"
      "number (AH) and its first words, which filters of logs know. `%s` and the like stand for what the line is "
      "about.\n\n"
      "| id | level | text |\n|---|---|---|\n";
  std::array sorted = messages;
  // TLS before AH, since those are this module's own; by number, which is how a line is looked up.
  std::ranges::sort(sorted, [](const Message& a, const Message& b) {
    return std::pair(a.id[0] == 'A', a.id) < std::pair(b.id[0] == 'A', b.id);
  });
  for (const Message& m : sorted) {
    std::string text(m.text);
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
    out += "| " + std::string(m.id) + " | " + level_word(m.level) + " | `" + text + "` |\n";
  }
  return out;
}

}  // namespace docgen
