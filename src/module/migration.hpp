// `-t -D DUMP_TLS_MIGRATION`: every difference that a configuration written for mod_ssl will meet, by file and line.
#pragma once

#include "apr/httpd.hpp"
#include "config/row.hpp"

namespace tls::module {

// Whether this run is one that only lists differences. Errors of directives are then listed too, instead of ending it.
bool lists_differences();

// Notes what became of one directive. Parent, while the configuration is read.
void note_difference(cmd_parms* cmd, const config::Arguments& words, const config::Outcome& outcome);

// Prints what was noted, by file and line. The test_config hook.
void dump_differences(apr_pool_t* pool, server_rec* main_server);

}  // namespace tls::module
