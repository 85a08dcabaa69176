// SPDX-License-Identifier: Apache-2.0
#include "access/access.hpp"
#include "apr/hook.hpp"

namespace tls::access {
namespace {

// Under `Satisfy any` httpd asks others whether they let the request in, whatever check_access answers
// (server/request.c, ap_process_request_internal). None of them does so for us: it ends in the fixups at the latest.
int lost_access(const char* why, request_rec* r) {
  apr::Place place;
  place.take(r);
  apr::log_lost(place, "check_access", why);
  apr_table_setn(r->notes, failed_note, "1");
  return HTTP_INTERNAL_SERVER_ERROR;
}

int refuse_failed(request_rec* r) {
  return apr_table_get(r->notes, failed_note) != nullptr ? HTTP_INTERNAL_SERVER_ERROR : DECLINED;
}

}  // namespace

void register_hooks(apr_pool_t* pool) {
  // mod_setenvif sets the environment that post_read_request looks at (modules/ssl/mod_ssl.c has the same order).
  static const char* const after_setenvif[] = {"mod_setenvif.c", nullptr};
  ap_hook_post_read_request(apr::hook<check_host, HTTP_INTERNAL_SERVER_ERROR>, after_setenvif, nullptr,
                            APR_HOOK_MIDDLE);
  ap_hook_post_read_request(apr::hook<refuse_unavailable, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                            APR_HOOK_MIDDLE);
  ap_hook_check_access(apr::hook<check_access, lost_access>, nullptr, nullptr, APR_HOOK_MIDDLE,
                       AP_AUTH_INTERNAL_PER_CONF);
  ap_hook_check_authn(apr::hook<check_user, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_FIRST,
                      AP_AUTH_INTERNAL_PER_CONF);
  ap_hook_check_authz(apr::hook<check_authorized, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE,
                      AP_AUTH_INTERNAL_PER_CONF);
  ap_hook_fixups(apr::hook<refuse_failed, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
  ap_hook_check_config(apr::hook<check_user_names, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
  register_providers(pool);
}

}  // namespace tls::access
