// SPDX-License-Identifier: Apache-2.0
#include "config/ciphers/cipher_aliases.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace tls::config {
namespace {

using Kx = KeyExchange;
using Au = Authentication;
using Enc = Encryption;

template <class E>
constexpr std::uint32_t mask(std::initializer_list<E> members) {
  std::uint32_t bits = 0;
  for (const E member : members) bits |= 1U << static_cast<unsigned>(member);
  return bits;
}

// AES-128 and AES-256 are words of their own, so the key length is part of the bit.
constexpr std::uint64_t encryption_bit(Enc encryption, unsigned bits) {
  return std::uint64_t{1} << (2U * static_cast<unsigned>(encryption) + (bits >= 256 ? 1U : 0U));
}

constexpr std::uint64_t of_length(std::initializer_list<Enc> members, unsigned bits) {
  std::uint64_t all = 0;
  for (const Enc member : members) all |= encryption_bit(member, bits);
  return all;
}

constexpr std::uint64_t both_lengths(std::initializer_list<Enc> members) {
  return of_length(members, 128) | of_length(members, 256);
}

constexpr std::initializer_list<Enc> aes = {Enc::AesCbc, Enc::AesGcm, Enc::AesCcm, Enc::AesCcm8};
constexpr std::uint32_t any_psk = mask({Kx::Psk, Kx::RsaPsk, Kx::DhePsk, Kx::EcdhePsk});
constexpr std::uint32_t not_anonymous = ~mask({Au::Null});
constexpr std::uint64_t not_null = ~both_lengths({Enc::Null});

struct Alias {
  std::string_view word;
  CipherMatch match;
};

// ssl_ciph.c, cipher_aliases[], of OpenSSL 3.
constexpr std::array aliases = {
    Alias{"ALL", {.encryptions = not_null}},
    Alias{"COMPLEMENTOFALL", {.encryptions = both_lengths({Enc::Null})}},
    Alias{"COMPLEMENTOFDEFAULT", {.complement_of_default = true}},
    // key exchange
    Alias{"kRSA", {.key_exchanges = mask({Kx::Rsa})}},
    Alias{"kEDH", {.key_exchanges = mask({Kx::Dhe})}},
    Alias{"kDHE", {.key_exchanges = mask({Kx::Dhe})}},
    Alias{"DH", {.key_exchanges = mask({Kx::Dhe})}},
    Alias{"kEECDH", {.key_exchanges = mask({Kx::Ecdhe})}},
    Alias{"kECDHE", {.key_exchanges = mask({Kx::Ecdhe})}},
    Alias{"ECDH", {.key_exchanges = mask({Kx::Ecdhe})}},
    Alias{"kPSK", {.key_exchanges = mask({Kx::Psk})}},
    Alias{"kRSAPSK", {.key_exchanges = mask({Kx::RsaPsk})}},
    Alias{"kECDHEPSK", {.key_exchanges = mask({Kx::EcdhePsk})}},
    Alias{"kDHEPSK", {.key_exchanges = mask({Kx::DhePsk})}},
    Alias{"kSRP", {.key_exchanges = mask({Kx::Srp})}},
    Alias{"kGOST", {.key_exchanges = mask({Kx::Gost})}},
    Alias{"kGOST18", {.key_exchanges = mask({Kx::Gost})}},
    // authentication
    Alias{"aRSA", {.authentications = mask({Au::Rsa})}},
    Alias{"aDSS", {.authentications = mask({Au::Dss})}},
    Alias{"DSS", {.authentications = mask({Au::Dss})}},
    Alias{"aNULL", {.authentications = mask({Au::Null})}},
    Alias{"aECDSA", {.authentications = mask({Au::Ecdsa})}},
    Alias{"ECDSA", {.authentications = mask({Au::Ecdsa})}},
    Alias{"aPSK", {.authentications = mask({Au::Psk})}},
    Alias{"aGOST01", {.authentications = mask({Au::Gost})}},
    Alias{"aGOST12", {.authentications = mask({Au::Gost})}},
    Alias{"aGOST", {.authentications = mask({Au::Gost})}},
    Alias{"aSRP", {.authentications = mask({Au::Srp})}},
    // both
    Alias{"EDH", {.key_exchanges = mask({Kx::Dhe}), .authentications = not_anonymous}},
    Alias{"DHE", {.key_exchanges = mask({Kx::Dhe}), .authentications = not_anonymous}},
    Alias{"EECDH", {.key_exchanges = mask({Kx::Ecdhe}), .authentications = not_anonymous}},
    Alias{"ECDHE", {.key_exchanges = mask({Kx::Ecdhe}), .authentications = not_anonymous}},
    Alias{"NULL", {.encryptions = both_lengths({Enc::Null})}},
    Alias{"RSA", {.key_exchanges = mask({Kx::Rsa}), .authentications = mask({Au::Rsa})}},
    Alias{"ADH", {.key_exchanges = mask({Kx::Dhe}), .authentications = mask({Au::Null})}},
    Alias{"AECDH", {.key_exchanges = mask({Kx::Ecdhe}), .authentications = mask({Au::Null})}},
    Alias{"PSK", {.key_exchanges = any_psk}},
    Alias{"SRP", {.key_exchanges = mask({Kx::Srp})}},
    // encryption
    Alias{"3DES", {.encryptions = both_lengths({Enc::TripleDes})}},
    Alias{"RC4", {.encryptions = both_lengths({Enc::Rc4})}},
    Alias{"RC2", {.encryptions = both_lengths({Enc::Rc2})}},
    Alias{"IDEA", {.encryptions = both_lengths({Enc::Idea})}},
    Alias{"SEED", {.encryptions = both_lengths({Enc::SeedCbc})}},
    Alias{"eNULL", {.encryptions = both_lengths({Enc::Null})}},
    Alias{"GOST89", {.encryptions = both_lengths({Enc::Gost})}},
    Alias{"AES128", {.encryptions = of_length(aes, 128)}},
    Alias{"AES256", {.encryptions = of_length(aes, 256)}},
    Alias{"AES", {.encryptions = both_lengths(aes)}},
    Alias{"AESGCM", {.encryptions = both_lengths({Enc::AesGcm})}},
    Alias{"AESCCM", {.encryptions = both_lengths({Enc::AesCcm, Enc::AesCcm8})}},
    Alias{"AESCCM8", {.encryptions = both_lengths({Enc::AesCcm8})}},
    Alias{"CAMELLIA128", {.encryptions = of_length({Enc::CamelliaCbc}, 128)}},
    Alias{"CAMELLIA256", {.encryptions = of_length({Enc::CamelliaCbc}, 256)}},
    Alias{"CAMELLIA", {.encryptions = both_lengths({Enc::CamelliaCbc})}},
    Alias{"CHACHA20", {.encryptions = both_lengths({Enc::Chacha20})}},
    Alias{"ARIA", {.encryptions = both_lengths({Enc::AriaGcm})}},
    Alias{"ARIAGCM", {.encryptions = both_lengths({Enc::AriaGcm})}},
    Alias{"ARIA128", {.encryptions = of_length({Enc::AriaGcm}, 128)}},
    Alias{"ARIA256", {.encryptions = of_length({Enc::AriaGcm}, 256)}},
    Alias{"CBC",
          {.encryptions = both_lengths(
               {Enc::AesCbc, Enc::CamelliaCbc, Enc::SeedCbc, Enc::TripleDes, Enc::Des, Enc::Idea, Enc::Rc2})}},
    // MAC
    Alias{"MD5", {.macs = mask({Mac::Md5})}},
    Alias{"SHA1", {.macs = mask({Mac::Sha1})}},
    Alias{"SHA", {.macs = mask({Mac::Sha1})}},
    Alias{"GOST94", {.macs = mask({Mac::Gost})}},
    Alias{"GOST89MAC", {.macs = mask({Mac::Gost})}},
    Alias{"GOST12", {.macs = mask({Mac::Gost})}},
    Alias{"SHA256", {.macs = mask({Mac::Sha256})}},
    Alias{"SHA384", {.macs = mask({Mac::Sha384})}},
    // the version a suite came with
    Alias{"SSLv3", {.version = FirstVersion::Ssl3}},
    Alias{"TLSv1", {.version = FirstVersion::Tls10}},
    Alias{"TLSv1.0", {.version = FirstVersion::Tls10}},
    Alias{"TLSv1.2", {.version = FirstVersion::Tls12}},
    // strength
    Alias{"LOW", {.strengths = StrengthLow}},
    Alias{"MEDIUM", {.strengths = StrengthMedium}},
    Alias{"HIGH", {.strengths = StrengthHigh}},
    Alias{"FIPS", {.strengths = StrengthFips}},
};

std::uint32_t strength_of(const Suite& suite) {
  switch (suite.encryption) {
    case Enc::Null:
      return StrengthNone;
    case Enc::Des:
      return StrengthLow;
    case Enc::Rc2:
    case Enc::Rc4:
      return suite.bits < 128 ? StrengthLow : StrengthMedium;
    case Enc::TripleDes:
    case Enc::Idea:
    case Enc::SeedCbc:
      return StrengthMedium;
    case Enc::AesCbc:
    case Enc::AesGcm:
    case Enc::AesCcm:
    case Enc::AesCcm8:
      return StrengthHigh | StrengthFips;
    case Enc::CamelliaCbc:
    case Enc::AriaGcm:
    case Enc::Chacha20:
    case Enc::Gost:
    case Enc::Sm4:
      return StrengthHigh;
  }
  return StrengthNone;
}

// What DEFAULT leaves out (SSL_NOT_DEFAULT): old and anonymous suites, and those that few ever used.
bool outside_default(const Suite& suite) {
  const bool usual =
      suite.encryption == Enc::AesCbc || suite.encryption == Enc::AesGcm || suite.encryption == Enc::Chacha20;
  return !usual || suite.authentication == Au::Null || suite.authentication == Au::Dss;
}

// Masks of both; 0 in one of them means that it asks nothing. False when both ask and nothing is common.
template <class M>
bool narrow_mask(M& mine, M other) {
  if (other == 0) return true;
  mine = mine == 0 ? other : mine & other;
  return mine != 0;
}

}  // namespace

