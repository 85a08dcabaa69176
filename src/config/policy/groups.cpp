// SPDX-License-Identifier: Apache-2.0
#include "config/policy/groups.hpp"

#include <algorithm>

#include "config/ciphers/suites.hpp"

namespace tls::config {

bool needs_post_quantum(const Setting<PostQuantum>& post_quantum) {
  return post_quantum && *post_quantum == PostQuantum::Require;
}

bool prefers_post_quantum(const Setting<PostQuantum>& post_quantum) {
  return post_quantum && *post_quantum == PostQuantum::Prefer;
}

bool has_post_quantum(const GroupList& list) { return std::ranges::any_of(list, is_post_quantum); }

GroupList groups_of(const Setting<GroupList>& list, const Setting<PostQuantum>& post_quantum) {
  GroupList groups = list ? *list : GroupList{};
  if (!post_quantum) return groups;
  if (*post_quantum == PostQuantum::Off) {
    std::erase_if(groups, is_post_quantum);
  } else if (needs_post_quantum(post_quantum)) {
    const bool written = list.where().file != nullptr;
    std::erase_if(groups, [](std::uint16_t group) { return !is_post_quantum(group); });
    if (!written || groups.empty()) groups.assign(hybrid_groups().begin(), hybrid_groups().end());
  } else {
    if (!has_post_quantum(groups)) groups.push_back(hybrid_groups().front());
    std::stable_partition(groups.begin(), groups.end(), is_post_quantum);
  }
  return groups;
}

std::string group_names(const GroupList& list) {
  std::string out;
  for (const std::uint16_t number : list) {
    const Group* known = group(number);
    out.append(out.empty() ? "" : ":").append(known != nullptr ? known->name : "?");
  }
  return out;
}

}  // namespace tls::config
