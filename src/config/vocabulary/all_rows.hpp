// SPDX-License-Identifier: Apache-2.0
// All rows of both vocabularies by the struct they write: what is merged, and the proof that no member is left out.
#pragma once

#include "config/vocabulary/ssl_ocsp_rows.hpp"
#include "config/vocabulary/ssl_proxy_rows.hpp"
#include "config/vocabulary/ssl_rows.hpp"
#include "config/vocabulary/tls_client_rows.hpp"
#include "config/vocabulary/tls_proxy_rows.hpp"
#include "config/vocabulary/tls_rows.hpp"

namespace tls::config {

inline constexpr auto all_ssl_server_rows =
    joined(ssl_server_rows, ssl_client_rows, ssl_ocsp_rows, ssl_session_rows, ssl_stapling_rows);

inline constexpr auto all_tls_server_rows = joined(tls_server_rows, tls_client_rows);
inline constexpr auto all_tls_directory_rows = joined(tls_directory_rows, tls_client_directory_rows);

inline constexpr auto all_server_rows = joined(all_tls_server_rows, all_ssl_server_rows);
inline constexpr auto all_directory_rows = joined(all_tls_directory_rows, ssl_directory_rows);
inline constexpr auto all_proxy_rows = joined(ssl_proxy_rows, tls_proxy_rows);

static_assert(members_written<ServerSettings>(all_server_rows) == member_count<ServerSettings>(),
              "every member of ServerSettings needs a row");
static_assert(members_written<DirectorySettings>(all_directory_rows) == member_count<DirectorySettings>(),
              "every member of DirectorySettings needs a row");
static_assert(members_written<ProxySettings>(all_proxy_rows) == member_count<ProxySettings>(),
              "every member of ProxySettings needs a row");

}  // namespace tls::config
