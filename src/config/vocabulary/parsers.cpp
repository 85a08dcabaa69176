// SPDX-License-Identifier: Apache-2.0
#include "config/vocabulary/parsers.hpp"

#include <algorithm>
#include <charconv>

#include "config/ciphers/signatures.hpp"
#include "config/ciphers/suites.hpp"

namespace tls::config {
namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t milliseconds;
};
constexpr std::array units = {Unit{"ms", 1},       Unit{"", 1000},       Unit{"s", 1000},
                              Unit{"min", 60'000}, Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};

std::string join(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

// What the lists of suites and of groups have in common.
template <class Find, class Usable, class Nearest>
Parsed<std::vector<std::uint16_t>> name_list(const Arguments& words, std::string_view what, Find find, Usable usable,
                                             Nearest nearest_name) {
  using Result = Parsed<std::vector<std::uint16_t>>;
  std::vector<std::uint16_t> numbers;
  std::vector<std::string_view> unsupported;
  for (const char* word : words.words) {
    for (const std::string_view name : split(word, ": ")) {
      const auto* known = find(name);
      if (known == nullptr) {
        return Result::refuse("unknown " + std::string(what) + " " + quoted(name) +
                              list_advice(name, nearest_name(name)));
      }
      if (!usable(*known)) {
        unsupported.push_back(name);
      } else if (std::ranges::find(numbers, known->number) == numbers.end()) {
        numbers.push_back(known->number);
      }
    }
  }
  if (unsupported.empty()) return Result(std::move(numbers));
  return {std::move(numbers), "not supported and left out: " + join(unsupported)};
}

}  // namespace

std::string unexpected(std::span<const std::string_view> expected, std::string_view found) {
  return "expected " + one_of(expected) + ", not " + quoted(found) + did_you_mean(nearest(found, expected));
}

std::optional<std::uint32_t> whole_number(std::string_view text, std::uint32_t least, std::uint32_t most) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> seconds(std::string_view text) {
  constexpr std::uint32_t longest = 100U * 365U * 86'400U;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto value = whole_number(text.substr(0, digits), 0, longest);
  const auto unit =
      std::ranges::find_if(units, [&](const Unit& u) { return same_word(u.suffix, text.substr(digits)); });
  if (!value || unit == units.end()) return std::nullopt;
  const std::uint64_t rounded_up = (*value * unit->milliseconds + 999) / 1000;
  if (rounded_up > longest) return std::nullopt;
  return static_cast<std::uint32_t>(rounded_up);
}

Parsed<std::string> absolute_path(std::string_view server_root, std::string_view path) {
  std::string full(path);
  if (!path.starts_with('/') && !server_root.empty()) {
    full = std::string(server_root) + (server_root.ends_with('/') ? "" : "/") + full;
  }
  if (!is_utf8(full)) {
    return Parsed<std::string>::refuse("the file name " + quoted(full) +
                                       " is not UTF-8; give the file, or the directory it is in, a name that is");
  }
  return full;
}

Parsed<PassPhraseDialog> pass_phrase_dialog(const Arguments& words, PassPhraseDialog::Kind kind,
                                            std::string_view path) {
  auto full = absolute_path(words.server_root, path);
  if (!full.value) return Parsed<PassPhraseDialog>::refuse(std::move(full.outcome.error));
  return PassPhraseDialog{kind, std::move(*full.value)};
}

Parsed<std::string> file_name(const Arguments& words, std::size_t index) {
  const std::string_view name = words[index];
  if (name.empty()) return Parsed<std::string>::refuse("the name of the file is empty");
  if (starts_with_word(name, "pkcs11:")) {
    return Parsed<std::string>::refuse("pkcs11: URIs are not supported; name a PEM file instead");
  }
  return absolute_path(words.server_root, name);
}

Parsed<PathAt> path(const Arguments& words, const PathAt* /*before*/) {
  auto name = file_name(words, 0);
  if (!name.value) return Parsed<PathAt>::refuse(std::move(name.outcome.error));
  return PathAt{std::move(*name.value), words.where};
}

Parsed<std::vector<Network>> networks(const Arguments& words, const std::vector<Network>* before) {
  std::vector<Network> all = before == nullptr ? std::vector<Network>{} : *before;
  for (const char* word : words.words) {
    if (std::string_view(word).ends_with("/0")) {
      return Parsed<std::vector<Network>>::refuse(
          quoted(word) + " would take everybody's word about clients; name the addresses of your proxies");
    }
    const auto network = parse_network(word);
    if (!network) {
      return Parsed<std::vector<Network>>::refuse(
          "expected an address or a network, such as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32, not " + quoted(word));
    }
    if (std::ranges::find(all, *network) == all.end()) all.push_back(*network);
  }
  return all;
}

Parsed<std::string> any_text(const Arguments& words, const std::string* /*before*/) { return std::string(words[0]); }

Parsed<SuiteList> suite_list(const Arguments& words, const SuiteList* /*before*/) {
  if (words.size() == 1 && same_word(words[0], "default")) return SuiteList{};
  return name_list(words, "cipher suite", find_suite, is_supported, nearest_suite);
}

Parsed<GroupList> group_list(const Arguments& words, const GroupList* /*before*/) {
  auto parsed = name_list(
      words, "group", find_group, [](const Group& g) { return g.supported; }, nearest_group);
  if (parsed.value && parsed.value->empty()) {
    return Parsed<GroupList>::refuse(
        "none of these groups is supported; supported are X25519MLKEM768, X25519, P-256, "
        "P-384, SecP256r1MLKEM768, SecP384r1MLKEM1024, MLKEM768 and MLKEM1024");
  }
  return parsed;
}

Parsed<SchemeList> signature_list(const Arguments& words, const SchemeList* /*before*/) {
  if (words.size() == 1 && same_word(words[0], "default")) return SchemeList{};
  auto parsed = name_list(
      words, "signature algorithm", find_signature_scheme, [](const SignatureScheme& s) { return s.supported; },
      nearest_signature_scheme);
  if (parsed.value && parsed.value->empty()) return Parsed<SchemeList>::refuse(no_signature_scheme(words[0]));
  return parsed;
}

}  // namespace tls::config
