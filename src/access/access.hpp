// SPDX-License-Identifier: Apache-2.0
// Who may see what: access rules that depend on the TLS connection.
#pragma once

#include "apr/httpd.hpp"
#include "facts/facts.hpp"

namespace tls::access {

// Registers the access, authentication and authorisation hooks and the `Require` providers.
void register_hooks(apr_pool_t* pool);

// r->notes key under which a refusal is remembered for StrictRequire: `Satisfy any` must not undo it.
inline constexpr const char* forbidden_note = "ssl-access-forbidden";

// r->notes key of a request whose access could not be judged: nobody gets in, whatever else would let it.
inline constexpr const char* failed_note = "ssl-access-failed";

// post_read_request: whether the virtual host that Host names may answer on a connection made for the one of SNI.
int check_host(request_rec* r);

// post_read_request: 503 where a virtual host has a placeholder for a certificate, or the connection is a challenge.
int refuse_unavailable(request_rec* r);

// check_access: SSLRequireSSL, cipher suites, client certificates and SSLRequire of the sections of a request.
int check_access(request_rec* r);

// SSLUserName: names the user of a request whatever its section requires of users. Part of check_access.
void set_user(request_rec* r, const facts::Facts& facts);

// check_config: warns of each SSLUserName or TLSUserName that can name nobody.
int check_user_names(apr_pool_t* pool, apr_pool_t* log_pool, apr_pool_t* temp_pool, server_rec* main_server);

// check_authn: FakeBasicAuth and `AuthType ClientCert`.
int check_user(request_rec* r);

// check_authz: refuses again what StrictRequire must keep refused, and a user who is named like a subject where only a
// certificate may name one.
int check_authorized(request_rec* r);

// fake_basic.cpp. Subrequests and internal redirects inherit the header that FakeBasicAuth made for a section that they
// are not of: gives them back what the visitor sent.
void take_fake_back(request_rec* r);

// Whether the visitor has typed what only a certificate may say, with FakeBasicAuth any user that begins like a
// subject. To be called once the fake is taken back; logs it.
bool refuse_typed_subject(request_rec* r);

// Makes the certificate's subject the user, with the password that all have. DECLINED, or HTTP_FORBIDDEN where the
// subject cannot be one.
int fake_basic(request_rec* r, const facts::Facts& facts);

// Whether `user` is the one that fake_basic() made for this request.
bool is_fake(const request_rec* r, const char* user);

// `Require ssl` and `Require ssl-verify-client`.
void register_providers(apr_pool_t* pool);

}  // namespace tls::access
