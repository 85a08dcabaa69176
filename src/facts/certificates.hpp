// SPDX-License-Identifier: Apache-2.0
// Fields of the certificates of a connection. All parsing happens in Rust; texts come back in the pool asked for.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "apr/httpd.hpp"
#include "config/settings.hpp"
#include "facts/facts.hpp"

namespace tls::rs {
struct ClientVerifier;
}

namespace tls::facts {

enum class Side : bool { Server, Client };

// One field with its name behind `SSL_CLIENT_` or `SSL_SERVER_`.
struct Field {
  const char* name;
  const char* value;
};

// How many certificates the client sent, its own included.
std::size_t client_certificates(const Facts& facts);

// The field `name`, as in `S_DN_CN`; nullptr where the certificate has none or there is no certificate. `legacy` writes
// distinguished names as `/C=../CN=..`. Any thread of the connection.
const char* certificate_field(apr_pool_t* pool, const Facts& facts, Side side, std::string_view name, bool legacy);

// The variable `name` of what the client offered in its hello, without `SSL_`: `JA4`, `CLIENTHELLO_CIPHERS` and so on.
// It is made when it is asked for; "" where nothing is known.
const char* hello_field(apr_pool_t* pool, const Facts& facts, std::string_view name);

// All fields of one side that StdEnvVars exports.
std::vector<Field> exported_fields(apr_pool_t* pool, const Facts& facts, Side side, bool legacy);

// True once for a connection: fields of its certificates were cut, for they were longer than variables may be.
[[nodiscard]] bool is_cut(const Facts& facts);

// The values of all extensions `name` (dotted, or OpenSSL's name) of one side's certificate, as text.
std::vector<const char*> extension_values(apr_pool_t* pool, const Facts& facts, Side side, std::string_view name);

// Who the client says it is, for a log line: subject, issuer and serial number, escaped and cut; "" where it has sent
// no certificate that can be read.
const char* who(apr_pool_t* pool, const Facts& facts);

// What the CAs and lists of a section make of the client's certificate; texts in `pool`.
struct Judgement {
  Verify verify;
  const char* reason;
  unsigned number;     // OpenSSL's for the reason
  const char* advice;  // what an administrator can do about a refusal; may be empty
};

// Judges by `verifier`, with mode and depth of the section. Remembered for the
// connection. Any thread of it.
Judgement judge(apr_pool_t* pool, const Facts& facts, const rs::ClientVerifier& verifier, config::VerifyClient mode,
                std::uint32_t depth);

}  // namespace tls::facts
