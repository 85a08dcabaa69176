// SPDX-License-Identifier: Apache-2.0
#include "config/vocabulary/openssl_conf.hpp"

#include <algorithm>
#include <array>

#include "config/ciphers/signatures.hpp"
#include "config/ciphers/suites.hpp"
#include "config/vocabulary/parsers.hpp"
#include "config/vocabulary/ssl_values.hpp"
#include "config/words.hpp"

namespace tls::config {
namespace {

Outcome groups_command(ServerSettings& s, Arena& arena, const Arguments& words) {
  auto parsed = openssl_groups(words[1]);
  if (parsed.value) s.groups.write(arena, std::move(*parsed.value), words.where);
  return std::move(parsed.outcome);
}

// One group, or a word for the choice that OpenSSL makes by itself since 1.1.0 (ssl_conf.c, cmd_ECDHParam).
Outcome ecdh_parameters(ServerSettings& s, Arena& arena, const Arguments& words) {
  std::string_view word = words[1];
  if (word.starts_with('+')) word.remove_prefix(1);
  if (same_word(word, "auto") || same_word(word, "automatic")) return {};
  return groups_command(s, arena, words);
}

struct VersionNumber {
  std::string_view word;
  std::uint16_t number;
};
constexpr std::array version_numbers = {VersionNumber{"None", 0},         VersionNumber{"SSLv3", 0x0300},
                                        VersionNumber{"TLSv1", 0x0301},   VersionNumber{"TLSv1.0", 0x0301},
                                        VersionNumber{"TLSv1.1", 0x0302}, VersionNumber{"TLSv1.2", 0x0303},
                                        VersionNumber{"TLSv1.3", 0x0304}};

// The number of a version; nothing for a word that names none.
std::optional<std::uint16_t> version_number(std::string_view word) {
  const auto* found = std::ranges::find_if(version_numbers, [&](const auto& v) { return same_word(v.word, word); });
  return found == version_numbers.end() ? std::nullopt : std::optional(found->number);
}

Outcome unknown_version(const Arguments& words) {
  return {"unknown version " + quoted(words[1]) + " for " + std::string(words[0]) + "; there are TLSv1.2 and TLSv1.3",
          {},
          {}};
}

Outcome min_protocol(ServerSettings& s, Arena& arena, const Arguments& words) {
  const auto version = version_number(words[1]);
  if (!version) return unknown_version(words);
  s.min_version.write(arena, *version, words.where);
  return {};
}

Outcome max_protocol(ServerSettings& s, Arena& arena, const Arguments& words) {
  const auto version = version_number(words[1]);
  if (!version) return unknown_version(words);
  if (*version != 0 && *version < 0x0303) {
    return {
        "MaxProtocol " + std::string(words[1]) + " leaves no version that exists here; there are TLSv1.2 and TLSv1.3",
        {},
        {}};
  }
  s.max_version.write(arena, *version, words.where);
  return {};
}

// "ALL,-TLSv1.3": like SSLProtocol, with commas.
Outcome protocol(ServerSettings& s, Arena& arena, const Arguments& words) {
  std::vector<std::string> parts;
  for (const std::string_view part : split(words[1], ", ")) {
    const bool signless = !part.starts_with('+') && !part.starts_with('-');
    parts.push_back((signless ? "+" : "") + std::string(part));
  }
  std::vector<const char*> pointers;
  pointers.reserve(parts.size());
  for (const std::string& part : parts) pointers.push_back(part.c_str());
  Arguments inner = words;
  inner.words = pointers;
  auto parsed = ssl_protocol(inner, nullptr);
  if (parsed.value) s.versions.write(arena, *parsed.value, words.where);
  return std::move(parsed.outcome);
}

Outcome ciphers(ServerSettings& s, Arena& arena, const Arguments& words) {
  const bool tls13 = same_word(words[0], "Ciphersuites");
  const std::array<const char*, 2> as_directive = {tls13 ? "TLSv1.3" : "SSL", words.words[1]};
  Arguments inner = words;
  inner.words = as_directive;
  std::optional<SuiteList> suites12;
  std::optional<SuiteList> suites13;
  Outcome outcome = ssl_cipher_suite(inner, false, suites12, suites13);
  if (suites12) s.suites12.write(arena, std::move(*suites12), words.where);
  if (suites13) s.suites13.write(arena, std::move(*suites13), words.where);
  return outcome;
}

// Options that say what is so here anyway, or that concern what does not exist here.
constexpr std::array<std::string_view, 16> idle_options = {"Bugs",
                                                           "Compression",
                                                           "EmptyFragments",
                                                           "DHSingle",
                                                           "ECDHSingle",
                                                           "UnsafeLegacyRenegotiation",
                                                           "EncryptThenMac",
                                                           "NoRenegotiation",
                                                           "AllowNoDHEKEX",
                                                           "MiddleboxCompat",
                                                           "AntiReplay",
                                                           "ExtendedMasterSecret",
                                                           "CANames",
                                                           "KTLS",
                                                           "UnsafeLegacyServerConnect",
                                                           "NoResumptionOnRenegotiation"};

Tickets tickets_switched(const ServerSettings& s, bool on) {
  Tickets tickets = s.tickets ? *s.tickets : Tickets{};
  tickets.on = on;
  return tickets;
}

Outcome options(ServerSettings& s, Arena& arena, const Arguments& words) {
  Outcome outcome;
  for (std::string_view option : split(words[1], ", ")) {
    const bool on = !option.starts_with('-');
    if (option.starts_with('+') || option.starts_with('-')) option.remove_prefix(1);
    if (same_word(option, "SessionTicket")) {
      s.tickets.write(arena, tickets_switched(s, on), words.where);
    } else if (same_word(option, "ServerPreference") || same_word(option, "PrioritizeChaCha")) {
      if (same_word(option, "ServerPreference")) s.honor_client_order.write(arena, !on, words.where);
    } else if (std::ranges::any_of(idle_options, [&](std::string_view o) { return same_word(o, option); })) {
      outcome.notice +=
          (outcome.notice.empty() ? "Options ignored, because they change nothing here: " : ", ") + std::string(option);
    } else {
      return {"Options: unknown option " + quoted(option) + did_you_mean(nearest(option, idle_options)), {}, {}};
    }
  }
  return outcome;
}

// OpenSSL signs with what stands in the list, in its order where the server's order counts, and asks clients for the
// same (t1_lib.c, tls12_get_psigalgs and tls1_set_shared_sigalgs).
template <Setting<SchemeList> ServerSettings::*member>
Outcome signature_algorithms(ServerSettings& s, Arena& arena, const Arguments& words) {
  auto parsed = openssl_signatures(words[1]);
  if (parsed.value) (s.*member).write(arena, std::move(*parsed.value), words.where);
  return std::move(parsed.outcome);
}

Outcome dh_parameters(ServerSettings& /*settings*/, Arena& /*arena*/, const Arguments& /*words*/) {
  return {{}, {}, "DHParameters ignored: suites with finite-field Diffie-Hellman do not exist here, all others work"};
}

struct Command {
  std::string_view word;
  Outcome (*carry_out)(ServerSettings&, Arena&, const Arguments&);
};
constexpr std::array commands = {
    Command{"Curves", groups_command},
    Command{"Groups", groups_command},
    Command{"ECDHParameters", ecdh_parameters},
    Command{"MinProtocol", min_protocol},
    Command{"MaxProtocol", max_protocol},
    Command{"Protocol", protocol},
    Command{"CipherString", ciphers},
    Command{"Ciphersuites", ciphers},
    Command{"Options", options},
    Command{"SignatureAlgorithms", signature_algorithms<&ServerSettings::signatures>},
    Command{"ClientSignatureAlgorithms", signature_algorithms<&ServerSettings::client_signatures>},
    Command{"DHParameters", dh_parameters}};

// Commands of OpenSSL that say something else, each with what to write instead.
struct Foreign {
  std::string_view word;
  std::string_view instead;
};
constexpr std::array foreign = {Foreign{"Certificate", "use SSLCertificateFile"},
                                Foreign{"PrivateKey", "use SSLCertificateKeyFile"},
                                Foreign{"ChainCAFile", "use SSLCertificateChainFile"},
                                Foreign{"ChainCAPath", "use SSLCertificateChainFile"},
                                Foreign{"VerifyCAFile", "use SSLCACertificateFile"},
                                Foreign{"VerifyCAPath", "use SSLCACertificatePath"},
                                Foreign{"VerifyMode", "use SSLVerifyClient"},
                                Foreign{"RequestCAFile", "use SSLCADNRequestFile"},
                                Foreign{"RequestCAPath", "use SSLCADNRequestPath"},
                                Foreign{"ClientCAFile", "use SSLCADNRequestFile"},
                                Foreign{"ClientCAPath", "use SSLCADNRequestPath"},
                                Foreign{"ServerInfoFile", "remove it"},
                                Foreign{"RecordPadding", "remove it"},
                                Foreign{"NumTickets", "remove it"},
                                Foreign{"TxCertificateCompression", "remove it"},
                                Foreign{"RxCertificateCompression", "remove it"}};

}  // namespace

Parsed<GroupList> openssl_groups(std::string_view list) {
  GroupList chosen;
  std::string dropped;
  for (std::string_view name : split(list, ":/")) {
    bool optional = false;
    bool remove = false;
    while (name.starts_with('?') || name.starts_with('*') || name.starts_with('-')) {
      optional = optional || name.front() == '?';
      remove = remove || name.front() == '-';
      name.remove_prefix(1);
    }
    if (same_word(name, "DEFAULT") || same_word(name, "auto")) {
      std::ranges::copy_if(default_groups(), std::back_inserter(chosen),
                           [&](std::uint16_t n) { return std::ranges::find(chosen, n) == chosen.end(); });
      continue;
    }
    const Group* known = find_group(name);
    if (known == nullptr && !optional && !remove) {
      return Parsed<GroupList>::refuse("unknown group " + quoted(name) + list_advice(name, nearest_group(name)));
    }
    if (known == nullptr || !known->supported) {
      if (!remove) dropped += (dropped.empty() ? "" : ", ") + std::string(name);
    } else if (remove) {
      std::erase(chosen, known->number);
    } else if (std::ranges::find(chosen, known->number) == chosen.end()) {
      chosen.push_back(known->number);
    }
  }
  if (chosen.empty()) {
    return Parsed<GroupList>::refuse(
        "none of the groups in " + quoted(list) +
        " exists here; there are X25519MLKEM768, X25519, P-256, P-384, SecP256r1MLKEM768 and SecP384r1MLKEM1024");
  }
  Outcome outcome;
  if (!dropped.empty()) outcome.notice = "groups left out, because they do not exist here: " + dropped;
  return {std::move(chosen), std::move(outcome)};
}

Parsed<SchemeList> openssl_signatures(std::string_view list) {
  SchemeList chosen;
  std::string dropped;
  for (std::string_view name : split(list, ":")) {
    const bool optional = name.starts_with('?');
    if (optional) name.remove_prefix(1);
    const SignatureScheme* known = find_signature_scheme(name);
    if (known == nullptr && !optional) {
      return Parsed<SchemeList>::refuse("unknown signature algorithm " + quoted(name) +
                                        list_advice(name, nearest_signature_scheme(name)));
    }
    if (known == nullptr || !known->supported) {
      dropped += (dropped.empty() ? "" : ", ") + std::string(name);
    } else if (std::ranges::find(chosen, known->number) == chosen.end()) {
      chosen.push_back(known->number);
    }
  }
  if (chosen.empty()) return Parsed<SchemeList>::refuse(no_signature_scheme(list));
  Outcome outcome;
  if (!dropped.empty()) outcome.notice = "signature algorithms left out, because they do not exist here: " + dropped;
  return {std::move(chosen), std::move(outcome)};
}

Outcome openssl_conf_command(ServerSettings& settings, Arena& arena, const Arguments& words) {
  const auto* known = std::ranges::find_if(commands, [&](const Command& c) { return same_word(c.word, words[0]); });
  if (known != commands.end()) return known->carry_out(settings, arena, words);
  const auto* other = std::ranges::find_if(foreign, [&](const Foreign& f) { return same_word(f.word, words[0]); });
  if (other != foreign.end()) {
    return {"the command " + quoted(words[0]) + " is not supported; " + std::string(other->instead), {}, {}};
  }
  std::array<std::string_view, commands.size()> names{};
  std::ranges::transform(commands, names.begin(), &Command::word);
  return {
      "'" + std::string(words[0]) + "': invalid OpenSSL configuration command" + did_you_mean(nearest(words[0], names)),
      {},
      {}};
}

}  // namespace tls::config
