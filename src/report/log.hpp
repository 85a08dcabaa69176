// Log lines with stable ids. One row of messages.def is one line an administrator can meet.
#pragma once

#include "apr/httpd.hpp"

namespace tls::msg {
// NOLINTBEGIN(cppcoreguidelines-macro-usage): the table needs the preprocessor, so that formats stay literals
#define TLS_MESSAGE(name, number, level, text) \
  inline constexpr int name##_level = level;   \
  inline constexpr char name[] = "TLS" #number ": " text;
#define MOD_SSL_MESSAGE(name, number, level, text) \
  inline constexpr int name##_level = level;       \
  inline constexpr char name[] = "AH" #number ": " text;
#include "report/messages.def"
#undef MOD_SSL_MESSAGE
#undef TLS_MESSAGE
}  // namespace tls::msg

// TLS_LOG_S(server, Name, args...), TLS_LOG_C(connection, ...), TLS_LOG_R(request, ...), TLS_LOG_P(pool, ...)
#define TLS_LOG_S(s, name, ...) \
  ap_log_error(APLOG_MARK, tls::msg::name##_level, 0, s, tls::msg::name __VA_OPT__(, ) __VA_ARGS__)
#define TLS_LOG_C(c, name, ...) \
  ap_log_cerror(APLOG_MARK, tls::msg::name##_level, 0, c, tls::msg::name __VA_OPT__(, ) __VA_ARGS__)
#define TLS_LOG_R(r, name, ...) \
  ap_log_rerror(APLOG_MARK, tls::msg::name##_level, 0, r, tls::msg::name __VA_OPT__(, ) __VA_ARGS__)
#define TLS_LOG_P(p, name, ...) \
  ap_log_perror(APLOG_MARK, tls::msg::name##_level, 0, p, tls::msg::name __VA_OPT__(, ) __VA_ARGS__)
// NOLINTEND(cppcoreguidelines-macro-usage)
