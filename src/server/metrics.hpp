// SPDX-License-Identifier: Apache-2.0
// What httpd's side counts outside of connections, and what the server tells of itself.
#pragma once

#include <cstdint>
#include <string>

#include "apr/httpd.hpp"

namespace tls::server {

// A request was answered 421. Any thread.
void count_misdirected();

// Has exceptions counted that the wall of hooks catches (apr/hook.hpp). When the module is loaded.
void count_lost();

// Block and Lines are for mod_status' page and its ?auto.
enum class StatusForm : std::uint8_t { Page, Json, Prometheus, Block, Lines };

// The metrics of the whole server and its certificates; empty where no virtual host speaks TLS. A page asks browsers to
// load it again every `refresh` seconds, unless that is 0; `c` is the connection that asks. Any thread of a child.
[[nodiscard]] std::string status(conn_rec* c, StatusForm form, std::uint32_t refresh);

}  // namespace tls::server
