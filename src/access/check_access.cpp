// SPDX-License-Identifier: Apache-2.0
// What the sections of a request demand of its connection. There is no renegotiation: a demand that the handshake did
// not meet is refused, never waived.
#include <ap_expr.h>
#include <apr_strings.h>

#include <algorithm>
#include <string>

#include "access/access.hpp"
#include "config/ciphers/suites.hpp"
#include "facts/certificates.hpp"
#include "facts/facts.hpp"
#include "facts/forwarded.hpp"
#include "facts/request_facts.hpp"
#include "log/log.hpp"
#include "server/engine.hpp"
#include "server/host_label.hpp"
#include "server/module_config.hpp"
#include "server/policies.hpp"

namespace tls::access {
namespace {

using config::DirectorySettings;
using config::VerifyClient;
using facts::Facts;

const char* target(const request_rec* r) { return r->filename != nullptr ? r->filename : r->uri; }

int forbid(request_rec* r) {
  apr_table_setn(r->notes, forbidden_note, "1");
  return HTTP_FORBIDDEN;
}

// Per-directory SSLCipherSuite: the connection's suite must be one of those of its version.
bool suite_allowed(request_rec* r, const DirectorySettings& section, const facts::SessionFacts& facts) {
  const auto& allowed = facts.version == 0x0303 ? section.suites12 : section.suites13;
  if (!allowed || std::ranges::find(*allowed, facts.suite) != allowed->end()) return true;
  const config::Suite* suite = config::suite(facts.suite);
  const char* name = suite == nullptr ? "?" : apr_pstrmemdup(r->pool, suite->openssl.data(), suite->openssl.size());
  TLS_LOG_R(r, AccessSuite, target(r), name);
  return false;
}

// The verdict is that of the request's own section; what is left is to say why.
bool certificate_accepted(request_rec* r, const Facts& facts, const facts::Demand& demand,
                          const server::HostClientAuth& clients) {
  if (facts.verify != facts::Verify::Failed) return true;
  if (clients.find(demand.ca_file, demand.ca_path) == nullptr) {
    TLS_LOG_R(r, AccessUnknownAuthorities, target(r), server::host_label(r->server).c_str());
    return false;
  }
  // Nothing more is to come over the connection of somebody who is not let in any more. A proxy's carries others too.
  if (clients.rechecks && facts::client_fields(r).client == nullptr) r->connection->keepalive = AP_CONN_CLOSE;
  const char* reason = apr_pstrmemdup(r->pool, facts.verify_reason.data(), facts.verify_reason.size());
  if (server::effective(r->server).words == config::Vocabulary::Ssl) {
    TLS_LOG_R(r, CertificateRefused, facts.verify_number, reason);
  }
  const char* advice = "";
  if (!facts.verify_advice.empty()) {
    advice = apr_pstrcat(r->pool, ". ", std::string(facts.verify_advice).c_str(), nullptr);
  }
  TLS_LOG_R(r, AccessCertificate, target(r), reason, facts::who(r->pool, facts), advice);
  return false;
}

bool client_allowed(request_rec* r, const DirectorySettings& section, const Facts& facts) {
  const server::Engine* engine = server::engine();
  const server::Host* host = engine != nullptr ? engine->host(r->server) : nullptr;
  const server::Host* made = engine != nullptr ? engine->host(facts.host) : nullptr;
  if (host == nullptr || made == nullptr) {
    return !section.verify_client || *section.verify_client == VerifyClient::None;
  }
  if (facts::is_settled(r, facts, *host->clients)) return true;
  const facts::Demand demand = facts::demand_of(r);
  if (demand.verify == VerifyClient::None) return true;
  if (facts::client_certificates(facts) > 0) return certificate_accepted(r, facts, demand, *host->clients);
  if (demand.verify != VerifyClient::Require) return true;
  if (server::effective(r->server).words == config::Vocabulary::Ssl) TLS_LOG_R(r, CannotAskNow);
  if (made->clients->asks) {
    TLS_LOG_R(r, AccessNoCertificate, target(r));
  } else {
    TLS_LOG_R(r, AccessNotAsked, target(r), server::host_label(r->server).c_str());
  }
  return false;
}

bool requirements_met(request_rec* r, const config::Requirements& requirements) {
  for (const config::Requirement& requirement : requirements.all) {
    const char* error = nullptr;
    const auto* expression = static_cast<const ap_expr_info_t*>(requirement.compiled);
    const int met = ap_expr_exec(r, expression, &error);
    if (met > 0) continue;
    if (met < 0) {
      TLS_LOG_R(r, AccessExpression, target(r), error);
    } else {
      TLS_LOG_R(r, AccessRequirement, target(r), requirement.expression.c_str());
    }
    return false;
  }
  return true;
}

}  // namespace

int check_access(request_rec* r) {
  const DirectorySettings& section = server::directory_settings(r);
  take_fake_back(r);
  if (refuse_typed_subject(r)) return forbid(r);
  const Facts* facts = facts::of_request(r);
  const bool secure = facts != nullptr || ap_ssl_conn_is_ssl(r->connection) != 0;
  if (section.require_tls && *section.require_tls && !secure) {
    TLS_LOG_R(r, AccessNeedsTls, target(r));
    return forbid(r);
  }
  if (facts == nullptr) return DECLINED;
  if (!suite_allowed(r, section, *facts) || !client_allowed(r, section, *facts)) return forbid(r);
  set_user(r, *facts);
  if (section.requirements && !requirements_met(r, *section.requirements)) return forbid(r);
  return DECLINED;
}

}  // namespace tls::access
