// SPDX-License-Identifier: Apache-2.0
// The one name of a virtual host: in log lines, `httpd -t`, its dumps, the status page and metrics.
#pragma once

#include <string>

struct server_rec;

namespace tls::server {

// "ServerName:port" of a virtual host or the main server, in printable ASCII. Sessions are bound to it as well, so that
// hosts whose names differ in one octet have two. The port is that of ServerName, else that of the host's address; the
// main server may have neither, and then has no port here. httpd gives a ServerName to who has none (server/vhost.c,
// ap_fini_vhost_config), so that "_default_" is for words that are said before.
[[nodiscard]] std::string host_label(const server_rec* s);

// Where the virtual host is written, "file:line"; "the main server" has no such line.
[[nodiscard]] std::string host_place(const server_rec* s);

// "ServerName:port (file:line)", which tells virtual hosts of one name apart.
[[nodiscard]] std::string host_label_and_place(const server_rec* s);

}  // namespace tls::server
