// SPDX-License-Identifier: Apache-2.0
#include "config/vocabulary/ssl_values.hpp"

#include <algorithm>

namespace tls::config {
namespace {

enum Version : std::uint8_t { Ssl3 = 1, Tls10 = 2, Tls11 = 4, Tls12 = 8, Tls13 = 16, AllVersions = 31 };

struct VersionWord {
  std::string_view word;
  unsigned bits;
};
constexpr std::array version_words = {VersionWord{"SSLv3", Ssl3},    VersionWord{"TLSv1", Tls10},
                                      VersionWord{"TLSv1.1", Tls11}, VersionWord{"TLSv1.2", Tls12},
                                      VersionWord{"TLSv1.3", Tls13}, VersionWord{"all", AllVersions}};

std::string names_of(unsigned bits) {
  std::string text;
  for (const VersionWord& v : version_words) {
    if (v.bits != AllVersions && (bits & v.bits) != 0) text += (text.empty() ? "" : ", ") + std::string(v.word);
  }
  return text;
}

constexpr std::array verify_words = {Keyword<VerifyClient>{"none", VerifyClient::None},
                                     Keyword<VerifyClient>{"off", VerifyClient::None},
                                     Keyword<VerifyClient>{"optional", VerifyClient::Optional},
                                     Keyword<VerifyClient>{"require", VerifyClient::Require},
                                     Keyword<VerifyClient>{"on", VerifyClient::Require},
                                     Keyword<VerifyClient>{"optional_no_ca", VerifyClient::OptionalNoCa}};

constexpr std::array sni_words = {
    Keyword<SniPolicy>{"strict", SniPolicy::Strict}, Keyword<SniPolicy>{"secure", SniPolicy::Secure},
    Keyword<SniPolicy>{"authonly", SniPolicy::AuthOnly}, Keyword<SniPolicy>{"insecure", SniPolicy::Insecure}};

std::string invalid(std::string_view word) { return "Invalid argument '" + std::string(word) + "'"; }

}  // namespace

Parsed<bool> ssl_engine(const Arguments& words, const bool* before) {
  if (same_word(words[0], "optional")) {
    return Parsed<bool>::refuse("'SSLEngine optional' is no longer supported; write on or off");
  }
  return on_off(words, before);
}

// ssl_engine_config.c, ssl_cmd_protocol_parse: every directive begins anew, and a word without a sign replaces all
// that stands before it in the line.
Parsed<Versions> ssl_protocol(const Arguments& words, const Versions* /*before*/) {
  unsigned chosen = 0;
  unsigned named = 0;
  bool replaced = false;
  for (const char* text : words.words) {
    std::string_view word = text;
    const char sign = word.starts_with('+') || word.starts_with('-') ? word.front() : '=';
    if (sign != '=') word.remove_prefix(1);
    if (same_word(word, "SSLv2")) {
      if (sign == '-') continue;
      return Parsed<Versions>::refuse("SSLv2 is no longer supported");
    }
    const auto* found =
        std::ranges::find_if(version_words, [&](const VersionWord& v) { return same_word(v.word, word); });
    if (found == version_words.end()) {
      return Parsed<Versions>::refuse("Illegal protocol '" + std::string(word) +
                                      "'; there are all, TLSv1.2 and TLSv1.3, divided by spaces, each with + or - "
                                      "before it or without");
    }
    const bool single = found->bits != AllVersions;
    if (sign == '-') {
      chosen &= ~found->bits;
      named &= ~found->bits;
    } else {
      replaced = replaced || (sign == '=' && chosen != 0);
      chosen = sign == '+' ? chosen | found->bits : found->bits;
      named = sign == '+' ? named | (single ? found->bits : 0) : (single ? found->bits : 0);
    }
  }
  const Versions versions{(chosen & Tls12) != 0, (chosen & Tls13) != 0};
  if (!versions.tls12 && !versions.tls13) {
    const std::string there = "here there are TLSv1.2 and TLSv1.3";
    return Parsed<Versions>::refuse(chosen == 0
                                        ? "no protocol version is left; " + there
                                        : "asks for " + names_of(chosen) + " only; " + there + ", add one of them");
  }
  const unsigned old = named & (Ssl3 | Tls10 | Tls11);
  Outcome outcome;
  if (old != 0) outcome.warning = names_of(old) + " will not be spoken: the oldest version here is TLSv1.2";
  if (replaced) {
    outcome.warning += outcome.warning.empty() ? "" : "; ";
    outcome.warning += "a version without + or - replaces those before it; what is left is " + names_of(chosen);
  }
  return {versions, std::move(outcome)};
}

Parsed<bool> ssl_honor_cipher_order(const Arguments& words, const bool* /*before*/) {
  auto parsed = on_off(words, nullptr);
  if (parsed.value) parsed.value = !*parsed.value;
  return parsed;
}

Parsed<std::vector<CertificateFiles>> ssl_certificate(const Arguments& words,
                                                      const std::vector<CertificateFiles>* before) {
  auto all = before == nullptr ? std::vector<CertificateFiles>{} : *before;
  auto path = file_name(words, 0);
  if (!path.value) return Parsed<std::vector<CertificateFiles>>::refuse(std::move(path.outcome.error));
  all.push_back({std::move(*path.value), {}, words.where});
  return all;
}

Parsed<std::vector<PathAt>> ssl_key(const Arguments& words, const std::vector<PathAt>* before) {
  auto all = before == nullptr ? std::vector<PathAt>{} : *before;
  auto path = file_name(words, 0);
  if (!path.value) return Parsed<std::vector<PathAt>>::refuse(std::move(path.outcome.error));
  all.push_back({std::move(*path.value), words.where});
  return all;
}

Parsed<PassPhraseDialog> ssl_pass_phrase_dialog(const Arguments& words, const PassPhraseDialog* /*before*/) {
  using Kind = PassPhraseDialog::Kind;
  const std::string_view word = words[0];
  if (word == "builtin") return PassPhraseDialog{Kind::Builtin, {}};
  if (word.starts_with('|') && word.size() > 1) {
    return pass_phrase_dialog(words, Kind::Pipe, word.substr(1));
  }
  if (word.starts_with("exec:") && word.size() > 5) {
    return pass_phrase_dialog(words, Kind::Exec, word.substr(5));
  }
  return Parsed<PassPhraseDialog>::refuse("Invalid argument '" + std::string(word) +
                                          "'; expected builtin, |/path/to/program or exec:/path/to/program");
}

Parsed<VerifyClient> ssl_verify(const Arguments& words, const VerifyClient* /*before*/) {
  const auto* found = std::ranges::find_if(verify_words, [&](const auto& k) { return same_word(k.word, words[0]); });
  if (found != verify_words.end()) return found->value;
  return Parsed<VerifyClient>::refuse(invalid(words[0]) + "; expected none, optional, require or optional_no_ca");
}

Parsed<RevocationCheck> ssl_revocation_check(const Arguments& words, const RevocationCheck* /*before*/) {
  using Depth = RevocationCheck::Depth;
  constexpr std::array depths = {Keyword<Depth>{"none", Depth::None}, Keyword<Depth>{"leaf", Depth::Leaf},
                                 Keyword<Depth>{"chain", Depth::Chain}};
  const auto* found = std::ranges::find_if(depths, [&](const auto& k) { return same_word(k.word, words[0]); });
  if (found == depths.end()) {
    return Parsed<RevocationCheck>::refuse(invalid(words[0]) + "; expected none, leaf or chain");
  }
  RevocationCheck check{found->value, false};
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!same_word(words[i], "no_crl_for_cert_ok") || check.depth == Depth::None) {
      return Parsed<RevocationCheck>::refuse(invalid(words[i]) + "; after leaf or chain may stand no_crl_for_cert_ok");
    }
    check.no_crl_ok = true;
  }
  return check;
}

