// SPDX-License-Identifier: Apache-2.0
// OCSP responses that another module fetches: mod_md with MDStapling, by the hooks of http_ssl.h.
#pragma once

#include <vector>

#include "apr/httpd.hpp"
#include "mod_tls_bridge/src/lib.rs.h"
#include "server/staplable.hpp"

namespace tls::server {

struct Host;

// Offers all certificates to other modules, and says which of them will go without a response although they, or the
// configuration, want one. Parent only, in post_config, after `credentials` are loaded.
[[nodiscard]] Staplable staplable_certificates(apr_pool_t* pool, const std::vector<server_rec*>& hosts,
                                               const rs::Credentials& credentials);

// What other modules have now for the certificates of `host`; empty responses where they have none yet. Any thread.
[[nodiscard]] rust::Vec<rs::StapleOffer> offered_responses(conn_rec* c, const Host& host);

}  // namespace tls::server
