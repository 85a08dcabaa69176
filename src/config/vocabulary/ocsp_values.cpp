// SPDX-License-Identifier: Apache-2.0
#include "config/vocabulary/ocsp_values.hpp"

#include <algorithm>

#include "config/vocabulary/ssl_values.hpp"

namespace tls::config {
namespace {

using Depth = OcspCheck::Depth;

// What mod_ssl's numbers hold.
constexpr std::uint32_t longest = 0x7FFF'FFFF;

Parsed<OcspCheck> check(const Arguments& words, std::string_view all) {
  const std::array depths = {Keyword<Depth>{all, Depth::Chain}, Keyword<Depth>{"leaf", Depth::Leaf},
                             Keyword<Depth>{"off", Depth::None}};
  const auto found = std::ranges::find_if(depths, [&](const auto& k) { return same_word(k.word, words[0]); });
  if (found == depths.end()) {
    const std::array<std::string_view, 3> expected = {all, "leaf", "off"};
    return Parsed<OcspCheck>::refuse(unexpected(expected, words[0]));
  }
  OcspCheck value{found->value, false, false};
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (same_word(words[i], "no_ocsp_for_cert_ok")) {
      value.no_responder_ok = true;
    } else if (same_word(words[i], "soft")) {
      value.soft = true;
    } else {
      constexpr std::array<std::string_view, 2> expected = {"no_ocsp_for_cert_ok", "soft"};
      return Parsed<OcspCheck>::refuse(unexpected(expected, words[i]));
    }
  }
  return value;
}

bool is_http(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  const bool printable = std::ranges::all_of(url, [](char c) { return c > ' ' && c < '\x7f'; });
  return printable && starts_with_word(url, scheme) && url.size() > scheme.size() && url[scheme.size()] != '/';
}

}  // namespace

Parsed<OcspCheck> ssl_ocsp_check(const Arguments& words, const OcspCheck* /*before*/) { return check(words, "on"); }

Parsed<OcspCheck> client_ocsp(const Arguments& words, const OcspCheck* /*before*/) { return check(words, "chain"); }

namespace {

Parsed<std::string> address(const Arguments& words, std::string_view such_as) {
  std::string url(words[0]);
  if (is_http(url)) return url;
  std::string warning = quoted(url) +
                        " is no address that can be asked, and whatever asks there fails; write one such as " +
                        std::string(such_as);
  return {std::move(url), std::move(warning)};
}

}  // namespace

Parsed<std::string> http_url(const Arguments& words, const std::string* /*before*/) {
  return address(words, "http://ocsp.example.com/ (OCSP needs no https: answers are signed)");
}

Parsed<std::string> http_proxy(const Arguments& words, const std::string* /*before*/) {
  return address(words, "http://proxy.example.com:3128/ (http alone: what is fetched is signed)");
}

Parsed<std::uint32_t> limit_in_seconds(const Arguments& words, const std::uint32_t* /*before*/) {
  if (const auto value = whole_number(words[0], 0, longest)) return *value;
  return Parsed<std::uint32_t>::refuse("expected a whole number of seconds, not " + quoted(words[0]));
}

Parsed<std::int64_t> response_age(const Arguments& words, const std::int64_t* /*before*/) {
  if (words[0] == "-1") return std::int64_t{-1};
  if (const auto value = whole_number(words[0], 0, longest)) return std::int64_t{*value};
  return Parsed<std::int64_t>::refuse("expected a number of seconds, or -1 for any age, not " + quoted(words[0]));
}

RevocationWords revocation_words(const Arguments& words) {
  RevocationWords read;
  bool said = false;
  const auto refuse = [&read](std::string error) {
    read.outcome.error = std::move(error);
    return read;
  };
  std::size_t first = 0;
  if (!same_word(words[0], "auto")) {
    auto name = file_name(words, 0);
    if (!name.value) return refuse(std::move(name.outcome.error));
    read.file = PathAt{std::move(*name.value), words.where};
    first = 1;
  }
  if (first == words.size()) return read;
  if (!same_word(words[first], "auto")) {
    return refuse("expected auto behind the file, not " + quoted(words[first]));
  }
  read.fetch.on = true;
  for (std::size_t i = first + 1; i < words.size(); ++i) {
    const bool allow = same_word(words[i], "allow");
    if (is_http(words[i])) {
      read.fetch.urls.emplace_back(words[i]);
    } else if (!said && (allow || same_word(words[i], "deny"))) {
      said = true;
      read.fetch.allow = allow;
    } else {
      return refuse("expected deny, allow or an address such as http://pki.example.com/ca.crl behind auto, not " +
                    quoted(words[i]));
    }
  }
  return read;
}

Outcome ssl_stapled_errors(const Arguments& words) {
  const auto value = on_off(words, nullptr);
  if (!value.value) return value.outcome;
  Outcome outcome;
  if (*value.value) {
    outcome.notice =
        "ignored: only a response that vouches for the certificate is stapled, since browsers end connections over any "
        "other; without one they do as if nothing were stapled";
  }
  return outcome;
}

Outcome ssl_stapling_cache(const Arguments& words) {
  const auto parsed = ssl_cache(words, nullptr);
  Outcome outcome = parsed.outcome;
  if (parsed.value) {
    outcome.notice = "ignored: responses are shared by all processes and kept over restarts without a cache of its own";
  }
  return outcome;
}

}  // namespace tls::config
