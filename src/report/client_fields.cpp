// SPDX-License-Identifier: Apache-2.0
#include "report/client_fields.hpp"

#include <apr_strings.h>

#include <array>
#include <span>
#include <string_view>

#include "apr/hook.hpp"
#include "apr/request.hpp"
#include "facts/certificates.hpp"
#include "facts/forwarded.hpp"
#include "facts/request_facts.hpp"
#include "log/log.hpp"
#include "server/module_config.hpp"

namespace tls::report {
namespace {

using config::ClientCertHeader;
using facts::certificate_name;
using facts::chain_name;

constexpr const char* key = "mod_tls: fields for others";
constexpr const char* trailer_filter = "MOD_TLS_CLIENT_FIELDS";

// Registered for each configuration, in one place of memory for as long as its pool is.
ap_filter_rec_t* trailer_filter_record = nullptr;

// Of a request with all its subrequests and redirects, which share tables of headers. The client has one certificate;
// what is ours is told by its address.
using Own = facts::HttpFields;

const Own* known(const request_rec* r) {
  void* found = nullptr;
  apr_pool_userdata_get(&found, key, apr::root_of(r)->pool);
  return static_cast<const Own*>(found);
}

const Own& own_of(const request_rec* r, const facts::Facts& facts) {
  if (const Own* const found = known(r)) return *found;
  apr_pool_t* const pool = apr::root_of(r)->pool;
  const auto* const made = ::new (apr_palloc(pool, sizeof(Own))) Own(facts::http_fields(pool, facts));
  apr_pool_userdata_setn(made, key, nullptr, pool);
  return *made;
}

ClientCertHeader wanted(const request_rec* r) {
  const auto& word = server::directory_settings(r).client_cert_header;
  return word ? *word : ClientCertHeader::Off;
}

// As CGI (ap_add_common_vars) has the two fields, and what internal redirects make of that.
constexpr std::array certificate_variables = {"HTTP_CLIENT_CERT", "REDIRECT_HTTP_CLIENT_CERT"};
constexpr std::array chain_variables = {"HTTP_CLIENT_CERT_CHAIN", "REDIRECT_HTTP_CLIENT_CERT_CHAIN"};

void take_out(request_rec* r, const char* name, const char* value, std::span<const char* const> variables) {
  if (apr_table_get(r->headers_in, name) == value) apr_table_unset(apr::own_headers(r), name);
  for (const char* variable : variables) {
    const char* const found = apr_table_get(r->subprocess_env, variable);
    if (found != nullptr && std::string_view(found) == value) apr_table_unset(r->subprocess_env, variable);
  }
}

// What a section before this one has put in is taken back; what others did (RequestHeader) stays where we say nothing.
// mod_include and gateways have made variables of it, which subrequests and redirects begin with as with the headers.
void take_back(request_rec* r) {
  const Own* const own = known(r);
  if (own == nullptr) return;
  take_out(r, certificate_name, own->certificate, certificate_variables);
  take_out(r, chain_name, own->chain, chain_variables);
}

bool has_filter(const request_rec* r) {
  for (const ap_filter_t* f = r->input_filters; f != nullptr; f = f->next) {
    if (f->frec == trailer_filter_record && f->r == r) return true;
  }
  return false;
}

// Trailers are read with the body, after everybody has looked at the headers, and MergeTrailers makes headers of them.
void watch_trailers(request_rec* r) {
  const bool may_have_some =
      r->connection->master != nullptr || apr_table_get(r->headers_in, "Transfer-Encoding") != nullptr;
  if (r->main == nullptr && may_have_some && !has_filter(r)) {
    ap_add_input_filter_handle(trailer_filter_record, nullptr, r, r->connection);
  }
}

// Before whoever else looks at the headers, or reads the body (mod_auth_form and mod_request do so for access checks).
int take_fields(request_rec* r) {
  const facts::ClientFields& fields = facts::client_fields(r);
  if (r->prev != nullptr) take_back(r);
  watch_trailers(r);
  if (fields.removed) TLS_LOG_R(r, ClientFieldsRemoved);
  if (fields.problem == nullptr) return DECLINED;
  TLS_LOG_R(r, ClientFieldsUnread, r->connection->client_ip, fields.problem);
  return HTTP_BAD_REQUEST;
}

// Subrequests begin with a copy of their main request's headers, and with its section's field, which says nothing to
// the access checks of their own.
int begin_subrequest(request_rec* r) {
  if (r->main != nullptr) take_back(r);
  return OK;
}

// After all sections are known, and after mod_headers. Where the word is on, the fields are ours alone.
int put_fields(request_rec* r) {
  facts::client_fields(r);
  // Whom a forward proxy asks is the visitor's choice: nobody there is to be told who comes.
  const ClientCertHeader word = r->proxyreq == PROXYREQ_PROXY ? ClientCertHeader::Off : wanted(r);
  if (word == ClientCertHeader::Off) return DECLINED;
  apr_table_t* const headers = apr::own_headers(r);
  facts::take_client_fields(headers);
  const facts::Facts* const facts = facts::of_request(r);
  const bool proven = facts != nullptr && facts->verify == facts::Verify::Success;
  if (!proven || facts::client_certificates(*facts) == 0) return DECLINED;
  const Own& own = own_of(r, *facts);
  apr_table_setn(headers, certificate_name, own.certificate);
  if (word == ClientCertHeader::Chain && *own.chain != '\0') apr_table_setn(headers, chain_name, own.chain);
  return DECLINED;
}

apr_status_t take_from_trailers(ap_filter_t* f, apr_bucket_brigade* bb, ap_input_mode_t mode, apr_read_type_e block,
                                apr_off_t limit) {
  request_rec* const r = f->r;
  const apr_table_t* const before = r->headers_in;
  const apr_status_t rv = ap_get_brigade(f->next, bb, mode, block, limit);
  if (r->trailers_in != nullptr) facts::take_client_fields(r->trailers_in);
  if (r->headers_in == before) return rv;
  facts::take_client_fields(r->headers_in);
  facts::keep_connection(r);
  for (const char* name : {certificate_name, chain_name}) {
    if (const char* const value = apr_table_get(before, name)) apr_table_setn(r->headers_in, name, value);
  }
  return rv;
}

}  // namespace

void register_client_field_hooks() {
  ap_hook_create_request(apr::hook<begin_subrequest, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                         APR_HOOK_REALLY_FIRST);
  ap_hook_post_read_request(apr::hook<take_fields, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                            APR_HOOK_REALLY_FIRST);
  ap_hook_fixups(apr::hook<put_fields, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_REALLY_LAST);
  ap_hook_insert_filter(apr::hook<watch_trailers>, nullptr, nullptr, APR_HOOK_MIDDLE);
  trailer_filter_record = ap_register_input_filter(trailer_filter, apr::hook<take_from_trailers, APR_EGENERAL>, nullptr,
                                                   AP_FTYPE_CONTENT_SET);
}

}  // namespace tls::report
