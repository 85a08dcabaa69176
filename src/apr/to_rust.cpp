// SPDX-License-Identifier: Apache-2.0
#include "apr/to_rust.hpp"

#include <stdexcept>

#include "config/words.hpp"

namespace tls::apr {

rust::String exact(std::string_view text) {
  if (!config::is_utf8(text)) throw std::invalid_argument(config::quoted(escaped(text)) + " is not UTF-8");
  return lossy(text);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet > ' ' && octet < 0x7f && c != '\\') {
      out += c;
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out += "\\x" + config::in_hexadecimal({&c, 1});
    }
  }
  return out;
}

rust::Vec<rust::String> to_rust(const std::vector<std::string>& list) {
  rust::Vec<rust::String> out;
  out.reserve(list.size());
  for (const std::string& text : list) out.push_back(exact(text));
  return out;
}

}  // namespace tls::apr
