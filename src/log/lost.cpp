// SPDX-License-Identifier: Apache-2.0
// What the exception wall (apr/hook.hpp) has to say.
#include "apr/hook.hpp"

#include "log/log.hpp"

namespace tls::apr {

void log_lost(const Place& place, std::string_view function, const char* why) noexcept {
  if (lost_counter != nullptr) lost_counter();
  const auto length = static_cast<int>(function.size());
  if (place.r != nullptr) {
    TLS_LOG_R(place.r, InternalError, length, function.data(), why);
  } else if (place.c != nullptr) {
    TLS_LOG_C(place.c, InternalError, length, function.data(), why);
  } else {
    TLS_LOG_S(place.s != nullptr ? place.s : ap_server_conf, InternalError, length, function.data(), why);
  }
}

}  // namespace tls::apr
