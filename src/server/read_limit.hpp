// mod_reqtimeout's limit for the handshake, which its filter cannot enforce while the MPM polls for us.
#pragma once

#include <apr_time.h>

#include <string_view>
#include <unordered_map>

struct server_rec;

namespace tls::server {

// `RequestReadTimeout handshake=initial[-maximum][,MinRate=rate]`; zero means none.
struct ReadLimit {
  apr_interval_time_t initial = 0;
  apr_interval_time_t maximum = 0;
  apr_interval_time_t per_byte = 0;  // what each byte received adds

  // Time after the start at which a client that has sent `bytes` is overdue; 0: never.
  [[nodiscard]] apr_interval_time_t after(std::size_t bytes) const;
};

// Reads the value of a handshake= argument; nothing where mod_reqtimeout would refuse it.
ReadLimit parse_read_limit(std::string_view value);

// The limit of each server that has one, from httpd's configuration tree. Empty where mod_reqtimeout is not loaded.
// Parent, in post_config.
std::unordered_map<const server_rec*, ReadLimit> read_limits(const server_rec* main);

}  // namespace tls::server
