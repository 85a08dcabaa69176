// SPDX-License-Identifier: Apache-2.0
// Names of our filters, as they appear in httpd's filter chains.
#pragma once

namespace tls::conn {

inline constexpr char input_filter_name[] = "TLS In";
inline constexpr char output_filter_name[] = "TLS Out";

}  // namespace tls::conn
