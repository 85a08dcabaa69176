// SPDX-License-Identifier: Apache-2.0
// What can be configured, one struct per scope. A new setting is one member here and one row in a table of directives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/listener.hpp"
#include "config/network.hpp"
#include "config/setting.hpp"

namespace tls::config {

// Which vocabulary a virtual host is written in; its defaults and some of its manners differ.
enum class Vocabulary : std::uint8_t { Tls, Ssl };

// One certificate file with its key file; an empty `key` means that the key is in the certificate file.
struct CertificateFiles {
  std::string certificate;
  std::string key;
  Source where;
  Source key_where = {};  // of a directive of its own
};

// Which protocol versions may be negotiated.
struct Versions {
  bool tls12 = true;
  bool tls13 = true;
  friend bool operator==(const Versions&, const Versions&) = default;
};

// Switches of TLSOptions and SSLOptions: those that were named, and which of them are on.
enum class Option : std::uint8_t {
  StdEnvVars = 1,
  ExportCertData = 2,
  FakeBasicAuth = 4,
  StrictRequire = 8,
  OptRenegotiate = 16,
  LegacyDnStringFormat = 32,
};
struct Options {
  std::uint8_t named = 0;
  std::uint8_t on = 0;

  [[nodiscard]] bool has(Option o) const { return (on & static_cast<std::uint8_t>(o)) != 0; }
  // What `add` does not name is as in `base`.
  static Options over(const Options& base, const Options& add) {
    return {static_cast<std::uint8_t>(base.named | add.named),
            static_cast<std::uint8_t>((base.on & ~add.named) | (add.on & add.named))};
  }
  friend bool operator==(const Options&, const Options&) = default;
};

// Session tickets: whether they are given out, and the file with a secret that several machines make their keys of.
struct Tickets {
  std::optional<bool> on;
  std::string secret;            // path; empty: keys are made at random and known to this server only
  std::uint32_t interval_s = 0;  // how long one key made of the secret is the newest; 0: the default
  Source secret_written{};

  // What `add` does not say is as in `base`.
  static Tickets over(const Tickets& base, const Tickets& add) {
    Tickets both = add.secret.empty() ? base : add;
    both.on = add.on ? add.on : base.on;
    return both;
  }
  friend bool operator==(const Tickets&, const Tickets&) = default;
};

// How long a session can be resumed, in seconds.
struct Lifetimes {
  std::uint32_t tls13_s = 0;
  std::uint32_t tls12_s = 0;
  friend bool operator==(const Lifetimes&, const Lifetimes&) = default;
};

// One of httpd's socache providers and its arguments; an empty provider is no cache.
struct SessionCacheName {
  std::string provider;
  std::string arguments;
  friend bool operator==(const SessionCacheName&, const SessionCacheName&) = default;
};

using SuiteList = std::vector<std::uint16_t>;
using GroupList = std::vector<std::uint16_t>;
using SchemeList = std::vector<std::uint16_t>;  // signature schemes; empty: all there are

// A file or directory that a directive names, as an absolute path, and where.
struct PathAt {
  std::string path;
  Source where;
};

// What a connection asks of client certificates. OptionalNoCa: any certificate will do, and its verdict is reported.
enum class VerifyClient : std::uint8_t { None, Optional, Require, OptionalNoCa };

// How much of a path revocation lists are asked about, and whether a missing list is no fault.
struct RevocationCheck {
  enum class Depth : std::uint8_t { None, Leaf, Chain };
  Depth depth = Depth::None;
  bool no_crl_ok = false;
  friend bool operator==(const RevocationCheck&, const RevocationCheck&) = default;
};

// Revocation lists that are fetched: from where certificates of authorities say, and from `urls`.
struct ListFetch {
  bool on = false;
  bool allow = false;  // certificates that no list is about pass while one of them cannot be had
  std::vector<std::string> urls;
  friend bool operator==(const ListFetch&, const ListFetch&) = default;
};

// Which certificates of a client's path OCSP responders are asked about, and what passes without a good answer.
struct OcspCheck {
  enum class Depth : std::uint8_t { None, Leaf, Chain };
  Depth depth = Depth::None;
  bool no_responder_ok = false;  // certificates that name no responder, where none is configured
  bool soft = false;             // those whose responder gives no answer
  friend bool operator==(const OcspCheck&, const OcspCheck&) = default;
};

// Whether requests carry the client's certificate in fields of RFC 9440 to whoever answers them, and those behind it.
enum class ClientCertHeader : std::uint8_t { Off, On, Chain };

// What becomes of groups whose secrets a quantum computer does not find: they come first, they alone will do, or there
// are none. Where nothing is written the list of groups says it.
enum class PostQuantum : std::uint8_t { Prefer, Require, Off };

// How far the virtual host that SNI chose and the one that Host names may differ (SSLVHostSNIPolicy).
enum class SniPolicy : std::uint8_t { Strict, Secure, AuthOnly, Insecure };

// What a virtual host without a usable certificate does: none starts, it is served under a placeholder, or its requests
// are answered 503.
enum class Fallback : std::uint8_t { Off, SelfSigned, Unavailable };

// Who is asked for the pass phrase of an encrypted key.
struct PassPhraseDialog {
  enum class Kind : std::uint8_t { Builtin, Pipe, Exec, File };
  Kind kind = Kind::Builtin;
  std::string command;
};

// Expressions of SSLRequire, outermost section first: all must be true.
struct Requirement {
  std::string expression;
  const void* compiled = nullptr;  // httpd's ap_expr_info_t, in the pool of the configuration
  Source where;
};
struct Requirements {
  std::vector<Requirement> all;

