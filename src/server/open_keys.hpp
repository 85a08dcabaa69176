// SPDX-License-Identifier: Apache-2.0
// Files of private keys that the processes may read which talk to the network.
#pragma once

#include <span>
#include <vector>

#include "config/policy/checks.hpp"

namespace tls::server {

// Adds a warning for each file with a private key that User of the configuration may read: what takes a child over then
// has the key, however well it is kept from the child's memory. Files of keys whose pass phrase comes from elsewhere
// are left out. Looks at modes and owners alone; before the fork, as root or as whoever runs `httpd -t`.
void check_open_keys(std::span<const config::CheckedHost> hosts, std::vector<config::PolicyProblem>& problems);

}  // namespace tls::server
