// 503 for virtual hosts that have a placeholder for a certificate.
#include "access/access.hpp"
#include "apr/httpd.hpp"
#include "server/managed.hpp"

namespace tls::access {

int refuse_unavailable(request_rec* r) noexcept {
  const server::ManagedCertificates* certificates = server::managed(r->server);
  const bool placeholder = certificates != nullptr && certificates->fallback;
  return placeholder && ap_ssl_conn_is_ssl(r->connection) != 0 ? HTTP_SERVICE_UNAVAILABLE : DECLINED;
}

}  // namespace tls::access