  static Requirements over(const Requirements& base, const Requirements& add) {
    Requirements both = base;
    both.all.insert(both.all.end(), add.all.begin(), add.all.end());
    return both;
  }
};

// How finely metrics are told apart.
enum class MetricsDetail : std::uint8_t { Totals, Hosts };

// Whether, how often and how much of the files a configuration names is read again without a restart.
struct Reload {
  std::uint32_t interval_s = 0;  // 0: never
  bool authorities_too = false;  // also client-CA files, which make a new policy
  friend bool operator==(const Reload&, const Reload&) = default;
};

// Handshakes at most: of an address, of a process, of the server; 0: as many as come.
struct HandshakeLimits {
  std::uint32_t address = 0;
  std::uint32_t child = 0;
  std::uint32_t server = 0;
  friend bool operator==(const HandshakeLimits&, const HandshakeLimits&) = default;
};

// The name that everybody sees of connections whose hello is encrypted, and where its keys are kept; empty: none.
struct EchName {
  std::string name;
  std::string directory;
  friend bool operator==(const EchName&, const EchName&) = default;
};

// The global scope and virtual hosts.
struct ServerSettings {
  Setting<std::vector<Listener>> listeners;
  Setting<bool> engine;

  Setting<std::vector<CertificateFiles>> certificates;
  Setting<std::vector<PathAt>> key_files;  // of SSLCertificateKeyFile: the first belongs to the first certificate
  Setting<PathAt> chain_file;
  Setting<PassPhraseDialog> pass_phrase_dialog;

  Setting<Versions> versions;
  Setting<std::uint16_t> min_version;  // of SSLOpenSSLConfCmd; widens or narrows `versions`
  Setting<std::uint16_t> max_version;
  Setting<SuiteList> suites_preferred;
  Setting<SuiteList> suites_suppressed;
  Setting<SuiteList> suites12;  // of SSLCipherSuite: exactly these, in this order
  Setting<SuiteList> suites13;
  Setting<GroupList> groups;
  Setting<PostQuantum> post_quantum;
  Setting<SchemeList> signatures;         // what handshakes are signed with, and what clients may sign with
  Setting<SchemeList> client_signatures;  // what clients may sign with, where that is something else
  Setting<bool> honor_client_order;

  Setting<bool> strict_sni;
  Setting<bool> refuse_without_sni;  // of SSLStrictSNIVHostCheck: 403 in name-based virtual hosts
  Setting<SniPolicy> sni_policy;
  Setting<std::uint32_t> handshake_timeout_s;

