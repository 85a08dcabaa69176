// What can be configured, one struct per scope. A new setting is one member here and one row in a table of directives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/listener.hpp"
#include "config/setting.hpp"

namespace tls::config {

// One certificate file with its key file; an empty `key` means that the key is in the certificate file.
struct CertificateFiles {
  std::string certificate;
  std::string key;
  Source where;
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

// The global scope and virtual hosts.
struct ServerSettings {
  Setting<std::vector<Listener>> listeners;
  Setting<bool> engine;
  Setting<std::vector<CertificateFiles>> certificates;
  Setting<Versions> versions;
  Setting<SuiteList> suites_preferred;
  Setting<SuiteList> suites_suppressed;
  Setting<GroupList> groups;
  Setting<bool> honor_client_order;
  Setting<bool> strict_sni;
  Setting<std::uint32_t> handshake_timeout_s;
  Setting<Tickets> tickets;
  Setting<std::uint32_t> ticket_count;
  Setting<Lifetimes> session_lifetime;
  Setting<SessionCacheName> session_cache;
};

// Directories, locations and .htaccess files; a server's own settings of this kind are the outermost directory's.
struct DirectorySettings {
  Setting<Options> options;
};

}  // namespace tls::config
