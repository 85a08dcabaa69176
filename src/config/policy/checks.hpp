// SPDX-License-Identifier: Apache-2.0
// Rules over several settings of one server, and over all servers. They open no file.
#pragma once

#include <span>
#include <vector>

#include "config/policy/checked_host.hpp"

namespace tls::config {

// All problems at once, in the order of the configuration. What is inherited is said once, for the first host it
// concerns. `listening` is what Listen opens.
std::vector<PolicyProblem> check_hosts(std::span<const CheckedHost> hosts, std::span<const Listener> listening);

}  // namespace tls::config
