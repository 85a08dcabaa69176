// Client certificates as users.
#include <apr_strings.h>

#include <string_view>

#include "access/access.hpp"
#include "apr/guarded.hpp"
#include "config/words.hpp"
#include "conn/certificates.hpp"
#include "conn/facts.hpp"
#include "conn/request_facts.hpp"
#include "report/log.hpp"
#include "report/variables.hpp"
#include "server/scopes.hpp"

namespace tls::access {
namespace {

constexpr const char* client_cert = "ClientCert";
// What FakeBasicAuth says for a password; the user file has it encrypted as xxj31ZMTZzkVA.
constexpr std::string_view fake_password = "password";

bool refused_before(const request_rec* r) {
  return server::options_of(r).has(config::Option::StrictRequire) && apr_table_get(r->notes, forbidden_note) != nullptr;
}

// The user and password of an Authorization header; empty where there is none of type Basic.
struct Credentials {
  std::string_view user;
  std::string_view password;
};

Credentials basic_credentials(request_rec* r) {
  const char* header = apr_table_get(r->headers_in, "Authorization");
  if (header == nullptr || !config::same_word(ap_getword(r->pool, &header, ' '), "Basic")) return {};
  while (*header == ' ' || *header == '\t') ++header;
  const std::string_view decoded = ap_pbase64decode(r->pool, header);
  const std::size_t colon = decoded.find(':');
  if (colon == std::string_view::npos) return {decoded, {}};
  return {decoded.substr(0, colon), decoded.substr(colon + 1)};
}

// A client must not get in by typing a subject and the password that everybody knows.
bool is_spoof(request_rec* r) {
  const Credentials credentials = basic_credentials(r);
  if (!credentials.user.starts_with('/') || credentials.password != fake_password) return false;
  const char* user = apr_pstrmemdup(r->pool, credentials.user.data(), credentials.user.size());
  TLS_LOG_R(r, AccessSpoof, ap_escape_logitem(r->pool, user));
  return true;
}

// The certificate's subject as a user with a fixed password, for AuthBasicProvider file and the like.
void fake_basic(request_rec* r, const conn::Facts& facts) {
  const char* subject = conn::certificate_field(r->pool, facts, conn::Side::Client, "S_DN", true);
  if (subject == nullptr) return;
  char* plain = apr_pstrcat(r->pool, subject, ":", fake_password.data(), nullptr);
  apr_table_setn(r->headers_in, "Authorization",
                 apr_pstrcat(r->pool, "Basic ", ap_pbase64encode(r->pool, plain), nullptr));
  TLS_LOG_R(r, AccessFaked, ap_escape_logitem(r->pool, subject));
}

// Without a value the user stays unknown.
bool name_user(request_rec* r, const conn::Facts& facts, const std::string& name) {
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

// A certificate that was refused names nobody, though its connection may live on for other sections.
bool is_proven(const conn::Facts& facts) {
  return facts.verify == conn::Verify::Success || facts.verify == conn::Verify::Generous;
}

int judge(request_rec* r) {
  if (refused_before(r)) return HTTP_FORBIDDEN;
  const conn::Facts* facts = conn::facts(r);
  if (!ap_is_initial_req(r)) return DECLINED;
  if (is_spoof(r)) return HTTP_FORBIDDEN;
  if (facts == nullptr) return DECLINED;
  const bool fakes = server::options_of(r).has(config::Option::FakeBasicAuth);
  const auto& user_name = server::directory_settings(r).user_name;
  const bool wants_certificate = ap_auth_type(r) != nullptr && config::same_word(ap_auth_type(r), client_cert);
  if (wants_certificate) {
    if (user_name && !fakes && r->user != nullptr) return OK;  // check_access has named it
    if (user_name || !is_proven(*facts)) return HTTP_FORBIDDEN;
    return name_user(r, *facts, "SSL_CLIENT_S_DN") ? OK : HTTP_FORBIDDEN;
  }
  if (fakes && r->user == nullptr && is_proven(*facts)) fake_basic(r, *facts);
  return DECLINED;
}

}  // namespace

void set_user(request_rec* r, const conn::Facts& facts) {
  const auto& name = server::directory_settings(r).user_name;
  if (name && !server::options_of(r).has(config::Option::FakeBasicAuth)) name_user(r, facts, *name);
}

int check_user(request_rec* r) noexcept {
  return apr::guarded<int>(HTTP_INTERNAL_SERVER_ERROR, [r] { return judge(r); });
}

int check_strict(request_rec* r) noexcept { return refused_before(r) ? HTTP_FORBIDDEN : DECLINED; }

}  // namespace tls::access
