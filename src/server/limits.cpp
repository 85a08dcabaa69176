// SPDX-License-Identifier: Apache-2.0
#include "server/limits.hpp"

#include <ap_mpm.h>
#include <mpm_common.h>

#include "apr/hook.hpp"
#include "apr/mpm.hpp"
#include "log/log.hpp"
#include "mod_tls_bridge/src/lib.rs.h"
#include "server/agent.hpp"
#include "server/policies.hpp"

namespace tls::server {
namespace {

rs::LimitScopes scopes(const config::HandshakeLimits& most) { return {most.address, most.child, most.server}; }

bool has_any(const config::HandshakeLimits& most) { return most.address != 0 || most.child != 0 || most.server != 0; }

// Each process counts for itself.
void say_what_they_are_worth(server_rec* main_server, const config::HandshakeLimits& rate,
                             const config::HandshakeLimits& under_way) {
  const bool is_one_by_one = mpm_number(AP_MPMQ_MAX_THREADS) < 2;
  if (is_one_by_one && (rate.address != 0 || rate.child != 0)) TLS_LOG_S(main_server, LimitsByProcess);
  if (is_one_by_one && has_any(under_way)) {
    TLS_LOG_S(main_server, UnderWayIgnored);
    return;
  }
  const std::uint32_t processes = mpm_number(AP_MPMQ_MAX_DAEMONS);
  if (under_way.server == 0 || under_way.server >= processes) return;
  const int shown = static_cast<int>(processes);
  TLS_LOG_S(main_server, UnderWayByProcess, under_way.server, shown, shown);
}

// After the parent has summed what its children counted.
int monitor(apr_pool_t*, server_rec* s) {
  const std::string refused(rs::limits_report());
  if (!refused.empty()) TLS_LOG_S(s, LimitsRefuse, refused.c_str());
  return DECLINED;
}

}  // namespace

void set_handshake_limits(server_rec* main_server) {
  const config::EffectivePolicy& policy = effective(main_server);
  rs::limit_handshakes(scopes(policy.handshake_rate), scopes(policy.handshakes_under_way));
  if (!apr::is_first_reading())
    say_what_they_are_worth(main_server, policy.handshake_rate, policy.handshakes_under_way);
}

void register_limit_hooks() { ap_hook_monitor(apr::hook<monitor, DECLINED>, nullptr, nullptr, APR_HOOK_LAST); }

}  // namespace tls::server
