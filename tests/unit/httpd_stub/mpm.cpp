// SPDX-License-Identifier: Apache-2.0
#include "mpm.hpp"

#include <ap_mpm.h>
#include <apr_strings.h>

#include <cctype>
#include <cstring>

#include "apr/httpd.hpp"

namespace httpd_stub {

std::map<int, int>& mpm_answers() {
  static std::map<int, int> answers;
  return answers;
}

std::set<std::string>& modules() {
  static std::set<std::string> names;
  return names;
}

}  // namespace httpd_stub

extern "C" {

ap_directive_t* ap_conftree = nullptr;

apr_status_t ap_mpm_query(int question, int* answer) {
  const auto found = httpd_stub::mpm_answers().find(question);
  if (found == httpd_stub::mpm_answers().end()) return APR_ENOTIMPL;
  *answer = found->second;
  return APR_SUCCESS;
}

module* ap_find_linked_module(const char* name) {
  static module found;
  return httpd_stub::modules().contains(name) ? &found : nullptr;
}

// As httpd's (server/util.c): words end at white space, those in quotation marks at the mark; a backslash keeps one.
char* ap_getword_conf(apr_pool_t* pool, const char** line) {
  const char* at = *line;
  while (*at != '\0' && std::isspace(static_cast<unsigned char>(*at)) != 0) ++at;
  std::string word;
  if (*at == '"' || *at == '\'') {
    const char mark = *at++;
    for (; *at != '\0' && *at != mark; ++at) {
      if (*at == '\\' && at[1] == mark) ++at;
      word += *at;
    }
    if (*at != '\0') ++at;
  } else {
    while (*at != '\0' && std::isspace(static_cast<unsigned char>(*at)) == 0) word += *at++;
  }
  while (*at != '\0' && std::isspace(static_cast<unsigned char>(*at)) != 0) ++at;
  *line = at;
  return apr_pstrdup(pool, word.c_str());
}

char* ap_strcasestr(const char* text, const char* part) { return const_cast<char*>(strcasestr(text, part)); }

}  // extern "C"
