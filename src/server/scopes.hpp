// What the module keeps in httpd's configuration vectors: settings as written, for each server and each directory.
#pragma once

#include "apr/httpd.hpp"
#include "config/effective.hpp"
#include "config/settings.hpp"

namespace tls::server {

// For a server or virtual host.
struct ServerScope {
  config::ServerSettings settings;
  const config::EffectivePolicy* policy = nullptr;  // set by check_config
};

// For a directory, a location, or a server's outermost directory.
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

}  // namespace tls::server
