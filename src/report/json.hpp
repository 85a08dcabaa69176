// SPDX-License-Identifier: Apache-2.0
// Texts in JSON, for the dump of a configuration and for log lines.
#pragma once

#include <string>
#include <string_view>

namespace tls::report {

// A string of JSON, with its quotation marks; what is not UTF-8 becomes U+FFFD.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace tls::report
