#include "access/access.hpp"

namespace tls::access {

void register_hooks(apr_pool_t* pool) noexcept {
  // mod_setenvif sets the environment that post_read_request looks at (modules/ssl/mod_ssl.c has the same order).
  static const char* const after_setenvif[] = {"mod_setenvif.c", nullptr};
  ap_hook_post_read_request(check_host, after_setenvif, nullptr, APR_HOOK_MIDDLE);
  ap_hook_post_read_request(refuse_unavailable, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_check_access(check_access, nullptr, nullptr, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
  ap_hook_check_authn(check_user, nullptr, nullptr, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
  ap_hook_check_authz(check_authorized, nullptr, nullptr, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
  register_providers(pool);
}

}  // namespace tls::access
