// SPDX-License-Identifier: Apache-2.0
// Resumption of the whole server: shared memory for ticket keys, the secret file, the session cache.
#pragma once

struct apr_pool_t;
struct server_rec;

namespace tls::server {

// Registers pre_config, check_config, child_init and monitor hooks.
void register_resumption_hooks();

// Makes ready what policies are built with; called by post_config before the first of them. The memory of ticket keys
// is made by the first call of the process that will be the parent, or of its own parent, and lives as long as it does.
// False where sessions cannot be resumed as configured; that has been logged.
[[nodiscard]] bool prepare_resumption(apr_pool_t* pool, apr_pool_t* temp_pool, server_rec* main_server);

}  // namespace tls::server
