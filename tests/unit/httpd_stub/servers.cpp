// SPDX-License-Identifier: Apache-2.0
// What choosing and comparing virtual hosts calls of httpd, and of rooms that no unit test has.
#include <ap_listen.h>
#include <apr_base64.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include <cstring>

#include "apr/httpd.hpp"

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

// What is asked of a request that is none of httpd's.
const char* ap_run_http_scheme(const request_rec*) { return "https"; }
const char* ap_get_useragent_host(request_rec*, int, int*) { return nullptr; }
const char* ap_get_remote_logname(request_rec*) { return nullptr; }
const char* ap_get_server_name_for_url(request_rec* r) { return r->server->server_hostname; }
apr_port_t ap_get_server_port(const request_rec*) { return 443; }
const char* ap_document_root(request_rec*) { return nullptr; }
const char* ap_get_server_banner() { return "Apache"; }

// Base64 of headers, and what a log line may have.
char* ap_pbase64decode(apr_pool_t* pool, const char* text) {
  auto* const out = static_cast<char*>(apr_palloc(pool, static_cast<apr_size_t>(apr_base64_decode_len(text)) + 1));
  out[apr_base64_decode(out, text)] = '\0';
  return out;
}

char* ap_pbase64encode(apr_pool_t* pool, char* text) {
  const auto length = static_cast<int>(std::strlen(text));
  auto* const out = static_cast<char*>(apr_palloc(pool, static_cast<apr_size_t>(apr_base64_encode_len(length))));
  apr_base64_encode(out, text, length);
  return out;
}

char* ap_getword(apr_pool_t* pool, const char** line, char stop) {
  const char* end = std::strchr(*line, stop);
  const std::size_t length = end != nullptr ? static_cast<std::size_t>(end - *line) : std::strlen(*line);
  char* const word = apr_pstrmemdup(pool, *line, length);
  *line += length;
  while (**line == stop && **line != '\0') ++*line;
  return word;
}

char* ap_escape_logitem(apr_pool_t* pool, const char* text) { return apr_pstrdup(pool, text); }

}  // extern "C"
