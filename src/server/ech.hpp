// SPDX-License-Identifier: Apache-2.0
// Encrypted ClientHello: keys from the configuration to the memory that children read, and what to say about them.
#pragma once

#include <string>
#include <vector>

#include "mod_tls_bridge/src/ech/boundary.rs.h"

struct apr_pool_t;
struct server_rec;

namespace tls::server {

void register_ech_hooks();

// In post_config of the parent: checks the keys in the first reading of a start, and has them used from the second on.
// False where the server must not start; it has been logged.
[[nodiscard]] bool prepare_ech(server_rec* main);

// What the configuration asks for. `main` heads the list of servers.
[[nodiscard]] rs::EchKeySources ech_key_sources(const server_rec* main);

// Whether the configuration asks for keys at all.
[[nodiscard]] bool has_ech(const server_rec* main);

// The names that stand in the open for others; none where the configuration asks for no keys.
[[nodiscard]] std::vector<std::string> public_names(const server_rec* main);

// What DNS should say of the keys that this process has, in base64; "" where it has none. Any thread of a child.
[[nodiscard]] std::string ech_held_list();

// Whether clients that ask for this name get to the virtual host, as far as names tell.
[[nodiscard]] bool has_name(const server_rec* s, const std::string& wanted);

// The names of a virtual host by which clients may ask for it, as they are written; wildcards among them.
[[nodiscard]] std::vector<std::string> names_of(const server_rec* s);

}  // namespace tls::server
