// SPDX-License-Identifier: Apache-2.0
// `Require ssl` and `Require ssl-verify-client`. Streams of an h2 connection are judged by the connection that carries
// them. Connections of another TLS module are asked through httpd, so that either module may register last.
#include <ap_provider.h>
#include <mod_auth.h>

#include <string_view>

#include "access/access.hpp"
#include "apr/hook.hpp"
#include "facts/request_facts.hpp"

namespace tls::access {
namespace {

// What a failure of reading `Require` says; judging denies.
constexpr char unreadable[] = "cannot be read";

const char* no_arguments(cmd_parms* cmd, const char* line, const void** /*parsed*/) {
  return ap_getword_conf(cmd->pool, &line)[0] != '\0' ? "does not take arguments" : nullptr;
}

authz_status require_tls(request_rec* r, const char* /*line*/, const void* /*parsed*/) {
  conn_rec* c = r->connection->master != nullptr ? r->connection->master : r->connection;
  return ap_ssl_conn_is_ssl(c) != 0 ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

authz_status require_verified_client(request_rec* r, const char* /*line*/, const void* /*parsed*/) {
  if (const facts::Facts* facts = facts::of_request(r)) {
    return facts->verify == facts::Verify::Success ? AUTHZ_GRANTED : AUTHZ_DENIED;
  }
  const char* verify = ap_ssl_var_lookup(r->pool, r->server, r->connection, r, "SSL_CLIENT_VERIFY");
  return verify != nullptr && std::string_view(verify) == "SUCCESS" ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

const authz_provider tls_provider = {apr::hook<require_tls, AUTHZ_DENIED>, apr::hook<no_arguments, unreadable>};
const authz_provider verified_client_provider = {apr::hook<require_verified_client, AUTHZ_DENIED>,
                                                 apr::hook<no_arguments, unreadable>};

}  // namespace

void register_providers(apr_pool_t* pool) {
  ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "ssl", AUTHZ_PROVIDER_VERSION, &tls_provider,
                            AP_AUTH_INTERNAL_PER_CONF);
  ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "ssl-verify-client", AUTHZ_PROVIDER_VERSION,
                            &verified_client_provider, AP_AUTH_INTERNAL_PER_CONF);
}

}  // namespace tls::access
