// SPDX-License-Identifier: Apache-2.0
// SSLOpenSSLConfCmd: the commands of OpenSSL's SSL_CONF that have a meaning here.
#pragma once

#include "config/settings.hpp"
#include "config/vocabulary/row.hpp"

namespace tls::config {

// Carries one command out on `settings`, or says why it cannot be.
Outcome openssl_conf_command(ServerSettings& settings, Arena& arena, const Arguments& words);

// A list of groups as OpenSSL 3.5 writes it: "?name" may be unknown, "*name" wants a key share, "-name" takes away, "/"
// divides like ":", and DEFAULT stands for the default order.
Parsed<GroupList> openssl_groups(std::string_view list);

// A list of signature algorithms as OpenSSL writes it: "RSA+SHA256" or "rsa_pkcs1_sha256", divided by colons; "?name"
// may be unknown.
Parsed<SchemeList> openssl_signatures(std::string_view list);

}  // namespace tls::config
