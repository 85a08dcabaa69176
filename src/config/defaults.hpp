// The defaults of a vocabulary as settings: what its rows say, read by their own parsers.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/row.hpp"
#include "config/words.hpp"

namespace tls::config {

// Settings in which every member has its default, as far as it has one. A default that its own parser refuses leaves
// its member unset, which a unit test finds.
template <class S>
S read_defaults(std::span<const Row<S>> rows, Arena& arena) {
  S settings;
  for (const Row<S>& row : rows) {
    if (row.text.fallback == nullptr) continue;
    std::vector<std::string> words;
    for (const std::string_view word : split(row.text.fallback, " ")) words.emplace_back(word);
    std::vector<const char*> pointers;
    pointers.reserve(words.size());
    for (const std::string& word : words) pointers.push_back(word.c_str());
    apply(row, settings, arena, Arguments{row.name, pointers, Source{}, false});
  }
  return settings;
}

}  // namespace tls::config
