#include "server/read_limit.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "apr/httpd.hpp"

namespace tls::server {
namespace {

// A number of seconds or bytes at the front of `text`, which it takes away; -1 where there is none.
apr_int64_t take_number(std::string_view& text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return -1;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (text.size() < word.size() || strncasecmp(text.data(), word.data(), word.size()) != 0) return false;
  text.remove_prefix(word.size());
  return true;
}

void read_arguments(const char* args, std::optional<ReadLimit>& limit) {
  while (args != nullptr && *args != '\0') {
    const char* const end = std::strchr(args, ' ');
    std::string_view word(args, end != nullptr ? static_cast<std::size_t>(end - args) : std::strlen(args));
    args = end != nullptr ? end + 1 : nullptr;
    if (take_word(word, "handshake=")) limit = parse_read_limit(word);
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

constexpr char kDirective[] = "RequestReadTimeout";

}  // namespace

apr_interval_time_t ReadLimit::after(std::size_t bytes) const {
  if (initial == 0) return 0;
  const apr_interval_time_t extended = initial + per_byte * static_cast<apr_interval_time_t>(bytes);
  return maximum > 0 ? std::min(extended, maximum) : extended;
}

ReadLimit parse_read_limit(std::string_view value) {
  ReadLimit limit;
  const apr_int64_t initial = take_number(value);
  if (initial <= 0) return {};
  limit.initial = apr_time_from_sec(initial);
  if (take_word(value, "-")) {
    const apr_int64_t maximum = take_number(value);
    if (maximum > 0) limit.maximum = apr_time_from_sec(maximum);
  }
  if (take_word(value, ",MinRate=")) {
    const apr_int64_t rate = take_number(value);
    if (rate > 0) limit.per_byte = APR_USEC_PER_SEC / rate;
  }
  return limit;
}

std::unordered_map<const server_rec*, ReadLimit> read_limits(const server_rec* main) {
  std::unordered_map<const server_rec*, ReadLimit> limits;
  if (ap_find_linked_module("mod_reqtimeout.c") == nullptr) return limits;
  std::optional<ReadLimit> general;
  std::unordered_map<const server_rec*, std::optional<ReadLimit>> own;
  for (const ap_directive_t* d = ap_conftree; d != nullptr; d = d->next) {
    if (strcasecmp(d->directive, kDirective) == 0) read_arguments(d->args, general);
    if (strcasecmp(d->directive, "<VirtualHost") != 0) continue;
    for (const ap_directive_t* inner = d->first_child; inner != nullptr; inner = inner->next) {
      if (strcasecmp(inner->directive, kDirective) != 0) continue;
      if (const server_rec* const host = defined_at(main, d)) read_arguments(inner->args, own[host]);
    }
  }
  if (!general && own.empty()) return limits;
  for (const server_rec* s = main; s != nullptr; s = s->next) {
    // handshake=0 in a virtual host means none there, whatever holds elsewhere.
    const auto special = own.find(s);
    const std::optional<ReadLimit>& limit = special != own.end() && special->second ? special->second : general;
    if (limit && limit->initial != 0) limits.emplace(s, *limit);
  }
  return limits;
}

}  // namespace tls::server
