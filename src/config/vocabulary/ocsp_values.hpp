// SPDX-License-Identifier: Apache-2.0
// Values of the directives about OCSP: whom to ask, about what, and for how long an answer counts.
#pragma once

#include "config/settings.hpp"
#include "config/vocabulary/parsers.hpp"
#include "config/vocabulary/row.hpp"

namespace tls::config {

// SSLOCSPEnable on|leaf|off [no_ocsp_for_cert_ok] [soft]
Parsed<OcspCheck> ssl_ocsp_check(const Arguments& words, const OcspCheck* before);

// TLSClientOCSP chain|leaf|off [no_ocsp_for_cert_ok] [soft]
Parsed<OcspCheck> client_ocsp(const Arguments& words, const OcspCheck* before);

// What TLSClientCRL and TLSProxyCRL say: a file or directory, and whether lists are fetched.
struct RevocationWords {
  std::optional<PathAt> file;
  ListFetch fetch;
  Outcome outcome;
};

// [path] [auto [deny|allow] [url ...]]
RevocationWords revocation_words(const Arguments& words);

// The row of such a directive, which writes both members.
template <auto File, auto Fetch>
constexpr auto revocation_row(const char* name, Context context, Text text) {
  auto made = row<File, path>(name, any_number, context, text);
  using S = decltype(struct_of(File));
  made.set = [](S& settings, Arena& arena, const Arguments& words) {
    RevocationWords read = revocation_words(words);
    if (!read.outcome.error.empty()) return std::move(read.outcome);
    if (read.file) (settings.*File).write(arena, std::move(*read.file), words.where);
    (settings.*Fetch).write(arena, std::move(read.fetch), words.where);
    return std::move(read.outcome);
  };
  return made;
}

// The address of a responder or proxy. mod_ssl takes any text, and fails when it asks: here there is a warning.
Parsed<std::string> http_url(const Arguments& words, const std::string* before);

// The same, of a proxy.
Parsed<std::string> http_proxy(const Arguments& words, const std::string* before);

// A time limit in seconds.
Parsed<std::uint32_t> limit_in_seconds(const Arguments& words, const std::uint32_t* before);

// SSLOCSPResponseMaxAge and SSLStaplingResponseMaxAge: -1 is any age.
Parsed<std::int64_t> response_age(const Arguments& words, const std::int64_t* before);

// SSLStaplingReturnResponderErrors and SSLStaplingFakeTryLater
Outcome ssl_stapled_errors(const Arguments& words);

// SSLStaplingCache
Outcome ssl_stapling_cache(const Arguments& words);

}  // namespace tls::config