bool CipherMatch::matches(const Suite& suite) const {
  const auto in = [](std::uint64_t set, std::uint64_t bit) { return set == 0 || (set & bit) != 0; };
  return (number == 0 || number == suite.number) &&
         in(key_exchanges, 1U << static_cast<unsigned>(suite.key_exchange)) &&
         in(authentications, 1U << static_cast<unsigned>(suite.authentication)) &&
         in(encryptions, encryption_bit(suite.encryption, suite.bits)) &&
         in(macs, 1U << static_cast<unsigned>(suite.mac)) && in(strengths, strength_of(suite)) &&
         (!version || *version == suite.first_version) && (!complement_of_default || outside_default(suite));
}

bool CipherMatch::narrow(const CipherMatch& other) {
  if (other.number != 0) number = other.number;
  if (other.version && version && *version != *other.version) return false;
  if (other.version) version = other.version;
  complement_of_default = complement_of_default || other.complement_of_default;
  return narrow_mask(key_exchanges, other.key_exchanges) && narrow_mask(authentications, other.authentications) &&
         narrow_mask(encryptions, other.encryptions) && narrow_mask(macs, other.macs) &&
         narrow_mask(strengths, other.strengths);
}

std::optional<CipherMatch> cipher_word(std::string_view word) {
  const auto* alias = std::ranges::find(aliases, word, &Alias::word);
  if (alias != aliases.end()) return alias->match;
  const auto all = suites();
  const auto suite = std::ranges::find_if(all, [word](const Suite& s) { return s.openssl == word || s.iana == word; });
  if (suite == all.end() || suite->first_version == FirstVersion::Tls13) return std::nullopt;
  CipherMatch match;
  match.number = suite->number;
  return match;
}

}  // namespace tls::config
