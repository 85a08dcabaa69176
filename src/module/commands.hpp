// SPDX-License-Identifier: Apache-2.0
// From rows to httpd: the command tables.
#pragma once

#include "apr/httpd.hpp"

namespace tls::module {

// The directives of the TLS* vocabulary.
extern const command_rec* const tls_commands;

// The directives of the SSL* vocabulary, and those of TLS* that govern the engine.
extern const command_rec* const ssl_commands;

// check_config, before all others: says what was noted of lines while they were read.
int say_notes(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main_server);

}  // namespace tls::module
