// SPDX-License-Identifier: Apache-2.0
// Certificates and keys: from the configuration to what handshakes sign with.
#pragma once

#include <string>
#include <vector>

#include "mod_tls_bridge/src/lib.rs.h"

struct apr_pool_t;
struct server_rec;

namespace tls::server {

// What was loaded: the certificates of host i of the list are number i of `credentials`.
struct LoadedCredentials {
  bool ok = false;  // false: an error was logged that the server must not start with
  rust::Box<rs::Credentials> credentials;
};

// Loads the files that `hosts` name and logs all problems, each with virtual host, place in the configuration and
// remedy. Files that were parsed before and have not changed are not read again. Parent only, in post_config. Throws
// rust::Error after an internal fault.
[[nodiscard]] LoadedCredentials load_credentials(server_rec* main, const std::vector<server_rec*>& hosts);

// The check_config hook for `httpd -t`: looks into the files in a process of its own and logs all problems. In every
// other mode it opens nothing, so that a vanished certificate keeps no server from being stopped.
int check_files(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main);

}  // namespace tls::server
