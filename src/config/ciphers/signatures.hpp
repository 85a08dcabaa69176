// SPDX-License-Identifier: Apache-2.0
// Signature schemes by number and name, and which of them sign and verify here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/settings.hpp"

namespace tls::config {

// IANA "TLS SignatureScheme".
struct SignatureScheme {
  std::uint16_t number;
  std::string_view name;  // as RFC 8446 writes it
  std::string_view pair;  // as OpenSSL writes it (SSL_CONF_cmd, SignatureAlgorithms); empty: as the RFC does
  bool supported;
  bool in_tls13;  // signs handshakes of TLS 1.3; all of them do those of TLS 1.2
};

// The scheme with this number; nullptr for an unknown one.
const SignatureScheme* signature_scheme(std::uint16_t number);

// The scheme that goes by `name`, in OpenSSL's way or the RFC's, case ignored; nullptr if none does.
const SignatureScheme* find_signature_scheme(std::string_view name);

// The nearest name, for "did you mean": empty when nothing is near.
std::string nearest_signature_scheme(std::string_view name);

// Why a list of which nothing exists here is refused.
std::string no_signature_scheme(std::string_view list);

// "ecdsa_secp256r1_sha256:ed25519"
std::string signature_names(const SchemeList& list);

// Whether one of the schemes signs handshakes of TLS 1.3.
bool any_in_tls13(const SchemeList& list);

}  // namespace tls::config
