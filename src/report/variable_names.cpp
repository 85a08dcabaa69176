// SPDX-License-Identifier: Apache-2.0
// Which names of variables mean something, to be known before there is a connection.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "config/words.hpp"
#include "report/request_variables.hpp"
#include "report/variables.hpp"

namespace tls::report {
namespace {

using config::same_word;
using config::starts_with_word;

constexpr std::array names = {
#define TLS_VARIABLE(id, name, where, description) std::string_view(name),
#define TLS_CERTIFICATE_VARIABLE(name, where, description)
#include "report/variables.def"
#undef TLS_VARIABLE
#undef TLS_CERTIFICATE_VARIABLE
};

// With `x` for CLIENT or SERVER, n for a number, `*x509*` for an attribute.
constexpr std::array patterns = {
#define TLS_VARIABLE(id, name, where, description)
#define TLS_CERTIFICATE_VARIABLE(name, where, description) std::string_view(name),
#include "report/variables.def"
#undef TLS_VARIABLE
#undef TLS_CERTIFICATE_VARIABLE
};

constexpr std::array<std::string_view, 16> attributes = {
    "C", "ST", "SP", "L", "O", "OU", "CN", "T", "I", "G", "S", "D", "SerialNumber", "SN", "UID", "Email"};

// `text` without "_1" and the like at its end.
std::string_view without_number(std::string_view text) {
  const std::size_t end = text.find_last_not_of("0123456789");
  return end != std::string_view::npos && end + 1 < text.size() && text[end] == '_' ? text.substr(0, end) : text;
}

bool is_attribute(std::string_view text) {
  constexpr std::string_view raw = "_RAW";
  if (text.size() > raw.size() && same_word(text.substr(text.size() - raw.size()), raw)) text.remove_suffix(raw.size());
  text = without_number(text);
  return std::ranges::any_of(attributes, [text](std::string_view known) { return same_word(known, text); });
}

bool fits(std::string_view pattern, std::string_view name) {
  constexpr std::string_view attribute = "*x509*";
  constexpr std::string_view number = "_n";
  if (pattern.ends_with(attribute)) {
    pattern.remove_suffix(attribute.size());
    return starts_with_word(name, pattern) && is_attribute(name.substr(pattern.size()));
  }
  if (!pattern.ends_with(number)) return same_word(pattern, name);
  pattern.remove_suffix(number.size());
  const std::string_view counted = without_number(name);
  return counted.size() < name.size() && same_word(pattern, counted);
}

// What scripts get of one side's certificate alone can be asked of the other's too.
bool is_certificate_variable(std::string_view name) {
  constexpr std::size_t side = std::string_view("SSL_").size();
  return std::ranges::any_of(patterns, [&](std::string_view pattern) {
    const std::string rest(pattern.substr(pattern.find('_', side)));
    return fits("SSL_CLIENT" + rest, name) || fits("SSL_SERVER" + rest, name);
  });
}

}  // namespace

bool is_variable(std::string_view name) {
  return std::ranges::any_of(names, [name](std::string_view known) { return same_word(known, name); }) ||
         is_certificate_variable(name) || is_request_variable(name);
}

}  // namespace tls::report
