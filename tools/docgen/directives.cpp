// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "config/ciphers/suites.hpp"
#include "config/vocabulary/all_rows.hpp"
#include "documents.hpp"

namespace docgen {
namespace {

using namespace tls::config;

std::string_view context_words(Context context) {
  switch (context) {
    case Context::Nowhere:
      return "";
    case Context::Global:
      return "server config";
    case Context::Server:
      return "server config, virtual host";
    case Context::VirtualHost:
      return "virtual host";
    case Context::Directory:
      return "directory, .htaccess (AllowOverride AuthConfig)";
    case Context::Everywhere:
      return "server config, virtual host, directory, .htaccess (AllowOverride AuthConfig)";
    case Context::Options:
      return "server config, virtual host, directory, .htaccess (AllowOverride Options)";
    case Context::Anywhere:
      return "server config, virtual host, directory, .htaccess";
    case Context::Proxy:
      return "server config, virtual host, proxy section";
  }
  return "";
}

std::string_view answer_word(Answer answer) {
  switch (answer) {
    case Answer::Works:
      return "works";
    case Answer::Ignored:
      return "notice";
    case Answer::Refused:
      return "error";
  }
  return "";
}

// What the documents say of one row, whatever it writes.
struct Entry {
  std::string name;
  Text text;
  Context context;
  Answer answer;
  std::string member;
  bool engine_wide;
};

template <class S, std::size_t N>
void collect(std::vector<Entry>& out, const std::array<Row<S>, N>& rows) {
  for (const Row<S>& row : rows) {
    // A row without a text is the same directive in another scope.
    if (row.context == Context::Nowhere || *row.text.doc == '\0') continue;
    out.push_back({row.name, row.text, row.context, row.answer, std::string(row.member), row.engine_wide});
  }
}

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

// In a table, where a bar would end the cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string syntax_line(const Entry& e) {
  return code(e.name + (std::string_view(e.text.syntax).empty() ? "" : " ") + e.text.syntax);
}

std::string default_line(const Entry& e) {
  std::string text = e.text.fallback == nullptr ? "none" : code(e.name + " " + e.text.fallback);
  if (e.text.ssl_fallback != nullptr) {
    text += "; in virtual hosts with SSL* directives " + code(e.name + " " + e.text.ssl_fallback);
  }
  return text;
}

// A section for each directive of our own; one that means different things in different places has an entry for each.
std::string sections(const std::vector<Entry>& entries) {
  std::string out;
  std::string last;
  for (const Entry& e : entries) {
    if (e.name != last) out += "### " + e.name + "\n\n";
    last = e.name;
    out += "- Syntax: " + syntax_line(e) + "\n- Default: " + default_line(e) +
           "\n- Context: " + std::string(context_words(e.context)) + "\n";
    if (e.engine_wide) out += "- Governs the engine: also available when the module is loaded as `ssl_module`\n";
    out += "\n" + std::string(e.text.doc) + "\n\n";
  }
  return out;
}

// One line for each directive of mod_ssl, however many rows it has.
std::string ssl_table(const std::vector<Entry>& entries) {
  std::string out = "| directive | default | context | answer | what it does here |\n|---|---|---|---|---|\n";
  std::map<std::string, bool> seen;
  for (const Entry& e : entries) {
    if (std::exchange(seen[e.name], true)) continue;
    const std::string fallback = e.text.fallback == nullptr ? "none" : code(e.text.fallback);
    out += "| `" + cell(e.name + (*e.text.syntax == '\0' ? "" : " ") + e.text.syntax) + "` | " + cell(fallback) +
           " | " + std::string(context_words(e.context)) + " | " + std::string(answer_word(e.answer)) + " | " +
           cell(e.text.doc) + " |\n";
  }
  return out;
}

std::string written_default(const Entry* e, bool in_ssl_words) {
  if (e == nullptr) return "";
  const char* fallback = in_ssl_words && e->text.ssl_fallback != nullptr ? e->text.ssl_fallback : e->text.fallback;
  return code(e->name) + (fallback == nullptr ? "" : ": " + code(fallback));
}

// Vocabulary beside vocabulary: both write the same settings.
std::string defaults_table(const std::vector<Entry>& tls, const std::vector<Entry>& ssl) {
  std::string out = "| TLS* directive | SSL* directive |\n|---|---|\n";
  std::map<std::string, const Entry*> by_member;
  for (const Entry& e : ssl) {
    if (!e.member.empty()) by_member.emplace(e.member, &e);
  }
  for (const Entry& e : tls) {
    const auto other = by_member.find(e.member);
    const std::string ssl_side =
        other == by_member.end() ? (e.text.ssl_fallback != nullptr ? "as if " + code(e.text.ssl_fallback) : "the same")
                                 : written_default(other->second, true);
    out += "| " + cell(written_default(&e, false)) + " | " + cell(ssl_side) + " |\n";
    if (other != by_member.end()) by_member.erase(other);
  }
  for (const Entry& e : ssl) {
    if (by_member.erase(e.member) != 0 && e.text.fallback != nullptr)
      out += "| | " + cell(written_default(&e, true)) + " |\n";
  }
  return out;
}

// What lists of suites and groups may hold; other names that are known are left out of a list with a warning.
std::string names() {
  std::string out = "| cipher suite | as OpenSSL writes it | number |\n|---|---|---|\n";
  for (const std::uint16_t number : supported_suites()) {
    const Suite& s = *suite(number);
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string hex;
    for (int shift = 12; shift >= 0; shift -= 4) hex += digits[(number >> shift) & 15];
    out += "| `" + std::string(s.iana) + "` | `" + std::string(s.openssl) + "` | `0x" + hex + "` |\n";
  }
  out += "\n| group | also | by default |\n|---|---|---|\n";
  const auto defaults = default_groups();
  for (const Group& g : groups()) {
    if (!g.supported) continue;
    const auto place = std::ranges::find(defaults, g.number);
    out += "| " + code(g.name) + " | " + (g.also.empty() ? "" : code(g.also)) + " | " +
           (place == defaults.end() ? "no" : std::to_string(place - defaults.begin() + 1)) + " |\n";
  }
  return out;
}

}  // namespace

