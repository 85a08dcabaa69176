// The effective policy of one virtual host: all defaults applied, no optionals.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/policy/listener.hpp"
#include "config/settings.hpp"

namespace tls::config {

// Which vocabulary a virtual host is written in; its defaults and some of its manners differ.
enum class Vocabulary : std::uint8_t { Tls, Ssl };

// What a TLS handshake of this virtual host may negotiate.
struct ProtocolPolicy {
  bool tls12 = true;
  bool tls13 = true;
  std::vector<std::uint16_t> suites;  // IANA numbers, most preferred first
  std::vector<std::uint16_t> groups;  // IANA numbers, most preferred first
  SchemeList signatures;              // what handshakes are signed with, most preferred first
  Source signatures_written;          // where the list stands
  bool honor_client_order = false;
};

// When connections of this virtual host speak TLS.
struct EngineRule {
  enum class Mode : std::uint8_t { Off, On, ByListener };
  Mode mode = Mode::Off;
  bool implied = false;                              // on because of the protocol of its listener
  const std::vector<Listener>* listeners = nullptr;  // where mode is ByListener; lives as long as the configuration

  // Whether a connection that arrives at `local` speaks TLS.
  [[nodiscard]] bool on_at(const Listener& local) const {
    return mode == Mode::On || (mode == Mode::ByListener && covers(*listeners, local));
  }
};

// How sessions of this virtual host are resumed.
struct ResumptionPolicy {
  bool tickets = true;
  std::uint32_t ticket_count = 2;
  Lifetimes lifetime{43'200, 3'600};
  bool lifetime_written = false;  // otherwise sessions are shorter where client certificates are asked for
  // For the whole server; every virtual host has the same.
  std::string secret;  // path of the secret that ticket keys are made of; empty: random keys
  Source secret_written;
  std::uint32_t secret_interval_s = 0;
  SessionCacheName cache;
  Source cache_written;
};

// What is asked of clients' certificates. Paths are absolute; empty ones are not configured.
struct ClientAuthPolicy {
  VerifyClient verify = VerifyClient::None;
  std::uint32_t depth = 1;
  std::string ca_file;
  std::string ca_path;
  std::string names_file;  // whose subjects are sent in the request instead of those of the authorities
  std::string names_path;
  std::string crl_file;
  std::string crl_path;
  RevocationCheck crl_check;
  SchemeList signatures;  // what clients may sign with, most wanted first
};

// What is asked of the key agent; for the whole server, every virtual host has the same.
struct AgentPolicy {
  bool isolation = true;
  Reload reload;
  bool reload_written = false;
};

struct EffectivePolicy {
  bool enabled = false;  // some connection of this virtual host may speak TLS; `engine` says which
  EngineRule engine;
  Vocabulary words = Vocabulary::Tls;
  ProtocolPolicy protocol;
  ResumptionPolicy resumption;
  ClientAuthPolicy client;
  bool strict_sni = true;           // an unknown name is answered by an alert
  bool refuse_without_sni = false;  // 403 for clients without SNI in name-based virtual hosts
  SniPolicy sni_policy = SniPolicy::Secure;
  std::uint32_t handshake_timeout_s = 20;
  std::vector<CertificateFiles> certificates;
  std::vector<std::string> spare_keys;  // key files beyond the certificates' number
  std::string chain_file;               // intermediates appended to every chain
  PassPhraseDialog pass_phrases;
  bool compress_certificates = false;
  bool stapling = false;  // OCSP responses from files beside the certificates; other modules' are always taken
  Fallback fallback = Fallback::Off;
  AgentPolicy agent;
};

// From settings of a server or virtual host with the defaults of their vocabulary beneath them.
// `addresses` are what the virtual host is written for; none means the main server, which gets what no other takes.
// `https`: httpd's protocol of the server is that (Listen, or Protocol), by which mod_ssl turns TLS on.
EffectivePolicy effective_policy(const ServerSettings& complete, Vocabulary words, std::span<const Listener> addresses,
                                 bool https);

// Which form of the host digest a virtual host's SniPolicy compares.
enum class HostDigest : std::uint8_t { Secure, AuthOnly };

// Canonical bytes of what must be equal for a connection made to one virtual host to serve another (421 otherwise):
// protocol, suites, names of certificate and key files and client authentication, or client authentication alone.
std::vector<std::uint8_t> encode_host(const EffectivePolicy& policy, HostDigest form);

// Canonical bytes of what the policy id covers (design section 3): equal settings give equal bytes on every machine.
std::vector<std::uint8_t> encode_policy(const EffectivePolicy& policy);

}  // namespace tls::config
