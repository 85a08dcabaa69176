// SPDX-License-Identifier: Apache-2.0
// What the documents say of directives that both vocabularies have, each under a name of its own.
#pragma once

#include "config/vocabulary/row.hpp"

namespace tls::config {

inline constexpr Text post_quantum_text = {
    "prefer|require|off", nullptr,
    "Overrides the list of groups: prefer puts a post-quantum group first, require accepts no others, off "
    "removes them. Under require clients without one get handshake_failure; TLSv1.2 has none."};

inline constexpr Text backend_post_quantum_text = {
    "prefer|require|off", nullptr,
    "Overrides the list of groups: prefer puts a post-quantum group first, require offers no others, off "
    "removes them. Under require handshakes with backends without one fail; TLSv1.2 has none."};

inline constexpr Text trusted_proxies_text = {
    "address|network ...", nullptr,
    "Proxies in front of this server whose fields Client-Cert and Client-Cert-Chain are trusted: over TLS, "
    "without a PROXY header, and after our own CAs have verified the certificate. It is then the client's in "
    "variables, rules and logs. Addresses are written as 192.0.2.1, networks as 192.0.2.0/24 or 2001:db8::/32."};

inline constexpr Text client_cert_header_text = {
    "on|chain|off", "off",
    "Whether requests carry the client's certificate in the field Client-Cert (RFC 9440), for backends and "
    "handlers; chain adds the issuers that the client has sent, in Client-Cert-Chain. The request's own section "
    "must have verified the certificate. Fields that clients send themselves are always removed."};

}  // namespace tls::config
