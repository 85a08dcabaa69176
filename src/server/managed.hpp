// SPDX-License-Identifier: Apache-2.0
// Certificates that other modules bring for virtual hosts: mod_md, by the hooks of http_ssl.h.
#pragma once

#include <vector>

#include "config/settings.hpp"

struct apr_pool_t;
struct server_rec;

namespace tls::server {

// What serves in place of the configured certificates of one virtual host.
struct ManagedCertificates {
  std::vector<config::CertificateFiles> files;  // with those configured, unless the other module took them out
  bool fallback = false;                        // a placeholder until the first real one: requests are answered 503
};

// Asks all modules for all virtual hosts. Parent only, in post_config, after mod_md's; the answers live as long as
// `pool`, the configuration's.
void collect_managed(apr_pool_t* pool, const std::vector<server_rec*>& hosts);

// The answer for a virtual host; nullptr where no other module has anything to do with its certificates.
[[nodiscard]] const ManagedCertificates* managed(const server_rec* s);

}  // namespace tls::server
