// SPDX-License-Identifier: Apache-2.0
// What rules over settings find.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/policy/checked_host.hpp"

namespace tls::config {

// Collects problems; the same sentence about the same line is said once.
class Findings {
 public:
  void add(Severity severity, Source where, const CheckedHost& host, std::string text) {
    if (said_.insert(where.text() + text).second) problems_.push_back({severity, where, host.name, std::move(text)});
  }
  std::vector<PolicyProblem> take() && { return std::move(problems_); }

 private:
  std::set<std::string> said_;
  std::vector<PolicyProblem> problems_;
};

// The first of some places that was written at all.
inline Source first_of(std::initializer_list<Source> places, Source otherwise) {
  const auto* found = std::ranges::find_if(places, [](const Source& s) { return s.file != nullptr; });
  return found == places.end() ? otherwise : *found;
}

}  // namespace tls::config
