// SPDX-License-Identifier: Apache-2.0
// The process that fetches OCSP responses and revocation lists: what it is to fetch, and its life.
#pragma once

#include <vector>

#include "mod_tls_bridge/src/lib.rs.h"
#include "server/client_auth.hpp"
#include "server/stapling.hpp"

struct server_rec;

namespace tls::server {

// Has fetched what the virtual hosts want, of which `credentials` has the certificates in this order; `staplable` says
// what another module fetches, and `clients` has the rules of questions about clients. Ends the process where nothing
// is wanted. Not being able to is logged, and no reason not to start: handshakes go on as with responders that do not
// answer. Parent only, in the second pass of post_config.
void fetch_for(server_rec* main, const std::vector<server_rec*>& hosts, const rs::Credentials& credentials,
               const Staplable& staplable, const ClientVerifiers& clients);

// Has fetched what files of CAs and responders want that have changed since, where children take them up without a
// restart. Parent only, now and then.
void renew_fetching(server_rec* main, const ClientVerifiers& clients);

// Says where what was fetched is kept, before a configuration reads it. Parent only.
void begin_fetching(apr_pool_t* pool);

// Makes the process as early as may be; see prepare_agent. Whether it is wanted turns out in post_config.
void prepare_fetcher();

// The monitor hook for its lines and for its life, child_status and child_init for the children's way to it.
void register_fetcher_hooks();

}  // namespace tls::server
