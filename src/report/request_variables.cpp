// SPDX-License-Identifier: Apache-2.0
#include "report/request_variables.hpp"

#include <apr_strings.h>
#include <apr_time.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "config/words.hpp"

namespace tls::report {
namespace {

using config::same_word;

struct Header {
  const char* name;
  const char* header;
};
constexpr std::array headers = {
    Header{"HTTP_USER_AGENT", "User-Agent"},
    Header{"HTTP_REFERER", "Referer"},
    Header{"HTTP_COOKIE", "Cookie"},
    Header{"HTTP_FORWARDED", "Forwarded"},
    Header{"HTTP_HOST", "Host"},
    Header{"HTTP_PROXY_CONNECTION", "Proxy-Connection"},
    Header{"HTTP_ACCEPT", "Accept"},
};

struct Value {
  const char* name;
  const char* (*get)(apr_pool_t* pool, request_rec* r);
};
constexpr std::array values = {
    Value{"REQUEST_METHOD", [](apr_pool_t*, request_rec* r) { return r->method; }},
    Value{"REQUEST_SCHEME", [](apr_pool_t*, request_rec* r) { return ap_http_scheme(r); }},
    Value{"REQUEST_URI", [](apr_pool_t*, request_rec* r) -> const char* { return r->uri; }},
    Value{"REQUEST_FILENAME", [](apr_pool_t*, request_rec* r) -> const char* { return r->filename; }},
    Value{"SCRIPT_FILENAME", [](apr_pool_t*, request_rec* r) -> const char* { return r->filename; }},
    Value{"REMOTE_ADDR", [](apr_pool_t*, request_rec* r) -> const char* { return r->useragent_ip; }},
    Value{"REMOTE_HOST", [](apr_pool_t*, request_rec* r) { return ap_get_useragent_host(r, REMOTE_NAME, nullptr); }},
    Value{"REMOTE_IDENT", [](apr_pool_t*, request_rec* r) { return ap_get_remote_logname(r); }},
    Value{"REMOTE_USER", [](apr_pool_t*, request_rec* r) -> const char* { return r->user; }},
    Value{"SERVER_ADMIN", [](apr_pool_t*, request_rec* r) -> const char* { return r->server->server_admin; }},
    Value{"SERVER_NAME", [](apr_pool_t*, request_rec* r) { return ap_get_server_name_for_url(r); }},
    Value{"SERVER_PORT",
          [](apr_pool_t* pool, request_rec* r) -> const char* {
            return apr_psprintf(pool, "%u", ap_get_server_port(r));
          }},
    Value{"SERVER_PROTOCOL", [](apr_pool_t*, request_rec* r) -> const char* { return r->protocol; }},
    Value{"PATH_INFO", [](apr_pool_t*, request_rec* r) -> const char* { return r->path_info; }},
    Value{"QUERY_STRING", [](apr_pool_t*, request_rec* r) -> const char* { return r->args; }},
    Value{"IS_SUBREQ", [](apr_pool_t*, request_rec* r) { return r->main != nullptr ? "true" : "false"; }},
    Value{"DOCUMENT_ROOT", [](apr_pool_t*, request_rec* r) { return ap_document_root(r); }},
    Value{"AUTH_TYPE", [](apr_pool_t*, request_rec* r) -> const char* { return r->ap_auth_type; }},
    Value{"THE_REQUEST", [](apr_pool_t*, request_rec* r) -> const char* { return r->the_request; }},
};

struct Clock {
  const char* name;
  const char* format;  // of strftime
};
constexpr std::array clocks = {
    Clock{"TIME_YEAR", "%Y"}, Clock{"TIME_MON", "%m"}, Clock{"TIME_DAY", "%d"},  Clock{"TIME_HOUR", "%H"},
    Clock{"TIME_MIN", "%M"},  Clock{"TIME_SEC", "%S"}, Clock{"TIME_WDAY", "%w"}, Clock{"TIME", "%Y%m%d%H%M%S"},
};

template <class Rows>
auto* find(const Rows& rows, std::string_view name) {
  const auto* found = std::ranges::find_if(rows, [name](const auto& row) { return same_word(row.name, name); });
  return found != rows.end() ? found : nullptr;
}

const char* local_time(apr_pool_t* pool, const char* format) {
  apr_time_exp_t now;
  char text[32];
  apr_size_t length = 0;
  apr_time_exp_lt(&now, apr_time_now());
  if (apr_strftime(text, &length, sizeof text, format, &now) != APR_SUCCESS) return nullptr;
  return apr_pstrmemdup(pool, text, length);
}

// `ENV:x`: notes and environment of the request, then the environment of the server.
const char* environment(const request_rec* r, const char* name) {
  const char* value = nullptr;
  if (r != nullptr) {
    value = apr_table_get(r->notes, name);
    if (value == nullptr) value = apr_table_get(r->subprocess_env, name);
  }
  return value != nullptr ? value : std::getenv(name);
}

}  // namespace

const char* request_variable(apr_pool_t* pool, request_rec* r, std::string_view name) {
  if (r != nullptr) {
    if (const Header* row = find(headers, name)) return apr_table_get(r->headers_in, row->header);
    if (const Value* row = find(values, name)) return row->get(pool, r);
    if (config::starts_with_word(name, "HTTP:")) {
      return apr_table_get(r->headers_in, apr_pstrmemdup(pool, name.data() + 5, name.size() - 5));
    }
  }
  if (config::starts_with_word(name, "ENV:")) {
    return environment(r, apr_pstrmemdup(pool, name.data() + 4, name.size() - 4));
  }
  if (const Clock* row = find(clocks, name)) return local_time(pool, row->format);
  if (same_word(name, "SERVER_SOFTWARE")) return ap_get_server_banner();
  if (same_word(name, "API_VERSION")) return apr_itoa(pool, MODULE_MAGIC_NUMBER_MAJOR);
  return nullptr;
}

bool is_request_variable(std::string_view name) {
  return find(headers, name) != nullptr || find(values, name) != nullptr || find(clocks, name) != nullptr ||
         config::starts_with_word(name, "HTTP:") || config::starts_with_word(name, "ENV:") ||
         same_word(name, "SERVER_SOFTWARE") || same_word(name, "API_VERSION");
}

}  // namespace tls::report
