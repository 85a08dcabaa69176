// SPDX-License-Identifier: Apache-2.0
// Files of private keys that the processes may read which talk to the network.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apr/httpd.hpp"

namespace tls::server {

// Warns of each file with a private key that User of the configuration may read: what takes a child over then has the
// key, however well it is kept from the child's memory. Files of keys whose pass phrase comes from elsewhere are left
// out, and those that are `faulty`, which may hold no key. Looks at modes and owners alone; before the fork, as root or
// as whoever runs `httpd -t`.
void warn_of_open_keys(const std::vector<server_rec*>& hosts, const std::function<bool(const std::string&)>& faulty);

}  // namespace tls::server
