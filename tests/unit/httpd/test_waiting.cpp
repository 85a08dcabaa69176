// SPDX-License-Identifier: Apache-2.0
// How connections wait for their client, by what the MPM says of itself.
#include <gtest/gtest.h>

#include <map>

#include "conn/waiting.hpp"
#include "mpm.hpp"

namespace tls::conn {
namespace {

constexpr int can_wait_io = 19;  // AP_MPMQ_CAN_WAITIO of httpd 2.4.63

class MpmWaiting : public testing::Test {
 protected:
  void SetUp() override {
    httpd_stub::mpm_answers().clear();
    connection_.cs = &state_;
  }

  conn_state_t state_{};
  conn_rec connection_{};
};

TEST_F(MpmWaiting, IsOfTheKindThatTheMpmOffers) {
  EXPECT_EQ(waiting_of_mpm(), Waiting::Blocks) << "an MPM that knows none of it";
  httpd_stub::mpm_answers()[AP_MPMQ_IS_ASYNC] = 0;
  EXPECT_EQ(waiting_of_mpm(), Waiting::Blocks);
  httpd_stub::mpm_answers()[AP_MPMQ_IS_ASYNC] = 1;
  EXPECT_EQ(waiting_of_mpm(), Waiting::WriteCompletion) << "event before httpd 2.4.63";
  httpd_stub::mpm_answers()[can_wait_io] = 1;
  EXPECT_EQ(waiting_of_mpm(), Waiting::WaitIo);
}

TEST_F(MpmWaiting, AnOlderMpmIsAskedToPollForReadingAndToldWhenThatIsOver) {
  wait_in_mpm(&connection_, Waiting::WriteCompletion);
  EXPECT_EQ(state_.state, CONN_STATE_WRITE_COMPLETION);
  EXPECT_EQ(state_.sense, CONN_SENSE_WANT_READ);
  EXPECT_EQ(connection_.clogging_input_filters, 1);
  resume_from_mpm(&connection_, Waiting::WriteCompletion);
  EXPECT_EQ(connection_.clogging_input_filters, 0);
  EXPECT_NE(state_.state, CONN_STATE_WRITE_COMPLETION);
}

TEST_F(MpmWaiting, ANewerOneHasAStateForIt) {
  wait_in_mpm(&connection_, Waiting::WaitIo);
  EXPECT_EQ(static_cast<int>(state_.state), 8);
  EXPECT_EQ(connection_.clogging_input_filters, 0);
  resume_from_mpm(&connection_, Waiting::WaitIo);
  EXPECT_EQ(static_cast<int>(state_.state), 8) << "which the MPM ends itself";
}

TEST_F(MpmWaiting, WhatDidNotWaitIsNotResumed) {
  state_.state = CONN_STATE_LINGER;
  resume_from_mpm(&connection_, Waiting::WriteCompletion);
  EXPECT_EQ(state_.state, CONN_STATE_LINGER);
}

}  // namespace
}  // namespace tls::conn
