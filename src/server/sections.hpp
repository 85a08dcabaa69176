// SPDX-License-Identifier: Apache-2.0
// What the sections of a virtual host (<Directory>, <Location>, <Files>, <If>) ask of client certificates, found before
// any request: there is no renegotiation, so the handshake has to ask for what any of them may want.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/settings.hpp"

struct server_rec;

namespace tls::server {

// One section that says something of client certificates. Unset members leave the virtual host's word standing.
struct ClientSection {
  config::Setting<config::VerifyClient> verify;
  config::Setting<std::uint32_t> depth;
  std::string ca_file;
  std::string ca_path;
  config::Source ca_file_written;
  config::Source ca_path_written;
};

// Calls `visit` for the settings of each section of `s`, of its outermost directory first, in both vocabularies. `name`
// is "<Location /x>", with those around it before it; empty: the outermost directory.
using VisitSection = std::function<void(const config::DirectorySettings& settings, const std::string& name)>;
void visit_sections(const server_rec* s, const VisitSection& visit);

// All such sections of `s`, nested ones included. .htaccess files cannot be seen here.
[[nodiscard]] std::vector<ClientSection> client_sections(const server_rec* s);

}  // namespace tls::server
