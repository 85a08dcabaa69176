// SPDX-License-Identifier: Apache-2.0
// Names of our filters, as they appear in httpd's filter chains.
#pragma once

namespace tls::conn {

inline constexpr char kInputFilter[] = "TLS In";
inline constexpr char kOutputFilter[] = "TLS Out";

}  // namespace tls::conn
