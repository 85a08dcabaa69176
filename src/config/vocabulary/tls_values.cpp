// SPDX-License-Identifier: Apache-2.0
#include "config/vocabulary/tls_values.hpp"

#include <algorithm>

namespace tls::config {
namespace {

constexpr std::array minimum_versions = {
    Keyword<Versions>{"default", {true, true}},      Keyword<Versions>{"TLSv1.2+", {true, true}},
    Keyword<Versions>{"TLSv1.3+", {false, true}},    Keyword<Versions>{"TLSv0x0303+", {true, true}},
    Keyword<Versions>{"TLSv0x0304+", {false, true}}, Keyword<Versions>{"v1.2+", {true, true}},
    Keyword<Versions>{"v1.3+", {false, true}},
};

constexpr auto own_options = std::span(option_words).first<option_words.size() - 1>();
constexpr std::uint8_t all_options = 0xFF;

}  // namespace

Parsed<Versions> minimum_version(const Arguments& words, const Versions* /*before*/) {
  const auto* found =
      std::ranges::find_if(minimum_versions, [&](const auto& k) { return same_word(k.word, words[0]); });
  if (found != minimum_versions.end()) return found->value;
  constexpr std::array<std::string_view, 4> old = {"TLSv1.0+", "TLSv1.1+", "TLSv1+", "SSLv3+"};
  if (std::ranges::any_of(old, [&](std::string_view o) { return same_word(o, words[0]); })) {
    return {Versions{}, quoted(words[0]) + " is raised to TLSv1.2+, the lowest version there is"};
  }
  constexpr std::array<std::string_view, 3> expected = {"default", "TLSv1.2+", "TLSv1.3+"};
  return Parsed<Versions>::refuse(unexpected(expected, words[0]));
}

Parsed<bool> engine_switch(const Arguments& words, const bool* before) {
  if (parse_listener(words[0])) {
    return Parsed<bool>::refuse("ports are listed outside of virtual hosts, for the whole server; here write \"" +
                                std::string(words.directive) + " on\" or off");
  }
  return on_off(words, before);
}

Parsed<std::vector<Listener>> engine_listeners(const Arguments& words, const std::vector<Listener>* before) {
  std::vector<Listener> listeners = before == nullptr ? std::vector<Listener>{} : *before;
  for (const char* word : words.words) {
    const auto listener = parse_listener(word);
    if (!listener) {
      const bool flag = same_word(word, "on") || same_word(word, "off");
      return Parsed<std::vector<Listener>>::refuse(
          flag ? "on and off belong into a virtual host; here name the ports that speak TLS, such as \"TLSEngine 443\""
               : "expected [address:]port in numbers, such as 443, 192.0.2.1:443 or [2001:db8::1]:443, not " +
                     quoted(word));
    }
    if (std::ranges::find(listeners, *listener) == listeners.end()) listeners.push_back(*listener);
  }
  return listeners;
}

Parsed<std::vector<CertificateFiles>> certificate(const Arguments& words, const std::vector<CertificateFiles>* before) {
  std::vector<CertificateFiles> all = before == nullptr ? std::vector<CertificateFiles>{} : *before;
  auto file = file_name(words, 0);
  if (!file.value) return Parsed<std::vector<CertificateFiles>>::refuse(std::move(file.outcome.error));
  CertificateFiles files{std::move(*file.value), {}, words.where};
  if (words.size() > 1) {
    auto key = file_name(words, 1);
    if (!key.value) return Parsed<std::vector<CertificateFiles>>::refuse(std::move(key.outcome.error));
    files.key = std::move(*key.value);
  }
  all.push_back(std::move(files));
  return all;
}

Parsed<PassPhraseDialog> key_passphrase(const Arguments& words, const PassPhraseDialog* /*before*/) {
  using Kind = PassPhraseDialog::Kind;
  const std::string_view word = words[0];
  if (same_word(word, "builtin")) return PassPhraseDialog{Kind::Builtin, {}};
  for (const auto& [prefix, kind] : {std::pair("file:", Kind::File), std::pair("exec:", Kind::Exec)}) {
    if (!starts_with_word(word, prefix)) continue;
    const std::string_view path = word.substr(5);
    if (path.empty()) return Parsed<PassPhraseDialog>::refuse("a file name must follow " + quoted(prefix));
    return pass_phrase_dialog(words, kind, path);
  }
  constexpr std::array<std::string_view, 3> expected{"builtin", "file:path", "exec:program"};
  return Parsed<PassPhraseDialog>::refuse(unexpected(expected, word));
}

Parsed<Options> tls_options(const Arguments& words, const Options* before) {
  Options options = before == nullptr ? Options{} : *before;
  for (const char* text : words.words) {
    std::string_view word = text;
    const char sign = word.starts_with('+') || word.starts_with('-') ? word.front() : '=';
    if (sign != '=') word.remove_prefix(1);
    if (same_word(word, "Defaults")) {
      options = {all_options, 0};
      continue;
    }
    const auto found = std::ranges::find_if(own_options, [&](const auto& o) { return same_word(o.word, word); });
    if (found == own_options.end()) {
      std::array<std::string_view, own_options.size() + 1> expected{"Defaults"};
      std::ranges::transform(own_options, expected.begin() + 1, &Keyword<Option>::word);
      return Parsed<Options>::refuse(unexpected(expected, word));
    }
    const auto bit = static_cast<std::uint8_t>(found->value);
    // A word without a sign replaces all that was inherited, as in mod_ssl; several of them in one line add up.
    if (sign == '=' && options.named != all_options) options = {all_options, 0};
    options.named = static_cast<std::uint8_t>(options.named | bit);
    options.on = static_cast<std::uint8_t>(sign == '-' ? options.on & ~bit : options.on | bit);
  }
  return options;
}

Parsed<Reload> reload(const Arguments& words, const Reload* /*before*/) {
  constexpr std::uint32_t longest = 86'400;
  if (words.size() == 1 && same_word(words[0], "off")) return Reload{};
  const auto value = seconds(words[0]);
  if (!value || *value < 1 || *value > longest) {
    return Parsed<Reload>::refuse("expected off or a time from 1 second to a day, such as \"10\" or \"1min\", not " +
                                  quoted(words[0]));
  }
  if (words.size() == 2 && !same_word(words[1], "all")) {
    return Parsed<Reload>::refuse("expected all after the interval, not " + quoted(words[1]));
  }
  return Reload{*value, words.size() == 2};
}

Parsed<PathAt> key_log(const Arguments& words, const PathAt* before) {
  if (same_word(words[0], "off")) return PathAt{{}, words.where};
  if (same_word(words[0], "on"))
    return Parsed<PathAt>::refuse("expected the name of a file or off, not " + quoted("on"));
  return path(words, before);
}

Parsed<HandshakeLimits> handshake_limits(const Arguments& words, const HandshakeLimits* /*before*/) {
  constexpr std::uint32_t most = 1'000'000;
  constexpr std::array<std::string_view, 4> expected{"address:number", "child:number", "server:number", "off"};
  HandshakeLimits limits;
  if (words.size() == 1 && same_word(words[0], "off")) return limits;
  const std::array scopes = {std::pair("address:", &limits.address), std::pair("child:", &limits.child),
                             std::pair("server:", &limits.server)};
  for (const char* text : words.words) {
    const std::string_view word = text;
    if (same_word(word, "off")) return Parsed<HandshakeLimits>::refuse("off stands alone; leave it or the numbers out");
    const auto* scope = std::ranges::find_if(scopes, [&](const auto& s) { return starts_with_word(word, s.first); });
    if (scope == scopes.end()) return Parsed<HandshakeLimits>::refuse(unexpected(expected, word));
    const auto value = whole_number(word.substr(std::string_view(scope->first).size()), 1, most);
    if (!value) {
      return Parsed<HandshakeLimits>::refuse("expected a whole number from 1 to 1000000 after " + quoted(scope->first) +
                                             ", not " + quoted(word));
    }
    if (*scope->second != 0) return Parsed<HandshakeLimits>::refuse(quoted(scope->first) + " stands twice");
    *scope->second = *value;
  }
  return limits;
}

Parsed<std::uint32_t> handshake_timeout(const Arguments& words, const std::uint32_t* /*before*/) {
  constexpr std::uint32_t longest = 3600;
  const auto value = seconds(words[0]);
  if (value && *value >= 1 && *value <= longest) return *value;
  return Parsed<std::uint32_t>::refuse("expected a time from 1 to 3600 seconds, such as \"20\" or \"20s\", not " +
                                       quoted(words[0]));
}

}  // namespace tls::config
