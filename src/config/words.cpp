// SPDX-License-Identifier: Apache-2.0
#include "config/words.hpp"

#include <algorithm>
#include <array>

namespace tls::config {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool starts_with_word(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && same_word(text.substr(0, prefix.size()), prefix);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  constexpr std::size_t longest_word = 80;
  if (word.size() < 2 || word.size() > longest_word) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (same_word(word, candidate)) continue;  // it is known, and wrong for another reason
    const std::size_t distance = edit_distance(word, candidate);
    const bool continued = distance == best_distance && starts_with_word(candidate, word);
    if (distance < best_distance || (continued && !best.empty())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view candidate) {
  return candidate.empty() ? std::string() : "; did you mean " + quoted(candidate) + "?";
}

std::string list_advice(std::string_view name, std::string_view candidate) {
  const bool joined = name.find_first_of(",;") != std::string_view::npos;
  return joined ? std::string("; names in a list are divided by colons") : did_you_mean(candidate);
}

std::string typed_elsewhere(std::span<const char* const> words) {
  // U+00AB, U+00BB, U+2018 to U+201F, U+2039 and U+203A.
  constexpr std::array<std::string_view, 12> quotes = {"\u00ab", "\u00bb", "\u2018", "\u2019", "\u201a", "\u201b",
                                                       "\u201c", "\u201d", "\u201e", "\u201f", "\u2039", "\u203a"};
  for (const std::string_view word : words) {
    const bool found = std::ranges::any_of(quotes, [word](auto quote) { return word.starts_with(quote); });
    if (found) {
      return quoted(word) +
             " begins with a quotation mark of a text processor or a web page, which counts as a letter here; write "
             "plain ones "
             "(\") or none";
    }
  }
  return {};
}

bool has_comment(std::span<const char* const> words) {
  return std::ranges::any_of(words, [](std::string_view word) { return word.starts_with('#'); });
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length == 0 || first > 0xf4 || text.size() < length) return false;
    for (std::size_t i = 1; i < length; ++i) {
      if ((static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80U) return false;
    }
    const auto second = static_cast<unsigned char>(length > 1 ? text[1] : 0);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
        (first == 0xf4 && second > 0x8f)) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string one_of(std::span<const std::string_view> words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

std::string quoted(std::string_view word) { return "\"" + std::string(word) + "\""; }

std::string in_hexadecimal(std::string_view octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    out += digits[octet >> 4U];
    out += digits[octet & 15U];
  }
  return out;
}

}  // namespace tls::config
