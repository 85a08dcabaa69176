// SPDX-License-Identifier: Apache-2.0
// What the MPM and the configuration say of themselves.
#pragma once

#include <map>
#include <set>
#include <string>

namespace httpd_stub {

// Answers of ap_mpm_query; of what is not in it the MPM knows nothing.
std::map<int, int>& mpm_answers();

// Names that ap_find_linked_module finds.
std::set<std::string>& modules();

}  // namespace httpd_stub
