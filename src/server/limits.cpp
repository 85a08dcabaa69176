// SPDX-License-Identifier: Apache-2.0
#include "server/limits.hpp"

#include <ap_mpm.h>

#include "apr/mpm.hpp"
#include "log/log.hpp"
#include "mod_tls_bridge/src/lib.rs.h"
#include "server/policies.hpp"

namespace tls::server {
namespace {

rs::LimitScopes scopes(const config::HandshakeLimits& most) { return {most.address, most.child, most.server}; }

}  // namespace

void set_handshake_limits(server_rec* main_server) {
  const config::EffectivePolicy& policy = effective(main_server);
  rs::limit_handshakes(scopes(policy.handshake_rate), scopes(policy.handshakes_under_way));
  const bool by_process = policy.handshake_rate.address != 0 || policy.handshake_rate.child != 0 ||
                          policy.handshakes_under_way.address != 0 || policy.handshakes_under_way.child != 0;
  int threads = 0;
  if (!by_process || apr::is_first_reading()) return;
  if (ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) == APR_SUCCESS && threads < 2)
    TLS_LOG_S(main_server, LimitsByProcess);
}

}  // namespace tls::server
