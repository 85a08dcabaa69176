// The effective policy of one virtual host: all defaults applied, no optionals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tls::config {

// Which vocabulary a virtual host is written in; its defaults and some of its manners differ.
enum class Vocabulary : std::uint8_t { Tls, Ssl };

// Where a setting was written. `file` is owned by the configuration pool.
struct Source {
  const char* file = nullptr;
  unsigned line = 0;
};

// One certificate file with its key file; an empty `key` means that the key is in the certificate file.
struct CertificateFiles {
  std::string certificate;
  std::string key;
  Source where;
};

// What a TLS handshake of this virtual host may negotiate.
struct ProtocolPolicy {
  bool tls12 = true;
  bool tls13 = true;
  std::vector<std::uint16_t> suites;  // IANA numbers, most preferred first
  std::vector<std::uint16_t> groups;  // IANA numbers, most preferred first
  bool honor_client_order = true;
};

struct EffectivePolicy {
  bool enabled = false;
  Vocabulary words = Vocabulary::Tls;
  ProtocolPolicy protocol;
  bool strict_sni = true;
  std::uint32_t handshake_timeout_s = 20;
  std::vector<CertificateFiles> certificates;
};

// Canonical bytes of what the policy id covers (design section 3): equal settings give equal bytes on every machine.
std::vector<std::uint8_t> encode_policy(const EffectivePolicy& policy);

}  // namespace tls::config
