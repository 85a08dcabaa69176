// SPDX-License-Identifier: Apache-2.0
#include "server/read_limit.hpp"

#include <apr_strings.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "apr/httpd.hpp"

namespace tls::server {
namespace {

// A whole number as mod_reqtimeout takes it: strtol, nothing behind it, not negative. It has refused anything else.
std::optional<int> number(const char* text) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (end == text || *end != '\0' || value < 0 || value > INT_MAX) return std::nullopt;
  return static_cast<int>(value);
}

// modules/filters/mod_reqtimeout.c, set_reqtimeout_param: the rate may be written anywhere and in any case, a range
// needs one.
std::optional<ReadLimit> read_value(apr_pool_t* pool, const char* value) {
  constexpr char rate_word[] = ",minrate=";
  ReadLimit limit;
  std::string_view seconds = value;
  if (const char* const rate = ap_strcasestr(value, rate_word)) {
    const auto parsed = number(rate + sizeof(rate_word) - 1);
    if (!parsed || *parsed == 0) return std::nullopt;
    limit.rate = *parsed;
    seconds = {value, static_cast<std::size_t>(rate - value)};
  }
  const std::size_t dash = limit.rate != 0 ? seconds.find('-') : std::string_view::npos;
  if (dash != std::string_view::npos) {
    const auto maximum = number(apr_pstrmemdup(pool, seconds.data() + dash + 1, seconds.size() - dash - 1));
    if (!maximum) return std::nullopt;
    limit.maximum_s = *maximum;
  }
  const auto initial = number(apr_pstrmemdup(pool, seconds.data(), std::min(dash, seconds.size())));
  if (!initial) return std::nullopt;
  limit.initial_s = *initial;
  return limit;
}

// set_reqtimeouts: words as httpd splits them, each name=value. Later words of a kind replace earlier ones as a whole.
void read_arguments(apr_pool_t* pool, const char* args, std::optional<ReadLimit>& limit) {
  constexpr std::string_view handshake = "handshake=";
  while (args != nullptr && *args != '\0') {
    const char* const word = ap_getword_conf(pool, &args);
    if (strncasecmp(word, handshake.data(), handshake.size()) != 0) continue;
    if (const auto value = read_value(pool, word + handshake.size())) limit = value;
  }
}

const server_rec* defined_at(const server_rec* main, const ap_directive_t* host) {
  for (const server_rec* s = main->next; s != nullptr; s = s->next) {
    if (s->defn_line_number == static_cast<unsigned>(host->line_num) && s->defn_name != nullptr &&
        std::strcmp(s->defn_name, host->filename) == 0) {
      return s;
    }
  }
  return nullptr;
}

constexpr char directive_name[] = "RequestReadTimeout";

}  // namespace

apr_interval_time_t ReadLimit::after(std::size_t bytes) const {
  if (initial_s == 0) return 0;
  const apr_interval_time_t initial = apr_time_from_sec(static_cast<apr_interval_time_t>(initial_s));
  if (rate == 0) return initial;
  const apr_interval_time_t extended = initial + APR_USEC_PER_SEC / rate * static_cast<apr_interval_time_t>(bytes);
  const apr_interval_time_t maximum = apr_time_from_sec(static_cast<apr_interval_time_t>(maximum_s));
  return maximum > 0 ? std::min(extended, maximum) : extended;
}

std::string ReadLimit::text() const {
  std::string text = std::to_string(initial_s);
  if (maximum_s != 0) text += "-" + std::to_string(maximum_s);
  return rate != 0 ? text + ",MinRate=" + std::to_string(rate) : text;
}

std::unordered_map<const server_rec*, ReadLimit> read_limits(apr_pool_t* pool, const server_rec* main) {
  std::unordered_map<const server_rec*, ReadLimit> limits;
  if (ap_find_linked_module("mod_reqtimeout.c") == nullptr) return limits;
  std::optional<ReadLimit> general;
  std::unordered_map<const server_rec*, std::optional<ReadLimit>> own;
  for (const ap_directive_t* d = ap_conftree; d != nullptr; d = d->next) {
    if (strcasecmp(d->directive, directive_name) == 0) read_arguments(pool, d->args, general);
    if (strcasecmp(d->directive, "<VirtualHost") != 0) continue;
    for (const ap_directive_t* inner = d->first_child; inner != nullptr; inner = inner->next) {
      if (strcasecmp(inner->directive, directive_name) != 0) continue;
      if (const server_rec* const host = defined_at(main, d)) read_arguments(pool, inner->args, own[host]);
    }
  }
  if (!general && own.empty()) return limits;
  for (const server_rec* s = main; s != nullptr; s = s->next) {
    // handshake=0 in a virtual host means none there, whatever holds elsewhere.
    const auto special = own.find(s);
    const std::optional<ReadLimit>& limit = special != own.end() && special->second ? special->second : general;
    if (limit && limit->initial_s != 0) limits.emplace(s, *limit);
  }
  return limits;
}

}  // namespace tls::server
