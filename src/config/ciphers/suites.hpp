// SPDX-License-Identifier: Apache-2.0
// TLS cipher suites and key exchange groups by number and by every name they go by.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tls::config {

enum class FirstVersion : std::uint8_t { Ssl3, Tls10, Tls12, Tls13 };
enum class KeyExchange : std::uint8_t {
  Any,
  Rsa,
  Dh,
  Dhe,
  Ecdh,
  Ecdhe,
  Psk,
  RsaPsk,
  DhePsk,
  EcdhePsk,
  Srp,
  Krb5,
  Gost
};
enum class Authentication : std::uint8_t { Any, Rsa, Dss, Ecdsa, Null, Psk, Srp, Dh, Ecdh, Krb5, Gost };
enum class Encryption : std::uint8_t {
  Null,
  Rc2,
  Rc4,
  Des,
  TripleDes,
  Idea,
  SeedCbc,
  AesCbc,
  CamelliaCbc,
  AesGcm,
  AesCcm,
  AesCcm8,
  AriaGcm,
  Chacha20,
  Gost,
  Sm4
};
enum class Mac : std::uint8_t { Md5, Sha1, Sha256, Sha384, Aead, Gost };

struct Suite {
  std::uint16_t number;
  std::string_view iana;
  std::string_view openssl;
  FirstVersion first_version;
  KeyExchange key_exchange;
  Authentication authentication;
  Encryption encryption;
  std::uint16_t bits;
  Mac mac;
};

struct Group {
  std::uint16_t number;
  std::string_view name;  // as TLSGroups and SSL_GROUP write it
  std::string_view also;  // the other name in use; empty: none
  bool supported;
};

// All suites with a name, by ascending number.
std::span<const Suite> suites();

// The suites that can be negotiated, in the order of the TLS* default: AES-128 before AES-256, because its handshake
// hash and its records cost less and no attack tells them apart; ChaCha20 last, raised only for clients that lead with
// it.
std::span<const std::uint16_t> supported_suites();

// The same suites in OpenSSL's default order, which configurations in SSL* words rely on.
std::span<const std::uint16_t> openssl_order();

// The suite with this number; nullptr for an unknown one.
const Suite* suite(std::uint16_t number);

// The suite that goes by `name`: IANA, OpenSSL or hexadecimal ("0xC02B", "C0,2B"), case ignored; nullptr if none does.
const Suite* find_suite(std::string_view name);

// Whether the suite is one that this module negotiates.
bool is_supported(const Suite& suite);

// All groups with a name, and the order of preference of the TLS* default.
std::span<const Group> groups();
std::span<const std::uint16_t> default_groups();
const Group* group(std::uint16_t number);

// Whether a quantum computer does not find what was agreed on by this group.
bool is_post_quantum(std::uint16_t group);

// The hybrid groups there are, most preferred first.
std::span<const std::uint16_t> hybrid_groups();

const Group* find_group(std::string_view name);

// The nearest names, for "did you mean": empty when nothing is near.
std::string nearest_suite(std::string_view name);
std::string nearest_group(std::string_view name);

}  // namespace tls::config
