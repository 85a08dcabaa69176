// SPDX-License-Identifier: Apache-2.0
// The SSL_* variables of one connection.
#pragma once

#include <cstdint>
#include <string_view>

#include "apr/httpd.hpp"
#include "facts/facts.hpp"

namespace tls::report {

// What puts a variable into the environment of scripts. Lookup: nothing does. StdEnvVarsWithEch: StdEnvVars, where the
// client offered Encrypted ClientHello; mod_ssl has those in httpd's trunk alone.
enum class Availability : std::uint8_t { Always, StdEnvVars, StdEnvVarsWithEch, ExportCertData, Lookup };

// How distinguished names are written.
enum class DnForm : bool { Rfc2253, Legacy };

// The variable `name` (`HTTPS` or `SSL_...`, case ignored) of a connection, in `pool`; "" for one without a value,
// nullptr for a name that is none.
const char* variable(apr_pool_t* pool, const facts::Facts& facts, std::string_view name, DnForm form);

// Variables that say the same on every connection, even without one: SSL_VERSION_*. nullptr for all others.
const char* constant(apr_pool_t* pool, std::string_view name);

// Whether there is a variable of this name, whatever its value on one connection or another.
bool is_variable(std::string_view name);

// Tells of names in the configuration that are none; a hook of check_config.
int check_variables(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main_server);

// What the verifier found, as SSL_CLIENT_VERIFY shows it.
const char* verdict(apr_pool_t* pool, const facts::Facts& facts);

// Puts the variables into `env` that `options` of the request ask for, besides those that are always there.
void export_standard(apr_pool_t* pool, const facts::Facts& facts, DnForm form, apr_table_t* env);
void export_certificates(apr_pool_t* pool, const facts::Facts& facts, apr_table_t* env);

// Registers the hooks through which variables are asked for: lookup, expressions, log formats, environment.
void register_hooks(apr_pool_t* pool);

}  // namespace tls::report
