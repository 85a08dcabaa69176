// SPDX-License-Identifier: Apache-2.0
// How long an OCSP responder is waited for.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tls::server {

// In milliseconds, of configured seconds; nobody waits for longer than an hour.
constexpr std::uint32_t responder_wait_ms(std::uint32_t seconds) { return std::min(seconds, 3600U) * 1000; }

}  // namespace tls::server
