// SPDX-License-Identifier: Apache-2.0
// What is to be fetched over HTTP, as the policies of the virtual hosts ask for it.
#pragma once

#include <vector>

#include "mod_tls_bridge/src/fetch/boundary.rs.h"
#include "mod_tls_bridge/src/lib.rs.h"
#include "server/client_auth.hpp"
#include "server/stapling.hpp"

struct server_rec;

namespace tls::server {

// Adds to `settings` what `hosts` want: responses for the certificates of those that staple and have none from another
// module (`staplable`), and the rules by which children ask about clients. Parent only, in post_config.
void collect_settings(rs::FetchSettings& settings, const std::vector<server_rec*>& hosts, const Staplable& staplable,
                      const ClientVerifiers& clients);

}  // namespace tls::server
