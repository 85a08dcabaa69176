// SPDX-License-Identifier: Apache-2.0
#include "conn/waiting.hpp"

namespace tls::conn {
namespace {

// Numbers of httpd 2.4.63 (ap_mpm.h, httpd.h), spelt out for headers that are older.
constexpr int can_wait_io = 19;
constexpr auto async_wait_io = static_cast<conn_state_e>(8);
constexpr auto processing = static_cast<conn_state_e>(1);
#ifdef AP_MPMQ_CAN_WAITIO
static_assert(can_wait_io == AP_MPMQ_CAN_WAITIO);
static_assert(async_wait_io == CONN_STATE_ASYNC_WAITIO);
static_assert(processing == CONN_STATE_PROCESSING);
#endif

bool offers(int question) {
  int answer = 0;
  return ap_mpm_query(question, &answer) == APR_SUCCESS && answer != 0;
}

}  // namespace

Waiting waiting_of_mpm() {
  if (offers(can_wait_io)) return Waiting::WaitIo;
  return offers(AP_MPMQ_IS_ASYNC) ? Waiting::WriteCompletion : Waiting::Blocks;
}

void wait_in_mpm(conn_rec* c, Waiting how) {
  c->cs->sense = CONN_SENSE_WANT_READ;
  if (how == Waiting::WaitIo) {
    c->cs->state = async_wait_io;
    return;
  }
  c->clogging_input_filters = 1;
  c->cs->state = CONN_STATE_WRITE_COMPLETION;
}

void resume_from_mpm(conn_rec* c, Waiting how) {
  if (how != Waiting::WriteCompletion || c->clogging_input_filters == 0) return;
  c->clogging_input_filters = 0;
  c->cs->state = processing;
}

}  // namespace tls::conn
