// SPDX-License-Identifier: Apache-2.0
// mod_reqtimeout's limit for the handshake, which its filter cannot enforce while the MPM polls for us.
#pragma once

#include <apr_time.h>

#include <string>
#include <unordered_map>

struct apr_pool_t;
struct server_rec;

namespace tls::server {

// `RequestReadTimeout handshake=initial[-maximum][,MinRate=rate]`; zero means none.
struct ReadLimit {
  int initial_s = 0;
  int maximum_s = 0;
  int rate = 0;  // octets that are worth a second more

  // Time after the start at which a client that has sent `bytes` is overdue; 0: never.
  [[nodiscard]] apr_interval_time_t after(std::size_t bytes) const;
  // As the directive has it, without `handshake=`.
  [[nodiscard]] std::string text() const;
};

// The limit of each server that has one, from httpd's configuration tree, read as mod_reqtimeout reads it. Empty where
// mod_reqtimeout is not loaded. Parent, in post_config or under -t; `pool` is for words.
std::unordered_map<const server_rec*, ReadLimit> read_limits(apr_pool_t* pool, const server_rec* main);

}  // namespace tls::server
