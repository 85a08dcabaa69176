// SPDX-License-Identifier: Apache-2.0
// FakeBasicAuth: the subject of a certificate as a user whose password is known to everybody. All that keeps others
// from being that user is that nobody can type one.
#include <apr_strings.h>

#include <string_view>

#include "access/access.hpp"
#include "apr/request.hpp"
#include "config/words.hpp"
#include "facts/certificates.hpp"
#include "log/log.hpp"
#include "server/module_config.hpp"

namespace tls::access {
namespace {

// The user file has it encrypted as xxj31ZMTZzkVA. crypt(3) looks at these eight octets alone.
constexpr std::string_view password = "password";
constexpr const char* key = "mod_tls: fake basic";

// Of a request with all its subrequests and internal redirects, which share tables of headers. The client has one
// subject, so that one header is all that is ever made.
struct Fake {
  const char* user = nullptr;
  const char* header = nullptr;    // ours, told from what is typed by its address
  const char* visitors = nullptr;  // what stood there before
};

Fake* known(const request_rec* r) {
  void* found = nullptr;
  apr_pool_userdata_get(&found, key, apr::root_of(r)->pool);
  return static_cast<Fake*>(found);
}

// Where mod_auth_basic reads what it is told (get_basic_auth).
const char* header_name(const request_rec* r) {
  return r->proxyreq == PROXYREQ_PROXY ? "Proxy-Authorization" : "Authorization";
}

bool fakes(const request_rec* r) { return server::options_of(r).has(config::Option::FakeBasicAuth); }

struct Credentials {
  std::string_view user;
  std::string_view password;
};

// Of a header of type Basic; empty where it is none.
Credentials basic_credentials(apr_pool_t* pool, const char* header) {
  if (header == nullptr || !config::same_word(ap_getword(pool, &header, ' '), "Basic")) return {};
  while (*header == ' ' || *header == '\t') ++header;
  const std::string_view decoded = ap_pbase64decode(pool, header);
  const std::size_t colon = decoded.find(':');
  if (colon == std::string_view::npos) return {decoded, {}};
  return {decoded.substr(0, colon), decoded.substr(colon + 1)};
}

}  // namespace

void take_fake_back(request_rec* r) {
  const Fake* const fake = known(r);
  if (fake == nullptr) return;
  for (const char* name : {"Authorization", "Proxy-Authorization"}) {
    if (apr_table_get(r->headers_in, name) != fake->header) continue;
    if (fake->visitors != nullptr) {
      apr_table_setn(apr::own_headers(r), name, fake->visitors);
    } else {
      apr_table_unset(apr::own_headers(r), name);
    }
  }
}

bool refuse_typed_subject(request_rec* r) {
  const Credentials typed = basic_credentials(r->pool, apr_table_get(r->headers_in, header_name(r)));
  if (!typed.user.starts_with('/') || (!fakes(r) && !typed.password.starts_with(password))) return false;
  const char* user = apr_pstrmemdup(r->pool, typed.user.data(), typed.user.size());
  TLS_LOG_R(r, AccessSpoof, ap_escape_logitem(r->pool, user));
  return true;
}

int fake_basic(request_rec* r, const facts::Facts& facts) {
  if (!fakes(r) || r->user != nullptr || facts.verify != facts::Verify::Success) return DECLINED;
  const char* subject = facts::certificate_field(r->pool, facts, facts::Side::Client, "S_DN", true);
  // The first colon ends a user's name (RFC 7617 2), so that what follows would be a password of the client's choice.
  if (subject == nullptr || *subject != '/' || std::string_view(subject).find(':') != std::string_view::npos) {
    TLS_LOG_R(r, AccessNoFake, subject == nullptr ? "" : ap_escape_logitem(r->pool, subject));
    return HTTP_FORBIDDEN;
  }
  Fake* fake = known(r);
  if (fake == nullptr) {
    apr_pool_t* const pool = apr::root_of(r)->pool;
    fake = ::new (apr_palloc(pool, sizeof(Fake))) Fake{};
    fake->user = apr_pstrdup(pool, subject);
    char* const plain = apr_pstrcat(pool, subject, ":", password.data(), nullptr);
    fake->header = apr_pstrcat(pool, "Basic ", ap_pbase64encode(pool, plain), nullptr);
    fake->visitors = apr_table_get(r->headers_in, header_name(r));
    apr_pool_userdata_setn(fake, key, nullptr, pool);
  }
  apr_table_setn(apr::own_headers(r), header_name(r), fake->header);
  TLS_LOG_R(r, AccessFaked, ap_escape_logitem(r->pool, subject));
  return DECLINED;
}

bool is_fake(const request_rec* r, const char* user) {
  const Fake* const fake = known(r);
  return fake != nullptr && apr_table_get(r->headers_in, header_name(r)) == fake->header &&
         std::string_view(fake->user) == user;
}

}  // namespace tls::access
