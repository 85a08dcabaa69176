// SPDX-License-Identifier: Apache-2.0
// The effective policy of one virtual host: all defaults applied, no optionals.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/listener.hpp"
#include "config/policy/negotiated.hpp"
#include "config/settings.hpp"

namespace tls::config {

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

// Where sessions are kept; for the whole server, every virtual host has the same.
struct ResumptionPolicy {
  std::string secret;  // path of the secret that ticket keys are made of; empty: random keys
  Source secret_written;
  std::uint32_t secret_interval_s = 0;
  SessionCacheName cache;
  Source cache_written;
};

// Which OCSP responders are asked about clients' certificates, and how their answers are judged.
struct OcspPolicy {
  OcspCheck check;
  std::string responder;        // for certificates that name none; empty: there is none
  bool override_named = false;  // it is asked about all certificates
  std::string proxy;            // empty: none
  std::string responder_file;   // certificates that answers may be signed with, whoever issued them
  std::uint32_t timeout_s = 10;
  std::uint32_t skew_s = 300;
  std::int64_t max_age_s = -1;  // -1: any
  bool nonce = true;
  bool verify = true;
};

// OCSP responses about the virtual host's own certificates.
struct StaplingPolicy {
  bool on = false;    // from files and responders; other modules' are always taken
  std::string url;    // of the responder that is asked whatever certificates name; empty: theirs
  std::string proxy;  // empty: none
  std::uint32_t timeout_s = 10;
  std::uint32_t skew_s = 300;
  std::int64_t max_age_s = -1;  // -1: any
  std::uint32_t life_s = 3600;  // after which a response is fetched anew
  std::uint32_t retry_s = 600;  // after which a responder that failed is asked again
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
  ListFetch list_fetch;
  std::string list_proxy;  // by which they are fetched; empty for none
  RevocationCheck crl_check;
  bool recheck = false;  // each request looks whether the client has been revoked since its handshake
  OcspPolicy ocsp;
  SchemeList signatures;                 // what clients may sign with, most wanted first
  std::vector<Network> trusted_proxies;  // whose word about a client is taken, once it has been judged
};

// What is asked of the key agent; for the whole server, every virtual host has the same.
struct AgentPolicy {
  bool isolation = true;
  Reload reload;
  bool reload_written = false;
};

// Keys of Encrypted ClientHello; for the whole server, every virtual host has the same.
struct EchPolicy {
  std::string public_name;
  std::string state_directory;
  std::vector<std::string> files;
  std::string directory;
  std::uint32_t padding = 1024;
  Source written;  // the first line that asks for any
};

struct EffectivePolicy {
  bool enabled = false;  // some connection of this virtual host may speak TLS; `engine` says which
  EngineRule engine;
  Vocabulary words = Vocabulary::Tls;
  Negotiated negotiated;
  Source signatures_written;  // where the list of signature algorithms stands
  ResumptionPolicy resumption;
  ClientAuthPolicy client;
  std::vector<CertificateFiles> certificates;
  std::vector<PathAt> spare_keys;  // key files beyond the certificates' number
  StaplingPolicy stapling;
  AgentPolicy agent;
  EchPolicy ech;
#define TLS_HOST(type, member, initial, ...) type member = initial;
#include "config/policy/host.def"
#undef TLS_HOST
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

// Canonical bytes of what the policy id covers, besides the contents of the CA files: the members of Negotiated, as
// Rust reads them, and what clients are judged by. Equal settings give equal bytes on every machine.
std::vector<std::uint8_t> encode_policy(const EffectivePolicy& policy);

}  // namespace tls::config
