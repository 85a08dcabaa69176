// SPDX-License-Identifier: Apache-2.0
// SSLCipherSuite: OpenSSL's lists as the suites that exist here.
#include <algorithm>

#include "config/ciphers/cipher_language.hpp"
#include "config/ciphers/suites.hpp"
#include "config/vocabulary/ssl_values.hpp"

namespace tls::config {
namespace {

std::string openssl_names(std::span<const std::uint16_t> numbers) {
  std::string text;
  for (const std::uint16_t number : numbers) text += (text.empty() ? "" : ":") + std::string(suite(number)->openssl);
  return text;
}

constexpr std::size_t of_tls13 = 3;  // the first ones of openssl_order()

// The TLS 1.3 form is a plain list of names: no aliases, no signs.
Outcome tls13_list(std::string_view list, std::optional<SuiteList>& suites13) {
  SuiteList chosen;
  for (const std::string_view name : split(list, ":")) {
    const Suite* known = find_suite(name);
    if (known == nullptr) {
      return {"unknown TLS 1.3 suite " + quoted(name) + list_advice(name, nearest_suite(name)), {}, {}};
    }
    if (known->first_version != FirstVersion::Tls13) {
      return {quoted(name) + " is a suite of TLS 1.2; list those in a line without the word TLSv1.3", {}, {}};
    }
    if (is_supported(*known) && std::ranges::find(chosen, known->number) == chosen.end())
      chosen.push_back(known->number);
  }
  if (chosen.empty()) {
    return {"no suite is left of " + quoted(list) +
                "; there are TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384 and TLS_CHACHA20_POLY1305_SHA256",
            {},
            {}};
  }
  suites13 = std::move(chosen);
  return {};
}

// OpenSSL passes over words that name nothing, since lists have those of other versions. One that is nearly the name of
// a suite is a mistake.
std::string misspelled(std::string_view word) {
  constexpr std::size_t near = 2;
  for (const std::uint16_t number : openssl_order()) {
    const std::string_view name = suite(number)->openssl;
    if (word.size() <= near || edit_distance(word, name) > near) continue;
    return quoted(word) + " names no suite and is left out" + did_you_mean(name);
  }
  return {};
}

// `in_section`: only refuses requests, so that a list of which nothing is here stops no start.
Outcome tls12_list(std::string_view list, bool in_section, std::optional<SuiteList>& suites12) {
  // mod_ssl appends this to every list: neither null nor anonymous suites are ever meant.
  CipherSelection selection = select_ciphers(std::string(list) + ":!aNULL:!eNULL:!EXP");
  if (!selection.error.empty()) return {std::move(selection.error), {}, {}};
  if (selection.supported.empty() && in_section) {
    suites12 = SuiteList{};
    return {{},
            "no suite of " + quoted(list) +
                " is there, so that each request over TLSv1.2 is answered 403 in this section, while TLSv1.3 is not "
                "bound by the list; add one of " +
                openssl_names(openssl_order().subspan(of_tls13)),
            {}};
  }
  const std::vector<std::string_view> names = split(list, ":, ");
  const bool of_next = std::ranges::any_of(names, [](std::string_view name) {
    const Suite* known = find_suite(name);
    return known != nullptr && known->first_version == FirstVersion::Tls13;
  });
  if (selection.supported.empty() && of_next) {
    return {"no suite of TLS 1.2 is left of " + quoted(list) + "; write \"SSLCipherSuite TLSv1.3 " + std::string(list) +
                "\" for suites of TLS 1.3, and SSLProtocol -TLSv1.2 where there are to be no others",
            {},
            {}};
  }
  if (selection.supported.empty()) {
    return {"no suite is left of " + quoted(list) + "; there are " + openssl_names(openssl_order().subspan(of_tls13)),
            {},
            {}};
  }
  suites12 = std::move(selection.supported);
  return {{}, misspelled(selection.unknown), {}};
}

}  // namespace

Outcome ssl_cipher_suite(const Arguments& words, bool in_section, std::optional<SuiteList>& suites12,
                         std::optional<SuiteList>& suites13) {
  if (words.size() == 1) return tls12_list(words[0], in_section, suites12);
  if (words[0] == "SSL") return tls12_list(words[1], in_section, suites12);
  if (words[0] == "TLSv1.3") return tls13_list(words[1], suites13);
  return {"protocol '" + std::string(words[0]) + "' not supported", {}, {}};
}

}  // namespace tls::config