Parsed<SessionCacheName> ssl_cache(const Arguments& words, const SessionCacheName* /*before*/) {
  const std::string_view word = words[0];
  if (same_word(word, "none") || same_word(word, "nonenotnull")) return SessionCacheName{};
  const std::size_t colon = word.find(':');
  const std::string_view provider = word.substr(0, colon);
  if (provider.empty())
    return Parsed<SessionCacheName>::refuse(invalid(word) + "; expected none or provider:arguments");
  return SessionCacheName{std::string(provider),
                          colon == std::string_view::npos ? std::string() : std::string(word.substr(colon + 1))};
}

Parsed<Tickets> ssl_tickets(const Arguments& words, const Tickets* before) {
  const auto parsed = on_off(words, nullptr);
  if (!parsed.value) return Parsed<Tickets>::refuse(parsed.outcome.error);
  Tickets tickets = before == nullptr ? Tickets{} : *before;
  tickets.on = *parsed.value;
  return tickets;
}

Parsed<Tickets> ssl_ticket_key(const Arguments& words, const Tickets* before) {
  auto file = file_name(words, 0);
  if (!file.value) return Parsed<Tickets>::refuse(std::move(file.outcome.error));
  Tickets tickets = before == nullptr ? Tickets{} : *before;
  tickets.secret = std::move(*file.value);
  tickets.secret_written = words.where;
  return tickets;
}

