// SPDX-License-Identifier: Apache-2.0
// Log lines with stable ids. One row of messages.def is one line an administrator can meet.
#pragma once

#include "apr/httpd.hpp"
#include "log/limiter.hpp"

namespace tls::log {

// Whether one more line may be written. Says once a minute, before a line that may, how many could not. `r` may be
// nullptr. Any thread.
[[nodiscard]] bool admit(Budget& budget, const conn_rec* c, const request_rec* r);

}  // namespace tls::log

namespace tls::msg {
// NOLINTBEGIN(cppcoreguidelines-macro-usage): the table needs the preprocessor, so that formats stay literals
#define TLS_MESSAGE(name, number, level, text, ...)          \
  inline constexpr int name##_level = level;                 \
  inline constinit log::Budget name##_budget{"TLS" #number}; \
  inline constexpr char name[] = "TLS" #number ": " text;
#define MOD_SSL_MESSAGE(name, number, level, text, ...)     \
  inline constexpr int name##_level = level;                \
  inline constinit log::Budget name##_budget{"AH" #number}; \
  inline constexpr char name[] = "AH" #number ": " text;
#include "log/messages.def"
#undef MOD_SSL_MESSAGE
#undef TLS_MESSAGE
}  // namespace tls::msg

// TLS_LOG_S(server, Name, args...), TLS_LOG_C(connection, ...), TLS_LOG_R(request, ...), TLS_LOG_P(pool, ...)
// Peers cause the lines about connections and requests: these are bounded (log/limiter.hpp), unless an
// administrator asks for everything by LogLevel debug.
#define TLS_LOG_S(s, name, ...) \
  ap_log_error(APLOG_MARK, tls::msg::name##_level, 0, s, tls::msg::name __VA_OPT__(, ) __VA_ARGS__)
#define TLS_LOG_C(c, name, ...)                                                                           \
  do {                                                                                                    \
    if (APLOG_C_IS_LEVEL(c, tls::msg::name##_level) &&                                                    \
        (APLOG_C_IS_LEVEL(c, APLOG_DEBUG) || tls::log::admit(tls::msg::name##_budget, c, nullptr))) {     \
      ap_log_cerror(APLOG_MARK, tls::msg::name##_level, 0, c, tls::msg::name __VA_OPT__(, ) __VA_ARGS__); \
    }                                                                                                     \
  } while (false)
#define TLS_LOG_R(r, name, ...)                                                                           \
  do {                                                                                                    \
    if (APLOG_R_IS_LEVEL(r, tls::msg::name##_level) &&                                                    \
        (APLOG_R_IS_LEVEL(r, APLOG_DEBUG) || tls::log::admit(tls::msg::name##_budget, nullptr, r))) {     \
      ap_log_rerror(APLOG_MARK, tls::msg::name##_level, 0, r, tls::msg::name __VA_OPT__(, ) __VA_ARGS__); \
    }                                                                                                     \
  } while (false)
#define TLS_LOG_P(p, name, ...) \
  ap_log_perror(APLOG_MARK, tls::msg::name##_level, 0, p, tls::msg::name __VA_OPT__(, ) __VA_ARGS__)
// NOLINTEND(cppcoreguidelines-macro-usage)
