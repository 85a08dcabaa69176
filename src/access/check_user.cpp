// SPDX-License-Identifier: Apache-2.0
// Client certificates as users.
#include <apr_strings.h>

#include "access/access.hpp"
#include "config/words.hpp"
#include "facts/facts.hpp"
#include "facts/request_facts.hpp"
#include "log/log.hpp"
#include "report/variables.hpp"
#include "server/module_config.hpp"

namespace tls::access {
namespace {

constexpr const char* client_cert = "ClientCert";

bool refused_before(const request_rec* r) {
  return server::options_of(r).has(config::Option::StrictRequire) && apr_table_get(r->notes, forbidden_note) != nullptr;
}

// Without a value the user stays unknown.
bool name_user(request_rec* r, const facts::Facts& facts, const std::string& name) {
  const bool legacy = server::options_of(r).has(config::Option::LegacyDnStringFormat);
  const auto form = legacy ? report::DnForm::Legacy : report::DnForm::Rfc2253;
  const char* value = report::variable(r->pool, facts, name, form);
  if (value == nullptr || *value == '\0') {
    TLS_LOG_R(r, AccessNoUser, name.c_str());
    return false;
  }
  r->user = apr_pstrdup(r->pool, value);
  r->ap_auth_type = apr_pstrdup(r->pool, client_cert);
  return true;
}

bool by_certificate(request_rec* r) {
  const char* const type = ap_auth_type(r);
  return type != nullptr && config::same_word(type, client_cert);
}

// Proof alone will do: neither a certificate that is let pass unproven, nor a name that SSLUserName took from
// elsewhere.
int authenticate(request_rec* r, const facts::Facts& facts) {
  if (facts.verify != facts::Verify::Success) return HTTP_FORBIDDEN;
  const bool fakes = server::options_of(r).has(config::Option::FakeBasicAuth);
  const auto& user_name = server::directory_settings(r).user_name;
  if (user_name) return !fakes && r->user != nullptr ? OK : HTTP_FORBIDDEN;  // check_access has named it
  return name_user(r, facts, "SSL_CLIENT_S_DN") ? OK : HTTP_FORBIDDEN;
}

}  // namespace

int check_user(request_rec* r) {
  if (refused_before(r)) return HTTP_FORBIDDEN;
  take_fake_back(r);
  if (refuse_typed_subject(r)) return HTTP_FORBIDDEN;
  const facts::Facts* facts = facts::of_request(r);
  if (facts == nullptr) return DECLINED;
  if (by_certificate(r)) return authenticate(r, *facts);
  return fake_basic(r, *facts);
}

// With FakeBasicAuth a certificate alone names users that begin like a subject, whichever way another module was told.
int check_authorized(request_rec* r) {
  if (refused_before(r)) return HTTP_FORBIDDEN;
  const bool named = r->user != nullptr && *r->user == '/';
  if (!named || !server::options_of(r).has(config::Option::FakeBasicAuth)) return DECLINED;
  if (is_fake(r, r->user) || by_certificate(r)) return DECLINED;
  TLS_LOG_R(r, AccessSpoof, ap_escape_logitem(r->pool, r->user));
  return HTTP_FORBIDDEN;
}

// A user whom somebody has named needs no password (mod_authz_core, authorize_userless), so that a certificate that is
// not proven names nobody. Where there is none, variables of another kind may.
void set_user(request_rec* r, const facts::Facts& facts) {
  const auto& name = server::directory_settings(r).user_name;
  if (!name || server::options_of(r).has(config::Option::FakeBasicAuth)) return;
  const bool proven = facts.verify == facts::Verify::Success;
  if (proven || (facts.verify == facts::Verify::None && !by_certificate(r))) {
    name_user(r, facts, *name);
  } else {
    TLS_LOG_R(r, AccessNoUser, name->c_str());
  }
}

}  // namespace tls::access
