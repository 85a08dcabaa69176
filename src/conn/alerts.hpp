// SPDX-License-Identifier: Apache-2.0
// Alerts with which a handshake is refused before rustls has seen it (RFC 8446 6.2).
#pragma once

#include <cstdint>

namespace tls::conn::alert {

inline constexpr std::uint8_t protocol_version = 70;
inline constexpr std::uint8_t internal_error = 80;
inline constexpr std::uint8_t unrecognized_name = 112;
inline constexpr std::uint8_t no_application_protocol = 120;

}  // namespace tls::conn::alert
