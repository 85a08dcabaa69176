// SPDX-License-Identifier: Apache-2.0
// `-t -D DUMP_TLS_MIGRATION`: every difference that a configuration written for mod_ssl will meet, by file and line.
#pragma once

#include "apr/httpd.hpp"
#include "config/vocabulary/row.hpp"

namespace tls::module {

// Whether this run is one that only lists differences. Errors of directives are then listed too, instead of ending it.
bool lists_differences();

// Notes what became of one directive. Parent, while the configuration is read.
void note_difference(cmd_parms* cmd, const config::Arguments& words, const config::Outcome& outcome);

// Prints what was noted, by file and line, and what is wrong with the files that are named. The check_config hook that
// goes before those which look for faults: the list comes whatever they find.
int list_differences(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main_server);

// The last check_config hook: fails where a difference stops the start, so that the exit status tells.
int judge_differences(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main_server);

}  // namespace tls::module
