// SPDX-License-Identifier: Apache-2.0
// The oldest httpd that the module runs in.
#pragma once

#include <array>

namespace tls::config {

using Version = std::array<int, 3>;

// The oldest that the tests have looked at; it has all hooks of http_ssl.h, which came with 2.4.49.
inline constexpr Version oldest_httpd = {2, 4, 52};

// The first whose proxy_worker_shared is sure to have name_ex, at the end of the struct: 2.4.51 declared it, and some
// distributions' 2.4.52 say so in their module magic number without having it.
inline constexpr Version long_worker_names = {2, 4, 58};

constexpr bool is_old(const Version& httpd) noexcept { return httpd < oldest_httpd; }

}  // namespace tls::config
