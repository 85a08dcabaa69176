// SPDX-License-Identifier: Apache-2.0
// Who may be a client: verifiers of client certificates, made of the CAs and revocation lists of the configuration.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mod_tls_bridge/src/lib.rs.h"
#include "server/credential_report.hpp"
#include "server/sections.hpp"

struct server_rec;

namespace tls::server {

// What one virtual host asks of clients.
struct HostClientAuth {
  // CAs of a section, and the verifier that judges by them.
  struct Authorities {
    std::string ca_file;
    std::string ca_path;
    const rs::ClientVerifier* verifier = nullptr;
  };

  const rs::ClientVerifier* handshake = nullptr;  // what the handshake asks; never nullptr once loaded
  bool asks = false;                              // the handshake asks for a certificate
  bool has_lists = false;                         // revocation lists are looked up
  bool rechecks = false;                          // each request looks whether the client is revoked by now
  bool has_sections = false;                      // some section has a word of its own, so that requests are judged
  std::vector<Authorities> authorities;           // the virtual host's own and those of its sections

  // The handshake's verdict is not the last word on a request.
  [[nodiscard]] bool judges_requests() const { return has_sections || rechecks; }

  // The verifier for these CAs; nullptr where none was loaded, as for those of an .htaccess file.
  [[nodiscard]] const rs::ClientVerifier* find(std::string_view ca_file, std::string_view ca_path) const;
};

// The verifiers of all virtual hosts. Equal ones are loaded once. Immutable once loaded, except that revocation lists
// are replaced whole.
class ClientVerifiers final {
 public:
  ClientVerifiers();

  // Reads the files of every host of `hosts` and logs what is wrong with them, or hands it to `print` where that is
  // given. False where the server must not start.
  [[nodiscard]] bool load(const std::vector<server_rec*>& hosts, const PrintProblem& print = {});

  // Whether there is anything that refresh() looks at.
  [[nodiscard]] bool changes(const config::Reload& reload) const;

  // Has files read that have changed, where `reload` says that children take them up, for what is to be ordered of the
  // process that fetches; whether there are any. Parent only.
  [[nodiscard]] bool foresee(const config::Reload& reload) const;

  // Has revocation lists read again whose files have changed, and CAs where `reload` says so; looks at those files only
  // that this process may read. Whether lists were replaced. For one thread of a process, which serves nobody
  // meanwhile.
  bool refresh(const config::Reload& reload) const;  // NOLINT(modernize-use-nodiscard): children do not ask

  // How OCSP responders are asked about clients; equal ones may be there twice.
  [[nodiscard]] rust::Vec<rs::FetchRule> ocsp_rules() const;

  // What `host` asks; valid as long as this object.
  [[nodiscard]] const HostClientAuth& of(const server_rec* host) const;

 private:
  struct Loaded {
    rust::Box<rs::ClientVerifier> verifier;
    bool fatal;
    bool has_lists;
    std::string files;  // of CAs
  };
  // Virtual hosts that a section makes ask for certificates.
  struct Asking {
    const server_rec* first;
    unsigned hosts;
  };
  void tell(const server_rec* host, const rs::VerifierProblem& problem);
  const Loaded& verifier(const rs::VerifierSpec& spec, const server_rec* host);
  bool load_host(const server_rec* host);
  void remember_places(const server_rec* host, const std::vector<ClientSection>& sections);
  void remember_asking(const server_rec* host, const std::vector<ClientSection>& sections);

  std::map<std::string, Loaded> verifiers_;  // by what they are made of
  std::unordered_map<const server_rec*, HostClientAuth> hosts_;
  std::map<std::pair<std::string, unsigned>, Asking> asking_;  // by file and line of the first such section
  std::set<std::string> told_;                                 // problems of files, each said once
  std::map<std::string, std::string> places_;                  // "file:line" that names a file or directory
  std::string asked_at_;  // "file:line" that asks clients of the virtual host at hand for certificates
  rust::Box<rs::ClientVerifier> nobody_;
  HostClientAuth none_;
  PrintProblem print_;  // instead of the log; may be empty
};

}  // namespace tls::server
