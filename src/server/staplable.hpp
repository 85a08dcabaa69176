// SPDX-License-Identifier: Apache-2.0
// Whose OCSP responses come from elsewhere.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

struct server_rec;

namespace tls::server {

// Ids of the certificates whose responses another module will have, by virtual host.
using Staplable = std::unordered_map<const server_rec*, std::vector<std::string>>;

}  // namespace tls::server