Parsed<Lifetimes> ssl_lifetime(const Arguments& words, const Lifetimes* /*before*/) {
  const auto parsed = number<0, 0x7FFF'FFFF>(words, nullptr);
  if (!parsed.value) return Parsed<Lifetimes>::refuse(parsed.outcome.error);
  return Lifetimes{*parsed.value, *parsed.value};
}

Parsed<SniPolicy> ssl_sni_policy(const Arguments& words, const SniPolicy* before) {
  return keyword<sni_words>(words, before);
}

Parsed<Options> ssl_options(const Arguments& words, const Options* before) {
  constexpr std::uint8_t all_options = 0xFF;
  Options options = before == nullptr ? Options{} : *before;
  bool first_bare = true;
  for (const char* text : words.words) {
    std::string_view word = text;
    const char sign = word.starts_with('+') || word.starts_with('-') ? word.front() : '=';
    if (sign != '=') word.remove_prefix(1);
    const auto* found = std::ranges::find_if(option_words, [&](const auto& o) { return same_word(o.word, word); });
    if (found == option_words.end()) {
      std::array<std::string_view, option_words.size()> expected{};
      std::ranges::transform(option_words, expected.begin(), [](const auto& o) { return o.word; });
      return Parsed<Options>::refuse("Illegal option '" + std::string(word) + "'; " + unexpected(expected, word));
    }
    const auto bit = static_cast<std::uint8_t>(found->value);
    if (sign == '=' && first_bare) {
      options = {all_options, 0};
      first_bare = false;
    }
    options.named = static_cast<std::uint8_t>(options.named | bit);
    options.on = static_cast<std::uint8_t>(sign == '-' ? options.on & ~bit : options.on | bit);
  }
  return options;
}

// mod_ssl takes "SSLRequireSSL off" and requires TLS all the same.
Parsed<bool> ssl_require_tls(const Arguments& words, const bool* /*before*/) {
  Outcome outcome;
  if (words.size() > 0)
    outcome.warning = quoted(words[0]) + " is ignored: it takes no words, and requires TLS wherever it stands";
  return {true, std::move(outcome)};
}

Parsed<Requirements> requirement(const Arguments& words, const Requirements* before) {
  Requirements requirements = before == nullptr ? Requirements{} : *before;
  requirements.all.push_back({std::string(words[0]), words.compiled, words.where});
  return requirements;
}

}  // namespace tls::config
