// SPDX-License-Identifier: Apache-2.0
#include "config/vocabulary/ech_values.hpp"

#include <algorithm>

#include "config/vocabulary/parsers.hpp"

namespace tls::config {
namespace {

constexpr std::string_view default_directory = "tls-ech";
constexpr std::uint32_t least_padding = 16;
constexpr std::uint32_t most_padding = 16384;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

// A name that clients take for a public one (RFC 9849 4): no address, no wildcard.
bool is_host_name(std::string_view name) {
  if (name.size() > 253) return false;
  for (std::size_t start = 0;;) {
    const std::size_t dot = std::min(name.find('.', start), name.size());
    const std::string_view label = name.substr(start, dot - start);
    if (!is_label(label)) return false;
    if (dot == name.size()) return label.front() < '0' || label.front() > '9';
    start = dot + 1;
  }
}

}  // namespace

Parsed<EchName> ech_name(const Arguments& words, const EchName* /*before*/) {
  EchName name;
  if (same_word(words[0], "off")) return name;
  if (!is_host_name(words[0])) {
    return Parsed<EchName>::refuse(
        "expected the name of a host that clients may be seen to visit, such as "
        "public.example, not " +
        quoted(words[0]));
  }
  name.name = words[0];
  std::ranges::transform(name.name, name.name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  auto full = absolute_path(words.server_root, words.size() > 1 ? words[1] : default_directory);
  if (!full.value) return Parsed<EchName>::refuse(full.outcome.error);
  name.directory = std::move(*full.value);
  return name;
}

Parsed<std::vector<PathAt>> ech_files(const Arguments& words, const std::vector<PathAt>* before) {
  std::vector<PathAt> files = before == nullptr ? std::vector<PathAt>{} : *before;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto full = absolute_path(words.server_root, words[i]);
    if (!full.value) return Parsed<std::vector<PathAt>>::refuse(full.outcome.error);
    files.push_back({std::move(*full.value), words.where});
  }
  return files;
}

Parsed<std::uint32_t> ech_padding(const Arguments& words, const std::uint32_t* /*before*/) {
  if (same_word(words[0], "off")) return 0U;
  if (const auto value = whole_number(words[0], least_padding, most_padding)) return *value;
  return Parsed<std::uint32_t>::refuse("expected off or a number of bytes from 16 to 16384, not " + quoted(words[0]));
}

}  // namespace tls::config
