// SPDX-License-Identifier: Apache-2.0
#include "config/vocabulary/migration.hpp"

#include <algorithm>
#include <array>

#include "config/ciphers/cipher_language.hpp"
#include "config/ciphers/suites.hpp"
#include "config/vocabulary/openssl_conf.hpp"
#include "config/words.hpp"

namespace tls::config {
namespace {

bool any_word(const Arguments& words, std::string_view wanted) {
  return std::ranges::any_of(words.words, [wanted](std::string_view w) {
    if (w.starts_with('+')) w.remove_prefix(1);
    return same_word(w, wanted);
  });
}

std::string peers(const Arguments& words) {
  return std::string_view(words.directive).find("Proxy") == std::string_view::npos ? "clients" : "backends";
}

std::string cipher_suite(const Arguments& words, bool in_section) {
  if (in_section) {
    return "there is no renegotiation: a request is answered 403 where its connection has another suite, instead of a "
           "new "
           "handshake";
  }
  const bool named = words.size() > 1;
  if (named && words[0] != "SSL") return {};
  const CipherSelection selection = select_ciphers(std::string(words[named ? 1 : 0]) + ":!aNULL:!eNULL:!EXP");
  if (selection.all.size() == selection.supported.size()) return {};
  std::string first;
  for (const std::uint16_t number : selection.all) {
    if (is_supported(*suite(number))) continue;
    first = suite(number)->openssl;
    break;
  }
  return std::to_string(selection.supported.size()) + " of this list remain here; " + peers(words) +
         " that know only others, such as " + first + ", cannot connect";
}

std::string protocol(const Arguments& words, bool /*in_section*/) {
  const auto removes = [&words](std::string_view word) {
    return std::ranges::any_of(words.words, [word](std::string_view w) { return same_word(w, word); });
  };
  if (!any_word(words, "all") || (removes("-TLSv1") && removes("-TLSv1.1"))) return {};
  return "\"all\" is TLSv1.2 and TLSv1.3: " + peers(words) + " that know only TLSv1 or TLSv1.1 cannot connect";
}

std::string verify_client(const Arguments& words, bool in_section) {
  if (!in_section || any_word(words, "none")) return {};
  return "there is no renegotiation: the handshake asks every visitor of the virtual host for a certificate, and this "
         "section answers 403 without one; it works with HTTP/2 and TLSv1.3 too";
}

std::string options(const Arguments& words, bool /*in_section*/) {
  return any_word(words, "OptRenegotiate") ? "OptRenegotiate changes nothing: there is no renegotiation" : "";
}

std::string ticket_keys(const Arguments& /*words*/, bool /*in_section*/) {
  return "the file is the secret that keys are derived from: machines that share it must all run this module, tickets "
         "of "
         "mod_ssl are not accepted";
}

std::string random_seed(const Arguments& /*words*/, bool /*in_section*/) {
  return "ignored: randomness comes from the operating system";
}

std::string renegotiation_buffer(const Arguments& /*words*/, bool /*in_section*/) {
  return "ignored: there is no renegotiation to buffer a request for";
}

// Only the whole configuration tells whether SSLPostQuantum puts a group before the list; a start says it then.
std::string openssl_conf(const Arguments& words, bool /*in_section*/) {
  if (words.size() < 2 || !(same_word(words[0], "Curves") || same_word(words[0], "Groups"))) return {};
  const auto parsed = openssl_groups(words[1]);
  if (!parsed.value || std::ranges::any_of(*parsed.value, is_post_quantum)) return {};
  return std::string(words[0]) +
         " turns post-quantum key exchange off, as in OpenSSL; to keep it, begin the list with "
         "X25519MLKEM768, or add SSLPostQuantum prefer";
}

struct Difference {
  std::string_view directive;
  std::string (*text)(const Arguments&, bool);
};

constexpr std::array differences = {
    Difference{"SSLCipherSuite", cipher_suite},
    Difference{"SSLProtocol", protocol},
    Difference{"SSLProxyCipherSuite", [](const Arguments& w, bool /*in_section*/) { return cipher_suite(w, false); }},
    Difference{"SSLProxyProtocol", protocol},
    Difference{"SSLVerifyClient", verify_client},
    Difference{"SSLOptions", options},
    Difference{"SSLOpenSSLConfCmd", openssl_conf},
    Difference{"SSLSessionTicketKeyFile", ticket_keys},
    Difference{"SSLRandomSeed", random_seed},
    Difference{"SSLRenegBufferSize", renegotiation_buffer},
};

}  // namespace

std::string migration_difference(const Arguments& words, bool in_section) {
  const auto* found =
      std::ranges::find_if(differences, [&](const Difference& d) { return same_word(d.directive, words.directive); });
  if (found == differences.end() || words.words.empty()) return {};
  std::string text = found->text(words, in_section);
  return text.empty() ? text : std::string(found->directive) + ": " + text;
}

}  // namespace tls::config
