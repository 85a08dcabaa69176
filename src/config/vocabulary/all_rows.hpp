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

// httpd merges at each request, for each section that applies.
inline constexpr auto server_merges = merges_of(all_server_rows);
inline constexpr auto directory_merges = merges_of(all_directory_rows);
inline constexpr auto proxy_merges = merges_of(all_proxy_rows);

static_assert(server_merges.complete(), "every member of ServerSettings needs a row");
static_assert(directory_merges.complete(), "every member of DirectorySettings needs a row");
static_assert(proxy_merges.complete(), "every member of ProxySettings needs a row");

}  // namespace tls::config
