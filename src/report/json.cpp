// SPDX-License-Identifier: Apache-2.0
#include "report/json.hpp"

#include "apr/to_rust.hpp"
#include "config/words.hpp"

namespace tls::report {

// RFC 8259 7.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : std::string(apr::lossy(text))) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20U || octet == 0x7FU) {
      out += "\\u00" + config::in_hexadecimal({&c, 1});
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace tls::report
