// SPDX-License-Identifier: Apache-2.0
// Parsers of single values, shared by the tables of directives.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "config/vocabulary/row.hpp"
#include "config/words.hpp"

namespace tls::config {

// One word of a closed list and what it stands for.
template <class T>
struct Keyword {
  std::string_view word;
  T value;
};

// "expected on or off, not "x"; did you mean "on"?"
std::string unexpected(std::span<const std::string_view> expected, std::string_view found);

// One word of `Table`, an array of Keyword<T>; case is ignored.
template <const auto& Table>
auto keyword(const Arguments& words, const decltype(Table[0].value)* /*before*/)
    -> Parsed<std::remove_cvref_t<decltype(Table[0].value)>> {
  std::array<std::string_view, std::size(Table)> expected{};
  for (std::size_t i = 0; i < std::size(Table); ++i) {
    if (same_word(Table[i].word, words[0])) return Table[i].value;
    expected[i] = Table[i].word;
  }
  return Parsed<std::remove_cvref_t<decltype(Table[0].value)>>::refuse(unexpected(expected, words[0]));
}

inline constexpr std::array on_off_words = {Keyword<bool>{"on", true}, Keyword<bool>{"off", false}};

inline Parsed<bool> on_off(const Arguments& words, const bool* before) { return keyword<on_off_words>(words, before); }

// A whole number from `least` to `most`; nothing else before or after it.
std::optional<std::uint32_t> whole_number(std::string_view text, std::uint32_t least, std::uint32_t most);

template <std::uint32_t Least, std::uint32_t Most>
Parsed<std::uint32_t> number(const Arguments& words, const std::uint32_t* /*before*/) {
  if (const auto value = whole_number(words[0], Least, Most)) return *value;
  return Parsed<std::uint32_t>::refuse("expected a whole number from " + std::to_string(Least) + " to " +
                                       std::to_string(Most) + ", not " + quoted(words[0]));
}

// A number of seconds, or with a unit: "20", "20s", "500ms" (rounded up), "5min", "12h", "7d".
std::optional<std::uint32_t> seconds(std::string_view text);

// A file name as written, made absolute: relative ones begin at the server root. Refuses what is not UTF-8.
Parsed<std::string> absolute_path(std::string_view server_root, std::string_view path);

// The dialog that asks `path`: a file, or a program.
Parsed<PassPhraseDialog> pass_phrase_dialog(const Arguments& words, PassPhraseDialog::Kind kind, std::string_view path);

// The word at `index` as the absolute name of a PEM file; refuses what is empty and the URIs of hardware tokens.
Parsed<std::string> file_name(const Arguments& words, std::size_t index);

// One file or directory.
Parsed<PathAt> path(const Arguments& words, const PathAt* before);

// TLSTrustedProxy, SSLTrustedProxy: addresses and networks; adds to those written before in the same scope.
Parsed<std::vector<Network>> networks(const Arguments& words, const std::vector<Network>* before);

// TLSPostQuantum and its kin
inline constexpr std::array post_quantum_words = {Keyword<PostQuantum>{"prefer", PostQuantum::Prefer},
                                                  Keyword<PostQuantum>{"require", PostQuantum::Require},
                                                  Keyword<PostQuantum>{"off", PostQuantum::Off}};

// TLSClientCertHeader, SSLClientCertHeader
inline constexpr std::array client_cert_headers = {Keyword<ClientCertHeader>{"on", ClientCertHeader::On},
                                                   Keyword<ClientCertHeader>{"chain", ClientCertHeader::Chain},
                                                   Keyword<ClientCertHeader>{"off", ClientCertHeader::Off}};

// TLSOptions, SSLOptions. The last one is mod_ssl's alone.
inline constexpr std::array option_words = {Keyword<Option>{"StdEnvVars", Option::StdEnvVars},
                                            Keyword<Option>{"ExportCertData", Option::ExportCertData},
                                            Keyword<Option>{"FakeBasicAuth", Option::FakeBasicAuth},
                                            Keyword<Option>{"StrictRequire", Option::StrictRequire},
                                            Keyword<Option>{"LegacyDNStringFormat", Option::LegacyDnStringFormat},
                                            Keyword<Option>{"OptRenegotiate", Option::OptRenegotiate}};

// Text of any kind.
Parsed<std::string> any_text(const Arguments& words, const std::string* before);

// Names of cipher suites or groups, divided by spaces or colons. Unknown ones are refused with the nearest known name;
// known ones that cannot be negotiated are left out with a warning.
Parsed<SuiteList> suite_list(const Arguments& words, const SuiteList* before);
Parsed<GroupList> group_list(const Arguments& words, const GroupList* before);

// The same for signature schemes; "default" is no restriction.
Parsed<SchemeList> signature_list(const Arguments& words, const SchemeList* before);

}  // namespace tls::config
