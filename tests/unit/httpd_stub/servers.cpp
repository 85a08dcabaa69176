// SPDX-License-Identifier: Apache-2.0
// What choosing and comparing virtual hosts calls of httpd, and of rooms that no unit test has.
#include <ap_listen.h>
#include <apr_lib.h>

#include "apr/httpd.hpp"
#include "report/request_variables.hpp"

extern "C" {

ap_listen_rec* ap_listeners = nullptr;

int ap_vhost_iterate_given_conn(conn_rec*, ap_vhost_iterate_conn_cb, void*) { return 0; }

void ap_update_vhost_given_ip(conn_rec*) {}

// As httpd's (server/util.c): `*` for any text, `?` for one character, letters of either case.
int ap_strcasecmp_match(const char* text, const char* pattern) {
  if (*pattern == '\0') return *text == '\0' ? 0 : 1;
  if (*pattern == '*') {
    for (;; ++text) {
      if (ap_strcasecmp_match(text, pattern + 1) == 0) return 0;
      if (*text == '\0') return 1;
    }
  }
  if (*text == '\0') return -1;
  if (*pattern != '?' && apr_tolower(*text) != apr_tolower(*pattern)) return 1;
  return ap_strcasecmp_match(text + 1, pattern + 1);
}

int ap_is_initial_req(request_rec* r) { return r->main == nullptr && r->prev == nullptr ? 1 : 0; }

}  // extern "C"

namespace tls::report {

bool is_request_variable(std::string_view) { return false; }

}  // namespace tls::report
