// SPDX-License-Identifier: Apache-2.0
#include "log/log.hpp"

namespace tls::log {

bool admit(Budget& budget, const conn_rec* c, const request_rec* r) {
  const Admission admission = take(budget);
  if (admission.left_out > 0) {
    const conn_rec* const connection = c != nullptr ? c : r->connection;
    TLS_LOG_S(connection->base_server, LinesLeftOut, budget.id, admission.left_out);
  }
  return admission.granted;
}

}  // namespace tls::log
