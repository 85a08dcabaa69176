// SPDX-License-Identifier: Apache-2.0
// What the module keeps in httpd's configuration vectors: settings as written, for each server and each directory.
// Each module record has its own, so that the vocabularies never mix; the words that govern the engine stand in both.
#pragma once

#include "apr/httpd.hpp"
#include "config/policy/effective.hpp"
#include "config/settings.hpp"

namespace tls::rs {
struct BackendPolicy;
}

namespace tls::server {

// For a server or virtual host.
struct ServerScope {
  config::ServerSettings settings;
  const char* first_directive = nullptr;  // of this vocabulary in this very server, not inherited; nullptr: none
  config::Source first_written;
  const config::EffectivePolicy* policy = nullptr;  // set by check_config in the primary record's scope
  bool lost = false;                                // could not be made: the start stops
};

// What connections to backends of one server are made with in a section. A section may stand for several servers, which
// inherit it and whose own settings then hold beneath it.
struct BackendUse {
  const server_rec* server;
  const rs::BackendPolicy* policy;
  bool unverified;         // it verifies no backend
  const BackendUse* next;  // of another server
};

// For a directory, a location, or a server's outermost directory.
struct DirectoryScope {
  config::DirectorySettings settings;
  config::ProxySettings proxy;
  const BackendUse* backends = nullptr;  // built in post_config, of the innermost section that has any
  const server_rec* server = nullptr;    // whose outermost directory it is, or was merged with; set in post_config
  bool of_backends = false;              // a word for outgoing connections stands in this very section
  bool lost = false;                     // could not be made: whoever asks for it is told by an exception
};

// For the module records; all in `pool`.
void* create_server_scope(apr_pool_t* pool, server_rec* s);
void* merge_server_scopes(apr_pool_t* pool, void* base, void* add);
void* create_directory_scope(apr_pool_t* pool, char* directory);
void* merge_directory_scopes(apr_pool_t* pool, void* base, void* add);

// Their answers where something throws: scopes that are marked as lost, for httpd takes no other answer.
void* lost_server_scope(const char* why, apr_pool_t* pool, server_rec* s) noexcept;
void* lost_server_merge(const char* why, apr_pool_t* pool, void* base, void* add) noexcept;
void* lost_directory_scope(const char* why, apr_pool_t* pool, char* directory) noexcept;
void* lost_directory_merge(const char* why, apr_pool_t* pool, void* base, void* add) noexcept;

// The record that is loaded; tls_module where both are.
const module_struct& primary_record();
bool is_loaded(const module_struct& record);

// Gives our ssl_module the index of a foreign module's while `pool` lives. It is not loaded for that.
void lend_ssl_record(apr_pool_t* pool, int index);

ServerScope& scope_of(const server_rec* s, const module_struct& record);

// The policy of a server or virtual host; valid from check_config until the configuration pool ends.
const config::EffectivePolicy& effective(const server_rec* s);

// What the sections that a request passed say of it, in the vocabulary of its virtual host. Throws where they could not
// be merged, as do the two below: nobody gets by a section that is not known.
const config::DirectorySettings& directory_settings(const request_rec* r);

// The scope in `per_directory` of the vocabulary that `s` is written in; nullptr where there is none.
DirectoryScope* directory_scope(const server_rec* s, const ap_conf_vector_t* per_directory);

// The options that apply to a request: TLSOptions and SSLOptions of all sections it passed.
config::Options options_of(const request_rec* r);

}  // namespace tls::server
