// From rows to httpd: the command tables, and the settings that httpd keeps for each server and directory.
#pragma once

#include "apr/httpd.hpp"
#include "config/effective.hpp"
#include "config/settings.hpp"

namespace tls::module {

// The directives of the TLS* vocabulary.
extern const command_rec* const tls_commands;

// What the module keeps for a server or virtual host, in the configuration pool.
struct ServerScope {
  config::ServerSettings settings;
  const config::EffectivePolicy* policy = nullptr;  // set by check_config
};

// What it keeps for a directory, a location, or a server's outermost directory.
struct DirectoryScope {
  config::DirectorySettings settings;
};

// For the module record; all in `pool`.
void* create_server_scope(apr_pool_t* pool, server_rec* s) noexcept;
void* merge_server_scopes(apr_pool_t* pool, void* base, void* add) noexcept;
void* create_directory_scope(apr_pool_t* pool, char* directory) noexcept;
void* merge_directory_scopes(apr_pool_t* pool, void* base, void* add) noexcept;

// The options that apply to a request: TLSOptions and SSLOptions of all sections it passed.
config::Options options_of(const request_rec* r) noexcept;

}  // namespace tls::module
