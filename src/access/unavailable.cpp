// SPDX-License-Identifier: Apache-2.0
// 503 where nothing is to be served: in virtual hosts that have a placeholder for a certificate, and to ACME servers
// that looked for their challenge (ssl_engine_kernel.c, ssl_hook_ReadReq does so too).
#include "access/access.hpp"
#include "apr/httpd.hpp"
#include "facts/facts.hpp"
#include "server/engine.hpp"
#include "server/managed.hpp"

namespace tls::access {

int refuse_unavailable(request_rec* r) {
  const facts::SessionFacts* facts = facts::session_facts(r->connection);
  if (facts != nullptr && facts->challenge) return HTTP_SERVICE_UNAVAILABLE;
  const server::ManagedCertificates* certificates = server::managed(r->server);
  const server::Engine* engine = server::engine();
  const bool placeholder =
      (certificates != nullptr && certificates->fallback) || (engine != nullptr && engine->is_unavailable(r->server));
  return placeholder && ap_ssl_conn_is_ssl(r->connection) != 0 ? HTTP_SERVICE_UNAVAILABLE : DECLINED;
}

}  // namespace tls::access