std::string directives() {
  std::vector<Entry> tls;
  collect(tls, all_tls_server_rows);
  collect(tls, all_tls_directory_rows);
  collect(tls, tls_proxy_rows);
  std::vector<Entry> ssl;
  collect(ssl, all_ssl_server_rows);
  collect(ssl, ssl_directory_rows);
  collect(ssl, ssl_proxy_rows);
  return "# Directives\n"
         "\n"
         "Made from the tables in `src/config/vocabulary/*_rows.hpp` by `./dev docs`.\n"
         "\n"
         "Loaded as `tls_module` the module has the TLS* directives, loaded as `ssl_module` the SSL*\n"
         "directives of mod_ssl. Both write the same settings. Both modules may be loaded together; each\n"
         "virtual host then uses one of the two vocabularies.\n"
         "\n"
         "Where a default differs between the vocabularies, the last table shows both.\n"
         "\n"
         "## Other commands and directives for TLS\n"
         "\n"
         "- `httpd -t -D DUMP_TLS` (`apachectl -t -D DUMP_TLS`) prints the effective settings of each virtual\n"
         "  host, with the lines that they come from, its certificates with the days they have left, and\n"
         "  faults of files.\n"
         "- `httpd -t -D DUMP_TLS_MIGRATION`, with the module loaded as `ssl_module`, prints each difference\n"
         "  from mod_ssl that concerns the configuration and its files, with file and line.\n"
         "- `Require ssl` admits requests over TLS. `Require ssl-verify-client` admits clients whose\n"
         "  certificate the section verifies. Both work in either vocabulary.\n"
         "- `%{NAME}x` in log formats, `%{NAME}s` in headers and `%{NAME}` in expressions give variables\n"
         "  (`variables.md`).\n"
         "\n"
         "## TLS* directives\n"
         "\n" +
         sections(tls) +
         "## SSL* directives\n"
         "\n"
         "All directives of mod_ssl 2.4. *works*: as with mod_ssl, except for what the last column says.\n"
         "*notice*: accepted and ignored, without any loss; the log says why unless that is obvious. *error*:\n"
         "if the directive asks for something that does not exist here, httpd does not start, and a message\n"
         "names the alternative.\n"
         "\n" +
         ssl_table(ssl) +
         "\n## Names of cipher suites and groups\n\n"
         "In the order of the TLS* default. Case does not matter, and a list may mix the spellings.\n\n" +
         names() + "\n## Defaults of both vocabularies\n\n" + defaults_table(tls, ssl);
}

}  // namespace docgen
