// The oldest httpd that the module runs in.
#pragma once

#include <array>

namespace tls::config {

using Version = std::array<int, 3>;

// The first whose event MPM lets process_connection wait for a client without a thread (CONN_STATE_ASYNC_WAITIO), and
// whose core has all hooks of http_ssl.h.
inline constexpr Version oldest_httpd = {2, 4, 63};

constexpr bool is_old(const Version& httpd) noexcept { return httpd < oldest_httpd; }

}  // namespace tls::config
