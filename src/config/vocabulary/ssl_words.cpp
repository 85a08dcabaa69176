// SPDX-License-Identifier: Apache-2.0
#include "config/vocabulary/ssl_words.hpp"

#include <utility>

#include "config/vocabulary/parsers.hpp"

namespace tls::config {
namespace {

// on or off; what `on` comes to is given, off is silent.
Outcome flag(const Arguments& words, Outcome when_on) {
  const auto value = on_off(words, nullptr);
  if (!value.value) return value.outcome;
  return *value.value ? std::move(when_on) : Outcome{};
}

Outcome notice(std::string text) { return {{}, {}, std::move(text)}; }
Outcome error(std::string text) { return {std::move(text), {}, {}}; }

}  // namespace

Outcome ssl_nothing(const Arguments& /*words*/) { return {}; }

Outcome ssl_random_seed(const Arguments& words) {
  const bool when = same_word(words[0], "startup") || same_word(words[0], "connect");
  return when ? Outcome{} : error("Invalid context: must be 'startup' or 'connect'");
}

Outcome ssl_fips(const Arguments& words) {
  return flag(words, error("this build has no FIPS-validated cryptography; write off, or run a build with it"));
}

Outcome ssl_crypto_device(const Arguments& words) {
  if (same_word(words[0], "builtin")) return {};
  return error("engines are not supported; write \"SSLCryptoDevice builtin\" and name keys as PEM files");
}

Outcome ssl_compression(const Arguments& words) {
  Outcome on;
  on.warning = "ignored: TLS compression does not exist here, since it gives secrets away (CRIME)";
  return flag(words, on);
}

Outcome ssl_insecure_renegotiation(const Arguments& words) {
  Outcome on;
  on.warning = "ignored: renegotiation does not exist here";
  return flag(words, on);
}

Outcome ssl_srp(const Arguments& /*words*/) {
  return error("TLS-SRP is not supported; use client certificates (SSLVerifyClient) or a login over TLS instead");
}

Outcome ssl_log(const Arguments& words) {
  return notice("ignored, as by mod_ssl: write " +
                std::string(same_word(words.directive, "SSLLog") ? "ErrorLog" : "LogLevel ssl:level"));
}

Outcome ssl_reneg_buffer(const Arguments& words) {
  constexpr std::uint32_t most = 0x7FFF'FFFF;
  if (whole_number(words[0], 0, most)) return {};
  return error("expected a number of bytes, not " + quoted(words[0]));
}

}  // namespace tls::config
