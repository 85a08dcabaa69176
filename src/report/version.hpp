// SPDX-License-Identifier: Apache-2.0
// What this module calls itself. TLS_VERSION is the version in Cargo.toml; CMakeLists.txt defines it for the files that
// include this.
#pragma once

namespace tls::report {

inline constexpr const char* interface_version = "mod_tls/" TLS_VERSION;

}  // namespace tls::report
