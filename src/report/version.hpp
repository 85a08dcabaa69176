// What this module calls itself.
#pragma once

namespace tls::report {

inline constexpr const char* module_version = "0.1.0";
inline constexpr const char* interface_version = "mod_tls/0.1.0";

}  // namespace tls::report
