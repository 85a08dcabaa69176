// SPDX-License-Identifier: Apache-2.0
// The groups of a policy: the list as it was written, and what is written of post-quantum ones.
#pragma once

#include "config/settings.hpp"

namespace tls::config {

// Prefer puts X25519MLKEM768 before a list that has no post-quantum group; Require leaves only those of the list, or
// all hybrid ones where it is the default or has none; Off leaves the others.
GroupList groups_of(const Setting<GroupList>& list, const Setting<PostQuantum>& post_quantum);

// Whether peers without a post-quantum group are turned away.
bool needs_post_quantum(const Setting<PostQuantum>& post_quantum);

// Whether clients that offer a post-quantum group get it, whatever they put first. Backends get the list in order.
bool prefers_post_quantum(const Setting<PostQuantum>& post_quantum);

// Whether some group of the list is one.
bool has_post_quantum(const GroupList& list);

// Names of groups with a colon between them.
std::string group_names(const GroupList& list);

}  // namespace tls::config
