// SPDX-License-Identifier: Apache-2.0
#include "config/ciphers/signatures.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "config/words.hpp"

namespace tls::config {
namespace {

constexpr std::array schemes = {
    SignatureScheme{0x0403, "ecdsa_secp256r1_sha256", "ECDSA+SHA256", true, true},
    SignatureScheme{0x0503, "ecdsa_secp384r1_sha384", "ECDSA+SHA384", true, true},
    SignatureScheme{0x0603, "ecdsa_secp521r1_sha512", "ECDSA+SHA512", true, true},
    SignatureScheme{0x0807, "ed25519", "", true, true},
    SignatureScheme{0x0804, "rsa_pss_rsae_sha256", "RSA-PSS+SHA256", true, true},
    SignatureScheme{0x0805, "rsa_pss_rsae_sha384", "RSA-PSS+SHA384", true, true},
    SignatureScheme{0x0806, "rsa_pss_rsae_sha512", "RSA-PSS+SHA512", true, true},
    SignatureScheme{0x0401, "rsa_pkcs1_sha256", "RSA+SHA256", true, false},
    SignatureScheme{0x0501, "rsa_pkcs1_sha384", "RSA+SHA384", true, false},
    SignatureScheme{0x0601, "rsa_pkcs1_sha512", "RSA+SHA512", true, false},
    SignatureScheme{0x0808, "ed448", "", false, true},
    SignatureScheme{0x0809, "rsa_pss_pss_sha256", "", true, true},
    SignatureScheme{0x080A, "rsa_pss_pss_sha384", "", true, true},
    SignatureScheme{0x080B, "rsa_pss_pss_sha512", "", true, true},
    SignatureScheme{0x081A, "ecdsa_brainpoolP256r1tls13_sha256", "", false, true},
    SignatureScheme{0x081B, "ecdsa_brainpoolP384r1tls13_sha384", "", false, true},
    SignatureScheme{0x081C, "ecdsa_brainpoolP512r1tls13_sha512", "", false, true},
    SignatureScheme{0x0904, "mldsa44", "", true, true},
    SignatureScheme{0x0905, "mldsa65", "", true, true},
    SignatureScheme{0x0906, "mldsa87", "", true, true},
    SignatureScheme{0x0203, "ecdsa_sha1", "ECDSA+SHA1", false, false},
    SignatureScheme{0x0303, "ecdsa_sha224", "ECDSA+SHA224", false, false},
    SignatureScheme{0x0201, "rsa_pkcs1_sha1", "RSA+SHA1", false, false},
    SignatureScheme{0x0301, "rsa_pkcs1_sha224", "RSA+SHA224", false, false},
    SignatureScheme{0x0202, "dsa_sha1", "DSA+SHA1", false, false},
    SignatureScheme{0x0302, "dsa_sha224", "DSA+SHA224", false, false},
    SignatureScheme{0x0402, "dsa_sha256", "DSA+SHA256", false, false},
    SignatureScheme{0x0502, "dsa_sha384", "DSA+SHA384", false, false},
    SignatureScheme{0x0602, "dsa_sha512", "DSA+SHA512", false, false},
};

}  // namespace

const SignatureScheme* signature_scheme(std::uint16_t number) {
  const auto* found = std::ranges::find(schemes, number, &SignatureScheme::number);
  return found == schemes.end() ? nullptr : found;
}

const SignatureScheme* find_signature_scheme(std::string_view name) {
  // OpenSSL takes "PSS" for "RSA-PSS"; both mean keys of the common kind.
  constexpr std::string_view pss = "PSS+";
  const std::string spelt = starts_with_word(name, pss) ? "RSA-" + std::string(name) : std::string(name);
  const auto* found = std::ranges::find_if(schemes, [&](const SignatureScheme& s) {
    return same_word(s.name, spelt) || (!s.pair.empty() && same_word(s.pair, spelt));
  });
  return found == schemes.end() ? nullptr : found;
}

std::string nearest_signature_scheme(std::string_view name) {
  std::vector<std::string_view> names;
  for (const SignatureScheme& s : schemes) {
    if (!s.supported) continue;
    names.push_back(s.name);
    if (!s.pair.empty()) names.push_back(s.pair);
  }
  return std::string(nearest(name, names));
}

std::string no_signature_scheme(std::string_view list) {
  return "none of the signature algorithms in " + quoted(list) +
         " exists here; there are ECDSA, RSA-PSS and RSA with SHA256, SHA384 and SHA512, ed25519, "
         "rsa_pss_pss_sha256 (-384, -512), mldsa44, mldsa65 and mldsa87";
}

std::string signature_names(const SchemeList& list) {
  std::string out;
  for (const std::uint16_t number : list) {
    const SignatureScheme* known = signature_scheme(number);
    out += (out.empty() ? "" : ":") + std::string(known != nullptr ? known->name : "?");
  }
  return out;
}

bool any_in_tls13(const SchemeList& list) {
  return std::ranges::any_of(list, [](std::uint16_t number) {
    const SignatureScheme* known = signature_scheme(number);
    return known != nullptr && known->in_tls13;
  });
}

}  // namespace tls::config
