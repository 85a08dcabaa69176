// SPDX-License-Identifier: Apache-2.0
// The clock for deadlines, pauses and durations: nobody sets it. What a moment of the calendar is meant by (validity of
// certificates, ages of tickets, what logs show) asks apr_time_now() instead.
#pragma once

#include <apr_time.h>

#include <ctime>

namespace tls::apr {

// Microseconds since some moment before the process began. The same in all processes of a machine.
inline apr_interval_time_t monotonic() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return apr_time_from_sec(static_cast<apr_interval_time_t>(now.tv_sec)) + now.tv_nsec / 1000;
}

}  // namespace tls::apr