  Setting<VerifyClient> verify_client;
  Setting<std::uint32_t> verify_depth;
  Setting<PathAt> ca_file;
  Setting<PathAt> ca_path;
  Setting<PathAt> ca_names_file;
  Setting<PathAt> ca_names_path;
  Setting<PathAt> crl_file;
  Setting<PathAt> crl_path;
  Setting<ListFetch> list_fetch;
  Setting<RevocationCheck> crl_check;
  Setting<bool> client_recheck;
  Setting<std::vector<Network>> trusted_proxies;

  Setting<OcspCheck> ocsp_check;
  Setting<std::string> ocsp_responder;
  Setting<bool> ocsp_override;  // it is asked about all certificates
  Setting<std::string> ocsp_proxy;
  Setting<PathAt> ocsp_responder_file;
  Setting<std::uint32_t> ocsp_timeout_s;
  Setting<std::uint32_t> ocsp_skew_s;
  Setting<std::int64_t> ocsp_max_age_s;  // -1: any
  Setting<bool> ocsp_nonce;
  Setting<bool> ocsp_no_verify;

  Setting<Tickets> tickets;
  Setting<std::uint32_t> ticket_count;
  Setting<Lifetimes> session_lifetime;
  Setting<SessionCacheName> session_cache;

  Setting<bool> compress_certificates;
  Setting<bool> stapling;
  Setting<std::string> staple_url;
  Setting<std::uint32_t> staple_timeout_s;
  Setting<std::uint32_t> staple_skew_s;
  Setting<std::int64_t> staple_max_age_s;  // -1: any
  Setting<std::uint32_t> staple_life_s;
  Setting<std::uint32_t> staple_retry_s;
  Setting<std::string> fetch_proxy;
  Setting<bool> fetch_local;
  Setting<Fallback> fallback;

  Setting<bool> key_isolation;
  Setting<Reload> reload;
  Setting<MetricsDetail> metrics;
  Setting<PathAt> key_log;                  // an empty path: none
  Setting<HandshakeLimits> handshake_rate;  // full ones a second
  Setting<HandshakeLimits> handshakes_under_way;

  Setting<EchName> ech_name;
  Setting<std::vector<PathAt>> ech_files;
  Setting<PathAt> ech_directory;  // of SSLECHKeyDir
  Setting<std::uint32_t> ech_padding;
};

// Directories, locations and .htaccess files; a server's own settings of this kind are the outermost directory's.
struct DirectorySettings {
  Setting<Options> options;
  Setting<bool> require_tls;
  Setting<std::string> user_name;  // the variable that names the user
  Setting<ClientCertHeader> client_cert_header;
  Setting<VerifyClient> verify_client;
  Setting<std::uint32_t> verify_depth;
  Setting<PathAt> ca_file;
  Setting<PathAt> ca_path;
  Setting<SuiteList> suites12;  // a connection of TLS 1.2 must have one of these suites
  Setting<SuiteList> suites13;  // a connection of TLS 1.3 one of these
  Setting<Requirements> requirements;
};

// Connections to backends: the global scope, virtual hosts and <Proxy> sections.
struct ProxySettings {
  Setting<bool> engine;
  Setting<Versions> versions;
  Setting<SuiteList> suites12;
  Setting<SuiteList> suites13;
  Setting<SuiteList> suites_preferred;
  Setting<SuiteList> suites_suppressed;
  Setting<GroupList> groups;
  Setting<PostQuantum> post_quantum;
  Setting<VerifyClient> verify;
  Setting<std::uint32_t> verify_depth;
  Setting<PathAt> ca_file;
  Setting<PathAt> ca_path;
  Setting<PathAt> crl_file;
  Setting<PathAt> crl_path;
  Setting<ListFetch> list_fetch;
  Setting<RevocationCheck> crl_check;
  Setting<PathAt> machine_certificate_file;
  Setting<PathAt> machine_certificate_path;
  Setting<PathAt> machine_certificate_chain;
  Setting<std::vector<CertificateFiles>> machine_pairs;
  Setting<bool> check_peer_expire;
  Setting<bool> check_peer_name;
  Setting<bool> check_peer_cn;
};

}  // namespace tls::config
