// SPDX-License-Identifier: Apache-2.0
// httpd's log, kept in memory.
#include <apr_strings.h>

#include <cstdarg>

#include "apr/httpd.hpp"
#include "lines.hpp"

namespace {

module record{};

void keep(const char* format, va_list arguments) {
  char line[2000];
  apr_vsnprintf(line, sizeof line, format, arguments);
  httpd_stub::lines().emplace_back(line);
}

}  // namespace

namespace httpd_stub {

std::vector<std::string>& lines() {
  static std::vector<std::string> kept;
  return kept;
}

}  // namespace httpd_stub

const int* aplog_module_index = &record.module_index;

extern "C" {

server_rec* ap_server_conf = nullptr;

#define HTTPD_STUB_LOG(name, record)                                                     \
  void name(const char*, int, int, int, apr_status_t, record, const char* format, ...) { \
    va_list arguments;                                                                   \
    va_start(arguments, format);                                                         \
    keep(format, arguments);                                                             \
    va_end(arguments);                                                                   \
  }
HTTPD_STUB_LOG(ap_log_error_, const server_rec*)
HTTPD_STUB_LOG(ap_log_cerror_, const conn_rec*)
HTTPD_STUB_LOG(ap_log_rerror_, const request_rec*)
#undef HTTPD_STUB_LOG

}  // extern "C"
