// SPDX-License-Identifier: Apache-2.0
#include "config/ciphers/suites.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "config/words.hpp"

namespace tls::config {
namespace {

constexpr auto all_suites = [] {
  using enum FirstVersion;
  // Not `using enum` for the rest: Rsa, Psk, Null and others are words of several of them.
#define TLS_SUITE(number, iana, openssl, version, kx, auth, enc, bits, mac) \
  Suite{number, iana, openssl, version, KeyExchange::kx, Authentication::auth, Encryption::enc, bits, Mac::mac},
  return std::array{
#include "config/ciphers/suites.def"
  };
#undef TLS_SUITE
}();

static_assert(std::ranges::is_sorted(all_suites, {}, &Suite::number));

constexpr std::array<std::uint16_t, 9> negotiable = {0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F,
                                                     0xC02C, 0xC030, 0xCCA9, 0xCCA8};
constexpr std::array<std::uint16_t, 9> openssl_defaults = {0x1302, 0x1303, 0x1301, 0xC02C, 0xC030,
                                                           0xCCA9, 0xCCA8, 0xC02B, 0xC02F};

// IANA "TLS Supported Groups". Names as OpenSSL 3.5 and the RFCs write them.
constexpr std::array all_groups = {
    Group{0x11EC, "X25519MLKEM768", "", true},
    Group{0x001D, "X25519", "", true},
    Group{0x0017, "P-256", "prime256v1", true},
    Group{0x0018, "P-384", "secp384r1", true},
    Group{0x11EB, "SecP256r1MLKEM768", "", true},
    Group{0x0201, "MLKEM768", "", true},
    Group{0x0202, "MLKEM1024", "", true},
    Group{0x0019, "P-521", "secp521r1", false},
    Group{0x001E, "X448", "", false},
    Group{0x11ED, "SecP384r1MLKEM1024", "", true},
    Group{0x0200, "MLKEM512", "", false},
    Group{0x6399, "X25519Kyber768Draft00", "", false},
    Group{0x0100, "ffdhe2048", "", false},
    Group{0x0101, "ffdhe3072", "", false},
    Group{0x0102, "ffdhe4096", "", false},
    Group{0x0103, "ffdhe6144", "", false},
    Group{0x0104, "ffdhe8192", "", false},
    Group{0x001A, "brainpoolP256r1", "", false},
    Group{0x001B, "brainpoolP384r1", "", false},
    Group{0x001C, "brainpoolP512r1", "", false},
    Group{0x001F, "brainpoolP256r1tls13", "", false},
    Group{0x0020, "brainpoolP384r1tls13", "", false},
    Group{0x0021, "brainpoolP512r1tls13", "", false},
    Group{0x0015, "P-224", "secp224r1", false},
    Group{0x0013, "P-192", "prime192v1", false},
    Group{0x0016, "secp256k1", "", false},
    Group{0x0029, "curveSM2", "", false},
};

constexpr std::array<std::uint16_t, 3> hybrids = {0x11EC, 0x11EB, 0x11ED};
constexpr std::array<std::uint16_t, 4> preferred_groups = {0x11EC, 0x001D, 0x0017, 0x0018};

// "0xC02B", "C02B" or "C0,2B" (with or without 0x before each byte) as a number; -1 if it is none of them.
int hexadecimal(std::string_view text) {
  int value = 0;
  int digits = 0;
  bool marked = false;
  while (!text.empty()) {
    if (starts_with_word(text, "0x")) {
      marked = true;
      text.remove_prefix(2);
      continue;
    }
    const char c = lower(text.front());
    text.remove_prefix(1);
    if (c == ',' && digits == 2) continue;
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0 || ++digits > 4) return -1;
    value = value * 16 + digit;
  }
  return marked && digits == 4 ? value : -1;
}

}  // namespace

std::span<const Suite> suites() { return all_suites; }
std::span<const std::uint16_t> supported_suites() { return negotiable; }

std::span<const std::uint16_t> openssl_order() { return openssl_defaults; }
std::span<const Group> groups() { return all_groups; }
std::span<const std::uint16_t> default_groups() { return preferred_groups; }

const Suite* suite(std::uint16_t number) {
  const auto* found = std::ranges::lower_bound(all_suites, number, {}, &Suite::number);
  return found != all_suites.end() && found->number == number ? found : nullptr;
}

const Suite* find_suite(std::string_view name) {
  // Names that icing/mod_tls has beside IANA's and OpenSSL's: TLS13_AES_128_GCM_SHA256, TLS_CIPHER_0x1301.
  constexpr std::string_view tls13 = "TLS13_";
  constexpr std::string_view cipher = "TLS_CIPHER_";
  const std::string_view short_iana = starts_with_word(name, tls13) ? name.substr(tls13.size()) : std::string_view{};
  const auto* found = std::ranges::find_if(all_suites, [&](const Suite& s) {
    return same_word(s.iana, name) || same_word(s.openssl, name) ||
           (!short_iana.empty() && s.first_version == FirstVersion::Tls13 && same_word(s.iana.substr(4), short_iana));
  });
  if (found != all_suites.end()) return found;
  if (starts_with_word(name, cipher)) name.remove_prefix(cipher.size());
  const int number = hexadecimal(name);
  return number < 0 ? nullptr : suite(static_cast<std::uint16_t>(number));
}

bool is_supported(const Suite& suite) { return std::ranges::find(negotiable, suite.number) != negotiable.end(); }

std::span<const std::uint16_t> hybrid_groups() { return hybrids; }

bool is_post_quantum(std::uint16_t number) {
  const Group* const known = group(number);
  return known != nullptr && known->name.find("MLKEM") != std::string_view::npos;
}

const Group* group(std::uint16_t number) {
  const auto* found = std::ranges::find(all_groups, number, &Group::number);
  return found == all_groups.end() ? nullptr : found;
}

const Group* find_group(std::string_view name) {
  // SEC 2 names of the two NIST curves beside NIST's own and X9.62's.
  if (same_word(name, "secp256r1")) name = "P-256";
  if (same_word(name, "P256")) name = "P-256";
  if (same_word(name, "P384")) name = "P-384";
  if (same_word(name, "P521")) name = "P-521";
  const auto* found = std::ranges::find_if(all_groups, [name](const Group& g) {
    return same_word(g.name, name) || (!g.also.empty() && same_word(g.also, name));
  });
  return found == all_groups.end() ? nullptr : found;
}

std::string nearest_suite(std::string_view name) {
  std::vector<std::string_view> names;
  for (const std::uint16_t number : negotiable) {
    names.push_back(suite(number)->iana);
    names.push_back(suite(number)->openssl);
  }
  return std::string(nearest(name, names));
}

std::string nearest_group(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Group& g : all_groups) {
    if (!g.supported) continue;
    names.push_back(g.name);
    if (!g.also.empty()) names.push_back(g.also);
  }
  return std::string(nearest(name, names));
}

}  // namespace tls::config
